using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using TeleCmi.Events;

namespace TeleCmi.Pipeline.Receiving;

/// <summary>What the webhook answers; a host only has to copy it.</summary>
/// <param name="StatusCode">The HTTP status.</param>
/// <param name="ContentType">The media type of the body.</param>
/// <param name="Body">JSON in UTF-8.</param>
/// <param name="RetryAfter">When to try again, for a Retry-After header.</param>
public sealed record WebhookAnswer(int StatusCode, string ContentType, ReadOnlyMemory<byte> Body, TimeSpan? RetryAfter = null)
{
    private const string Json = "application/json";
    private const string ProblemJson = "application/problem+json";

    // What is written here is our own text, so quotes in sentences can stay readable.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The Retry-After header's value in seconds, when there is one.</summary>
    public string? RetryAfterSeconds => RetryAfter?.TotalSeconds.ToString("F0", CultureInfo.InvariantCulture);

    /// <summary>200: the queue has the event.</summary>
    /// <param name="id">The idempotency key: none of its characters needs an escape in JSON.</param>
    /// <param name="kind">The kind.</param>
    public static WebhookAnswer Accepted(string id, EventKind kind) =>
        new(200, Json, Encoding.ASCII.GetBytes($$"""{"status":"accepted","id":"{{id}}","kind":"{{kind.Name()}}"}"""));

    /// <summary>200: a readable notice of a kind that is not wanted here.</summary>
    public static WebhookAnswer Ignored(EventKind kind) =>
        new(200, Json, Encoding.ASCII.GetBytes($$"""{"status":"ignored","kind":"{{kind.Name()}}"}"""));

    /// <summary>An error that the sender or its administrator can mend (RFC 9457).</summary>
    /// <param name="statusCode">The HTTP status.</param>
    /// <param name="name">The problem's stable name, the last part of its <c>type</c>.</param>
    /// <param name="title">What is wrong, in general.</param>
    /// <param name="detail">What is wrong here and how to mend it; nothing of the input.</param>
    /// <param name="retryAfter">When to try again.</param>
    public static WebhookAnswer Problem(int statusCode, string name, string title, string detail, TimeSpan? retryAfter = null)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(body, Readable))
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, $"urn:telecmi:problem:{name}");
            writer.WriteString("title"u8, title);
            writer.WriteNumber("status"u8, statusCode);
            writer.WriteString("detail"u8, detail);
            writer.WriteEndObject();
        }

        return new WebhookAnswer(statusCode, ProblemJson, body.WrittenMemory, retryAfter);
    }

    /// <summary>404: the same for a wrong secret as for a wrong address, so that it tells a stranger nothing.</summary>
    public static WebhookAnswer NotFound { get; } = Problem(404, "not-found", "Not found", "There is nothing at this address.");

    /// <summary>405.</summary>
    public static WebhookAnswer MethodNotAllowed { get; } =
        Problem(405, "method-not-allowed", "Method not allowed", "Send the event by POST or GET.");

    /// <summary>200 or 503 without details: the state of the app is nobody else's business.</summary>
    public static WebhookAnswer Health(bool healthy) => healthy
        ? new(200, Json, "{\"status\":\"healthy\"}"u8.ToArray())
        : new(503, Json, "{\"status\":\"unhealthy\"}"u8.ToArray());
}
