using Microsoft.Extensions.DependencyInjection;
using TeleCmi.TestSupport;

namespace TeleCmi.EndToEnd.Tests;

/// <summary>The LocalHost compares calls by itself.</summary>
public sealed class ReconcileTimerTests
{
    [Fact]
    public async Task CallThatWasLost_ComesBackByItself_AfterAFailedRun()
    {
        await using var reports = await ReportServer.StartAsync();
        reports.Add("out_answered", TimeProvider.System.GetUtcNow().AddHours(-1), "leg-b");

        // The first run is refused.
        var runs = 0;
        reports.Before = async (_, context) =>
        {
            if (Interlocked.Increment(ref runs) > 1)
            {
                return false;
            }

            context.Response.StatusCode = 403;
            await context.Response.Body.WriteAsync("{}"u8.ToArray());
            return true;
        };

        await using var host = await ReceiverHost.StartAsync(
            [.. reports.Settings.Select(setting => $"--{setting.Name}={setting.Value}"), "--TeleCmi:Reconcile:Backfill=true"],
            configure: services => services.AddSingleton<TimeProvider>(new HastyClock()));

        await Eventually.HoldsAsync(async () => (await host.Storage.FinishedAsync()).Contains("2223343:cdr:leg-b:b:answered"));
        host.Log.Where(line => line.Message.StartsWith("Calls were not compared with TeleCMI's reports: TeleCMI does not accept the app id or the secret", StringComparison.Ordinal)).ShouldHaveSingleItem();
        host.Log.ShouldAllBe(line => !line.Message.Contains(ReportServer.Secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task RunThatFailsInAWayNobodyThoughtOf_IsSaid_AndTheReceiverWorks()
    {
        await using var reports = await ReportServer.StartAsync();
        await using var host = await ReceiverHost.StartAsync(
            reports.Settings.Select(setting => $"--{setting.Name}={setting.Value}"),
            configure: services => services.AddSingleton<TimeProvider>(new HastyClock())
                .ConfigureHttpClientDefaults(clients => clients.ConfigureHttpClient(_ => throw new NotSupportedException("Nobody thought of this."))));

        await Eventually.HoldsAsync(() => Task.FromResult(host.Log.Count(line => line.Message.EndsWith("Nobody thought of this.", StringComparison.Ordinal)) > 1));
        using var response = await host.PostAsync(SampleNotices.Answered);
        response.EnsureSuccessStatusCode();
    }

    // What takes minutes takes a moment.
    private sealed class HastyClock : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime >= TimeSpan.FromMinutes(1) ? TimeSpan.FromMilliseconds(100) : dueTime, period);
    }
}
