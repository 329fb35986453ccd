using System.Net.Http.Headers;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TeleCmi.LocalHost;
using TeleCmi.Pipeline.Processing;
using TeleCmi.TestSupport;

namespace TeleCmi.EndToEnd.Tests;

/// <summary>The LocalHost in this process, on a free port, with the pauses of an impatient tester.</summary>
internal sealed class HostUnderTest : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _client = new();

    private HostUnderTest(WebApplication app, string storage)
    {
        _app = app;
        Storage = new StorageUnderTest(storage);
        Address = new Uri(app.Urls.Single());
    }

    public Uri Address { get; }

    public Uri Events => new(Address, "/api/telecmi/events");

    public StorageUnderTest Storage { get; }

    public static async Task<HostUnderTest> StartAsync(string storage, ICallEventHandler? handler = null, params string[] settings)
    {
        var builder = LocalHostApp.CreateBuilder(
        [
            "--urls", "http://127.0.0.1:0", "--storage", storage,
            "--LocalHost:RetryPause=00:00:00", "--LocalHost:MaxPollingInterval=00:00:00.05", .. settings,
        ]);
        builder.Logging.ClearProviders();
        if (handler is not null)
        {
            builder.Services.AddSingleton(handler);
        }

        var app = LocalHostApp.Build(builder);
        await app.StartAsync();
        return new HostUnderTest(app, storage);
    }

    public Task<HttpResponseMessage> PostAsync(byte[] body, string contentType = "application/json", Uri? address = null)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        return _client.PostAsync(address ?? Events, content);
    }

    public Task<HttpResponseMessage> GetAsync(string pathAndQuery) => _client.GetAsync(new Uri(Address, pathAndQuery));

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request) => _client.SendAsync(request);

    /// <summary>Stops as a service manager would ask it to.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
