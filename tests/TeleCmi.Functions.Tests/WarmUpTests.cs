using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace TeleCmi.Functions.Tests;

public sealed class WarmUpTests
{
    [Fact]
    public async Task Storage_IsAskedAtTheStartBeforeAnEventComes()
    {
        using var storage = new TcpListener(IPAddress.Loopback, 0);
        storage.Start();
        var connection = storage.AcceptTcpClientAsync(TestContext.Current.CancellationToken).AsTask();
        var settings = RunningApp.Settings(
            $"DefaultEndpointsProtocol=http;AccountName=none;AccountKey=a2V5;QueueEndpoint=http://{storage.LocalEndpoint}/none;TableEndpoint=http://{storage.LocalEndpoint}/none;");

        await using var app = await RunningApp.StartAsync(settings);

        using var client = await connection.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task StorageThatDoesNotWork_IsLoggedBeforeAnEventComes()
    {
        var settings = RunningApp.Settings();
        settings["Logging__LogLevel__TeleCmi"] = "Warning";
        settings["Logging__Console__LogLevel__TeleCmi"] = "None";
        await using var app = await RunningApp.StartAsync(settings, services => services.AddLogging(logging => logging.AddFakeLogging()));

        var record = await app.Services.GetFakeLogCollector().GetLogsAsync(TestContext.Current.CancellationToken)
            .FirstAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        record.Level.ShouldBe(LogLevel.Warning);
        record.Message.ShouldContain("503");
    }

    [Fact]
    public async Task StorageThatDoesNotRespond_KeepsTheAppNeitherFromStartingNorFromStopping()
    {
        // It takes connections and never responds.
        using var storage = new TcpListener(IPAddress.Loopback, 0);
        storage.Start();
        var settings = RunningApp.Settings(
            $"DefaultEndpointsProtocol=http;AccountName=none;AccountKey=a2V5;QueueEndpoint=http://{storage.LocalEndpoint}/none;TableEndpoint=http://{storage.LocalEndpoint}/none;");

        var app = await RunningApp.StartAsync(settings).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        await app.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }
}
