using System.Text;
using System.Text.Json;
using Azure.Data.Tables;
using Azure.Storage.Queues;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using TeleCmi.Events;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Receiving;

namespace TeleCmi.Pipeline.Tests;

/// <summary>The pipeline as a host puts it together, on an account of its own, with its logs at hand.</summary>
internal sealed class PipelineUnderTest : IAsyncDisposable
{
    private readonly string _storage;

    public PipelineUnderTest(string storage, Action<IServiceCollection>? change = null, params (string Name, string Value)[] settings)
    {
        _storage = storage;
        var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder()
                .AddInMemoryCollection([new("TeleCmiStorage", storage)])
                .AddInMemoryCollection(settings.Select(setting => new KeyValuePair<string, string?>(setting.Name, setting.Value)))
                .Build())
            .AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddFakeLogging())
            .AddTeleCmiPipeline();
        change?.Invoke(services);
        Services = services.BuildServiceProvider();
    }

    public ServiceProvider Services { get; }

    public EventProcessor Processor => Services.GetRequiredService<EventProcessor>();

    public PoisonArchive PoisonArchive => Services.GetRequiredService<PoisonArchive>();

    public Journal Journal => Services.GetRequiredService<Journal>();

    public FakeLogCollector Logs => Services.GetFakeLogCollector();

    public Task<WebhookAnswer> PostAsync(byte[] body, string? contentType = "application/json", string query = "") =>
        PostAsync(new MemoryStream(body), contentType, body.Length, query);

    public Task<WebhookAnswer> PostAsync(Stream body, string? contentType = "application/json", long? contentLength = null, string query = "", bool hasTransferEncoding = false) =>
        ReceiveAsync(new WebhookRequest(IsPost: true, query, body, contentType, contentLength, hasTransferEncoding));

    public Task<WebhookAnswer> GetAsync(string query) =>
        ReceiveAsync(new WebhookRequest(IsPost: false, query, Stream.Null, ContentType: null, ContentLength: null, HasTransferEncoding: false));

    /// <summary>The envelopes in the events queue.</summary>
    public async Task<IReadOnlyList<byte[]>> QueuedAsync()
    {
        var queue = Queue("telecmi-events");
        return await queue.ExistsAsync()
            ? [.. (await queue.PeekMessagesAsync(32)).Value.Select(message => Convert.FromBase64String(message.Body.ToString()))]
            : [];
    }

    /// <summary>A queue with its messages as they are on the wire.</summary>
    public QueueClient Queue(string name) => new(_storage, name);

    public Task<IReadOnlyList<TableEntity>> JournalRowsAsync() => RowsAsync("CallEvents");

    public Task<IReadOnlyList<TableEntity>> DeadLetterRowsAsync() => RowsAsync("DeadLetters");

    public ValueTask DisposeAsync() => Services.DisposeAsync();

    /// <summary>What the receiver puts into the queue for a notice.</summary>
    public static byte[] EnvelopeOf(byte[] notice, DateTimeOffset receivedAt, string? traceParent = null)
    {
        Notice.TryRead(notice, out var read, out var fault).ShouldBeTrue(fault);
        var envelope = new System.Buffers.ArrayBufferWriter<byte>();
        EventEnvelope.Write(envelope, read!, receivedAt, traceParent);
        return envelope.WrittenSpan.ToArray();
    }

    private Task<WebhookAnswer> ReceiveAsync(WebhookRequest request) => Services.GetRequiredService<EventReceiver>().ReceiveAsync(request);

    private async Task<IReadOnlyList<TableEntity>> RowsAsync(string name)
    {
        var service = new TableServiceClient(_storage);
        var exists = service.Query(table => table.Name == name).Any();
        return exists ? await service.GetTableClient(name).QueryAsync<TableEntity>().ToListAsync() : [];
    }
}

internal static class WebhookAnswerText
{
    public static string Text(this WebhookAnswer answer) => Encoding.UTF8.GetString(answer.Body.Span);

    /// <summary>Asserts a problem, and that it is one: RFC 9457 with a way out.</summary>
    public static void ShouldBeProblem(this WebhookAnswer answer, int status, string name)
    {
        answer.StatusCode.ShouldBe(status, answer.Text());
        answer.ContentType.ShouldBe("application/problem+json");
        using var json = JsonDocument.Parse(answer.Body);
        json.RootElement.GetProperty("type").GetString().ShouldBe($"urn:telecmi:problem:{name}");
        json.RootElement.GetProperty("status").GetInt32().ShouldBe(status);
        json.RootElement.GetProperty("detail").GetString().ShouldNotBeNullOrWhiteSpace();
    }

    public static void ShouldBeAccepted(this WebhookAnswer answer, string id) => answer.Text().ShouldBe(
        $$"""{"status":"accepted","id":"{{id}}","kind":"outgoing.answered"}""");
}
