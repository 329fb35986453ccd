using System.Collections.Concurrent;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TeleCmi.Events;
using TeleCmi.LocalHost;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Sqlite;

namespace TeleCmi.TestSupport;

/// <summary>The LocalHost in this process, on a free port, with the short delays of an impatient tester.</summary>
public sealed class ReceiverHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _client = new();

    private ReceiverHost(WebApplication app, ConcurrentQueue<LogLine> log)
    {
        _app = app;
        Log = log;
        Store = app.Services.GetRequiredService<IStore>();
        Storage = new StorageUnderTest(Store);
        Address = new Uri(app.Urls.First());
    }

    public Uri Address { get; }

    public Uri Events => new(Address, "/api/telecmi/events");

    public IServiceProvider Services => _app.Services;

    /// <summary>Where its queues and tables are; another host may be started on the same.</summary>
    public IStore Store { get; }

    public StorageUnderTest Storage { get; }

    /// <summary>What it has logged.</summary>
    public IReadOnlyCollection<LogLine> Log { get; }

    /// <summary>Starts one.</summary>
    /// <param name="settings">Settings as on the command line.</param>
    /// <param name="storage">A storage setting; null: the embedded store in memory.</param>
    /// <param name="store">The store of another host.</param>
    /// <param name="handle">What the one handler, called <c>test</c>, does; null: there is none.</param>
    /// <param name="configure">Adds to the services, or replaces some.</param>
    public static async Task<ReceiverHost> StartAsync(
        IEnumerable<string>? settings = null,
        string? storage = null,
        IStore? store = null,
        Func<CallEvent, CancellationToken, Task>? handle = null,
        Action<IServiceCollection>? configure = null)
    {
        var builder = LocalHostApp.CreateBuilder(
        [
            "--urls", "http://127.0.0.1:0", .. storage is null ? (string[])[] : ["--storage", storage],
            "--LocalHost:RetryDelay=00:00:00", "--LocalHost:MaxPollingInterval=00:00:00.05", .. settings ?? [],
        ]);
        var log = new ConcurrentQueue<LogLine>();
        builder.Logging.ClearProviders().AddProvider(new Collector(log));
        if (storage is null)
        {
            builder.Services.AddSingleton(store ?? SqliteStore.InMemory(TimeProvider.System));
        }

        if (handle is not null)
        {
            builder.Services.AddSingleton<ICallEventHandler>(new TestHandler(handle));
        }

        configure?.Invoke(builder.Services);
        var app = LocalHostApp.Build(builder);
        await app.StartSafelyAsync(CancellationToken.None);
        return new ReceiverHost(app, log);
    }

    public Task<HttpResponseMessage> PostAsync(byte[] body, string contentType = "application/json", Uri? address = null)
    {
        var content = new ByteArrayContent(body) { Headers = { ContentType = MediaTypeHeaderValue.Parse(contentType) } };
        return _client.PostAsync(address ?? Events, content);
    }

    public Task<HttpResponseMessage> GetAsync(string pathAndQuery, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Address, pathAndQuery));
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return _client.SendAsync(request);
    }

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request) => _client.SendAsync(request);

    /// <summary>Waits until no queue has a message, hidden ones included.</summary>
    public Task SettledAsync() => Eventually.HoldsAsync(async () => await Storage.QueuedAsync() == 0);

    /// <summary>Stops as a service manager would ask it to.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private sealed class TestHandler(Func<CallEvent, CancellationToken, Task> handle) : ICallEventHandler
    {
        public string Name => "test";

        public Task HandleAsync(CallEvent callEvent, CancellationToken cancellation) => handle(callEvent, cancellation);
    }

    private sealed class Collector(ConcurrentQueue<LogLine> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue(new LogLine(logLevel, formatter(state, exception), exception));

        public void Dispose()
        {
        }
    }
}

/// <summary>A line of a log.</summary>
public sealed record LogLine(LogLevel Level, string Message, Exception? Exception);
