using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace TeleCmi.Functions.Tests;

public sealed class WarmUpTests
{
    [Fact]
    public async Task StorageThatDoesNotWork_IsLoggedBeforeAnEventComes_AndTheAppRuns()
    {
        await using var app = Start(RunningApp.Settings());

        await Eventually.HoldsAsync(() => Task.FromResult(
            app.Output.Contains("the response to every event is 503", StringComparison.Ordinal) && IsStarted(app)));
    }

    [Fact]
    public async Task StorageThatDoesNotRespond_IsAsked_AndKeepsTheAppNeitherFromStartingNorFromStopping()
    {
        // It takes connections and never responds.
        using var storage = new TcpListener(IPAddress.Loopback, 0);
        storage.Start();
        await using var app = Start(RunningApp.Settings(
            $"DefaultEndpointsProtocol=http;AccountName=none;AccountKey=a2V5;QueueEndpoint=http://{storage.LocalEndpoint}/none;TableEndpoint=http://{storage.LocalEndpoint}/none;"));

        using var client = await storage.AcceptTcpClientAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(() => Task.FromResult(IsStarted(app)), TimeSpan.FromSeconds(30));

        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals");
        app.Signal(PosixSignal.SIGTERM);
        (await app.ExitAsync(TimeSpan.FromSeconds(30))).ShouldBe(0);
    }

    [Fact]
    public async Task Identity_IsReadFromTheEnvironmentsNames()
    {
        var logger = new FakeLogger<WarmUp>();
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["TeleCmiStorage__queueServiceUri"] = "/not-absolute",
            ["TeleCmiEventsQueue"] = "telecmi-events",
        };

        await new WarmUp(settings.GetValueOrDefault).ReportAsync(logger);

        logger.LatestRecord.Level.ShouldBe(LogLevel.Warning);
        logger.LatestRecord.Exception!.Message.ShouldContain("relative URI");
    }

    [Theory]
    [InlineData("TeleCmiStorage")]
    [InlineData("TeleCmiEventsQueue")]
    public async Task SettingThatIsNotThere_IsLeftToTheStartToSay(string setting)
    {
        var logger = new FakeLogger<WarmUp>();
        var settings = RunningApp.Settings();
        settings.Remove(setting);

        await new WarmUp(settings.GetValueOrDefault).ReportAsync(logger);

        logger.Collector.Count.ShouldBe(0);
    }

    // As the platform starts it: a process, its settings in the environment.
    private static HostProcess Start(Dictionary<string, string> settings) => HostProcess.FunctionsApp(new Dictionary<string, string?>(
        settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)), StringComparer.Ordinal)
    {
        ["Logging__LogLevel__Default"] = "Information",
    });

    private static bool IsStarted(HostProcess app) => app.Output.Contains("Application started", StringComparison.Ordinal);
}
