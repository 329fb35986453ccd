using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace TeleCmi.Functions.Tests;

public sealed class WarmUpTests
{
    // As the platform starts it: a process, its settings in the environment.
    [Fact]
    public async Task StorageThatDoesNotWork_IsLoggedBeforeAnEventComes_AndTheAppRuns()
    {
        var start = new ProcessStartInfo("dotnet", [typeof(ReceiveEvent).Assembly.Location]) { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var (name, value) in RunningApp.Settings())
        {
            start.Environment[name] = value;
        }

        start.Environment["Logging__LogLevel__Default"] = "Warning";
        start.Environment["Logging__LogLevel__Microsoft.Hosting.Lifetime"] = "Information";
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(1));
        using var app = Process.Start(start)!;
        try
        {
            var missing = new List<string> { "Application started", "the response to every event is 503" };
            while (missing.Count > 0)
            {
                var line = await app.StandardOutput.ReadLineAsync(deadline.Token);
                line.ShouldNotBeNull($"The app ended without: {string.Join(", ", missing)}");
                missing.RemoveAll(line.Contains);
            }
        }
        finally
        {
            app.Kill();
        }
    }

    [Fact]
    public async Task Storage_IsAskedWithoutTheApp()
    {
        using var storage = new TcpListener(IPAddress.Loopback, 0);
        storage.Start();
        var connection = storage.AcceptTcpClientAsync(TestContext.Current.CancellationToken).AsTask();
        var settings = RunningApp.Settings(
            $"DefaultEndpointsProtocol=http;AccountName=none;AccountKey=a2V5;QueueEndpoint=http://{storage.LocalEndpoint}/none;TableEndpoint=http://{storage.LocalEndpoint}/none;");

        _ = new WarmUp(settings.GetValueOrDefault);

        using var client = await connection.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
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
}
