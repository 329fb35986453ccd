using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TeleCmi.Events.Samples;
using TeleCmi.LocalHost;
using TeleCmi.LocalHost.LivePage;
using TeleCmi.Pipeline.Telemetry;
using TeleCmi.TestSupport;

namespace TeleCmi.LivePage.Tests;

/// <summary>A whole one-machine receiver on a free port, that can be stopped and started again at the same address.</summary>
public sealed class ReceiverOnTrial : IAsyncDisposable
{
    private readonly TemporaryFolder _data = new();
    private readonly string[] _arguments;
    private readonly Action<IServiceCollection>? _configure;
    private WebApplication? _app;
    private TimeProvider? _clock;

    private ReceiverOnTrial(string[] settings, Action<IServiceCollection>? configure)
    {
        _arguments = ["--data", _data.Path, "--LocalHost:RetryDelay", "00:00:00", "--LocalHost:MaxPollingInterval", "00:00:00.1", .. settings];
        _configure = configure;
    }

    public Uri Address { get; private set; } = new("http://127.0.0.1:0");

    /// <summary>The live page's address as the receiver prints it; another one after each start.</summary>
    public Uri Page => _app!.Services.GetRequiredService<LivePageKey>().AddressOn(Address);

    /// <summary>The page's key.</summary>
    public string Key => _app!.Services.GetRequiredService<LivePageKey>().Value;

    public HttpClient Client { get; } = new(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = TimeSpan.FromSeconds(30) };

    public static async Task<ReceiverOnTrial> StartAsync(Action<IServiceCollection>? configure = null, params string[] settings)
    {
        var receiver = new ReceiverOnTrial(settings, configure);
        await receiver.StartAsync();
        return receiver;
    }

    public async Task StartAsync()
    {
        var builder = LocalHostApp.CreateBuilder(["--urls", Address.ToString(), .. _arguments]);
        builder.Logging.ClearProviders();
        _configure?.Invoke(builder.Services);
        if (_clock is not null)
        {
            builder.Services.AddSingleton(_clock);
        }

        _app = LocalHostApp.Build(builder);
        await _app.StartAsync();
        Address = new Uri(_app.Urls.First());
    }

    public async Task StopAsync()
    {
        await _app!.StopAsync();
        await _app.DisposeAsync();
        _app = null;
    }

    /// <summary>Stops it and starts it again on the same data, with another clock if one is given.</summary>
    public async Task RestartAsync(TimeProvider? clock = null)
    {
        await StopAsync();
        _clock = clock ?? _clock;
        await StartAsync();
    }

    public void Listen(Action<PipelineEvent> listener) => _app!.Services.GetRequiredService<PipelineEvents>().Listen(listener);

    public Task<HttpResponseMessage> PostEventAsync(string json) => Client.PostAsync(
        new Uri(Address, "/api/telecmi/events"),
        new ByteArrayContent(Encoding.UTF8.GetBytes(json)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } });

    /// <summary>Sends the notices of a call, in the order given or in their own.</summary>
    public async Task PostEventsAsync(CallScenario call, IEnumerable<int>? order = null)
    {
        foreach (var at in order ?? Enumerable.Range(0, call.Events.Count))
        {
            using var response = await PostEventAsync(Encoding.UTF8.GetString(call.Events[at].Notice.Json.Span));
            response.EnsureSuccessStatusCode();
        }
    }

    /// <summary>The documented sample as another call, with these texts changed.</summary>
    public static string Sample(string call, params (string Old, string New)[] changes)
    {
        var json = DocumentedNotices.OutgoingAnsweredByCustomer.Json.Replace("81b3d612-3473-4ac3-ba6e-030ee508036f", call, StringComparison.Ordinal);
        return changes.Aggregate(json, (text, change) => text.Replace(change.Old, change.New, StringComparison.Ordinal));
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_app is not null)
        {
            await StopAsync();
        }

        _data.Dispose();
    }
}
