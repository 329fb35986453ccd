using System.Net;
using System.Net.Sockets;

namespace TeleCmi.Functions.Tests;

public sealed class WarmUpTests
{
    [Fact]
    public async Task Storage_is_asked_at_the_start_before_an_event_comes()
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
    public async Task Storage_that_does_not_respond_keeps_the_app_neither_from_starting_nor_from_stopping()
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
