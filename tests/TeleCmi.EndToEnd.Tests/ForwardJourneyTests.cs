using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Cli;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.TestSupport;

namespace TeleCmi.EndToEnd.Tests;

/// <summary>A receiver that is down, as the one who operates the LocalHost sees it.</summary>
public sealed class ForwardJourneyTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AReceiverThatIsDown_NeedsAPersonAfter15Minutes_AndHasTheCallOnceItIsBack()
    {
        var address = CrmUnderTest.DeadAddress();
        await using var host = await ReceiverHost.StartAsync(
            [$"--TeleCmi:Forward:0:Url={address}", "--TeleCmi:Forward:0:Name=crm", $"--TeleCmi:Forward:0:Secrets={WebhookSecret.Generate()}"],
            storage: _folder.Store,
            configure: services => services.AddSingleton(new RetrySchedule([.. Enumerable.Repeat(TimeSpan.FromSeconds(2), 20)])));
        (await host.PostAsync(SampleNotices.AnsweredCall("call-1"))).EnsureSuccessStatusCode();
        await Eventually.HoldsAsync(async () => (await RunAsync(default, "forward", "list")).Out.Contains("waiting", StringComparison.Ordinal));

        // What waits is also overdue by then, which is a need of its own.
        string[] status = ["status", "--max-queue-age", "01:00:00"];
        (await RunAsync(default, status)).ExitCode.ShouldBe(ExitCodes.Fine);
        (await RunAsync(TimeSpan.FromMinutes(14), status)).ExitCode.ShouldBe(ExitCodes.Fine);
        var needed = await RunAsync(TimeSpan.FromMinutes(16), status);
        needed.ExitCode.ShouldBe(ExitCodes.NeedsPerson, needed.Out);
        needed.Out.ShouldContain("a person                       is needed: crm has failed for 16 min");
        (await RunAsync(TimeSpan.FromMinutes(6), [.. status, "--max-failing", "00:05:00"])).ExitCode.ShouldBe(ExitCodes.NeedsPerson);

        await using var crm = await CrmUnderTest.StartAsync((_, _) => Task.CompletedTask, port: address.Port);
        await crm.HasAsync(1, TimeSpan.FromSeconds(60));
        await host.SettledAsync();

        var list = await RunAsync(default, "forward", "list");
        list.Out.ShouldContain("delivered");
        list.Out.ShouldContain(EventStream.IdOf("call-1"));
        list.Out.ShouldNotContain("waiting");
        var healthy = await RunAsync(TimeSpan.FromMinutes(16), status);
        healthy.ExitCode.ShouldBe(ExitCodes.Fine, healthy.Out);
    }

    // The tool on the same file, so much later.
    private async Task<(int ExitCode, string Out)> RunAsync(TimeSpan later, params string[] arguments)
    {
        await using var output = new StringWriter();
        var exitCode = await CliApp.RunAsync(
            arguments,
            new CliHost
            {
                Out = output,
                Error = output,
                In = TextReader.Null,
                Settings = new ConfigurationBuilder().AddInMemoryCollection([new("TeleCmiStorage", _folder.Store)]).Build(),
                Clock = new LaterClock(later),
            },
            CancellationToken.None);
        return (exitCode, output.ToString());
    }
}
