using System.Buffers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using TeleCmi.Events;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Tests;

/// <summary>The pipeline as a host puts it together, on a store in memory and a clock that stands still.</summary>
internal sealed class PipelineUnderTest : IAsyncDisposable
{
    /// <summary>Where the clock stands at first.</summary>
    public static readonly DateTimeOffset Start = new(2026, 3, 4, 5, 6, 7, 89, TimeSpan.Zero);

    public PipelineUnderTest(Action<IServiceCollection>? change = null, params (string Name, string Value)[] settings)
    {
        Clock = new FakeTimeProvider(Start);
        Store = new TestStore(Clock);
        var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder()
                .AddInMemoryCollection(settings.ToLookup(setting => setting.Name, setting => setting.Value).Select(setting => new KeyValuePair<string, string?>(setting.Key, setting.Last())))
                .Build())
            .AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddFakeLogging())
            .AddSingleton<TimeProvider>(Clock)
            .AddSingleton<IStore>(Store)
            .AddTeleCmiPipeline();
        change?.Invoke(services);
        Services = services.BuildServiceProvider();
    }

    public PipelineUnderTest(params ICallEventHandler[] handlers)
        : this(services => Array.ForEach(handlers, handler => services.AddSingleton(handler)))
    {
    }

    public FakeTimeProvider Clock { get; }

    public TestStore Store { get; }

    public ServiceProvider Services { get; }

    public PipelineQueues Queues => Get<PipelineQueues>();

    public Journal Journal => Get<Journal>();

    public FakeLogCollector Logs => Services.GetFakeLogCollector();

    public T Get<T>()
        where T : notnull => Services.GetRequiredService<T>();

    public Task<WebhookResponse> PostAsync(byte[] body, string? contentType = "application/json", string query = "") =>
        PostAsync(new MemoryStream(body), contentType, body.Length, query);

    public Task<WebhookResponse> PostAsync(Stream body, string? contentType = "application/json", long? contentLength = null, string query = "", bool hasTransferEncoding = false) =>
        ReceiveAsync(new WebhookRequest(IsPost: true, query, body, contentType, contentLength, hasTransferEncoding));

    public Task<WebhookResponse> GetAsync(string query) =>
        ReceiveAsync(new WebhookRequest(IsPost: false, query, Stream.Null, ContentType: null, ContentLength: null, HasTransferEncoding: false));

    public Task<WebhookResponse> ReceiveAsync(WebhookRequest request) => Get<EventReceiver>().ReceiveAsync(request);

    public Task<ProcessedEvent> ProcessAsync(byte[] message, CancellationToken cancellation = default) => Get<EventProcessor>().ProcessAsync(message, cancellation);

    public Task ArchiveAsync(byte[] message, DateTimeOffset? insertedOn = null) => Get<PoisonArchive>().ArchiveAsync(message, insertedOn ?? Start, CancellationToken.None);

    public Task<IReadOnlyList<byte[]>> QueuedAsync() => Store.QueuedAsync();

    public Task<IReadOnlyList<TableRow>> JournalRowsAsync() => Store.RowsAsync("CallEvents");

    public async Task<TableRow> JournalRowAsync() => (await JournalRowsAsync()).ShouldHaveSingleItem();

    public Task<IReadOnlyList<TableRow>> DeadLetterRowsAsync() => Store.RowsAsync("DeadLetters");

    public async Task<TableRow> DeadLetterRowAsync() => (await DeadLetterRowsAsync()).ShouldHaveSingleItem();

    public async ValueTask DisposeAsync()
    {
        await Services.DisposeAsync();
        Store.Dispose();
    }

    /// <summary>What the receiver puts into the queue for a notice.</summary>
    public static byte[] EnvelopeOf(byte[] notice, DateTimeOffset? receivedAt = null)
    {
        Notice.TryRead(notice, out var read, out var fault).ShouldBeTrue(fault);
        var envelope = new ArrayBufferWriter<byte>();
        EventEnvelope.Write(envelope, read!, receivedAt ?? Start, traceParent: null);
        return envelope.WrittenSpan.ToArray();
    }

    /// <summary>The event that the pipeline makes of a notice.</summary>
    public static CallEvent EventOf(byte[] notice, DateTimeOffset? receivedAt = null) => Read(EnvelopeOf(notice, receivedAt));

    public static CallEvent Read(byte[] envelope)
    {
        EventEnvelope.TryRead(envelope, out var callEvent, out var fault).ShouldBeTrue(fault);
        return callEvent!;
    }
}

internal static class WebhookResponses
{
    public static string Text(this WebhookResponse response) => Encoding.UTF8.GetString(response.Body.Span);

    /// <summary>Asserts a problem, and that it is one: RFC 9457 with a way out.</summary>
    public static void ShouldBeProblem(this WebhookResponse response, int status, string name)
    {
        response.Status.ShouldBe(status, response.Text());
        response.ContentType.ShouldBe("application/problem+json");
        using var json = JsonDocument.Parse(response.Body);
        json.RootElement.GetProperty("type").GetString().ShouldBe($"urn:telecmi:problem:{name}");
        json.RootElement.GetProperty("status").GetInt32().ShouldBe(status);
        json.RootElement.GetProperty("detail").GetString().ShouldNotBeNullOrWhiteSpace();
    }

    public static void ShouldBeAccepted(this WebhookResponse response, string id) => response.Text().ShouldBe(
        $$"""{"status":"accepted","id":"{{id}}","kind":"outgoing.answered"}""");
}
