using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using TeleCmi.Events;

namespace TeleCmi.Pipeline.Receiving;

/// <summary>One case of the webhook's HTTP contract: everything that documents, hosts, telemetry and the page say about it.</summary>
/// <param name="Outcome">Its name in telemetry.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Problem">The problem's stable name, the last part of its <c>type</c> (RFC 9457); null when the request succeeded.</param>
/// <param name="Title">What is wrong, in general.</param>
/// <param name="Detail">How to fix it; nothing of the input.</param>
/// <param name="RetryAfter">When the sender is to try again.</param>
public sealed record WebhookCase(string Outcome, int Status, string? Problem = null, string Title = "", string Detail = "", TimeSpan? RetryAfter = null)
{
    /// <summary>The queue has the event, or every event of a report.</summary>
    public static WebhookCase Accepted { get; } = new("accepted", 200);

    /// <summary>A readable notice of a kind that is not accepted here.</summary>
    public static WebhookCase Ignored { get; } = new("ignored", 200);

    /// <summary>Not a notice; the body is kept in DeadLetters.</summary>
    public static WebhookCase Rejected { get; } = new(
        "rejected", 400, "unreadable", "Not a TeleCMI notice", "The body is kept in DeadLetters; send the event as TeleCMI documents it.");

    /// <summary>GET without fields.</summary>
    public static WebhookCase EmptyQuery { get; } = new(
        "empty", 400, "empty", "No event", "Send the event's fields in the query, or its JSON by POST.");

    /// <summary>POST without a body and without fields.</summary>
    public static WebhookCase EmptyBody { get; } = new(
        "empty", 400, "empty", "No event", "Send the event's JSON as the body, with a Content-Length.");

    /// <summary>POST whose chunked body the platform did not pass on (Azure/azure-functions-host issue 7930).</summary>
    public static WebhookCase ChunkedBody { get; } = new(
        "empty", 411, "length-required", "The body did not arrive", "A chunked body does not reach this app: send the event with a Content-Length.");

    /// <summary>The body broke off.</summary>
    public static WebhookCase BrokenBody { get; } = new("broken", 400, "broken-body", "The body broke off", "Send the event again.");

    /// <summary>The body did not arrive in time.</summary>
    public static WebhookCase TooSlow { get; } = new("too_slow", 408, "too-slow", "The body came too slowly", "Send the event again.");

    /// <summary>Larger than <c>TeleCmi__MaxEventBytes</c>.</summary>
    public static WebhookCase TooLarge { get; } = new(
        "too_large", 413, "too-large", "The event is too large", "Send the event alone, or raise TeleCmi__MaxEventBytes.");

    /// <summary>The app id is not in <c>TeleCmi__AppIds</c>.</summary>
    public static WebhookCase UnknownApp { get; } = new(
        "forbidden", 403, "unknown-app", "This app id is not served here", "Add the event's app_id to TeleCmi__AppIds, or correct the webhook's address in TeleCMI's portal.");

    /// <summary>A browser sends it on another site's behalf.</summary>
    public static WebhookCase ForeignSite { get; } = new(
        "refused", 403, "foreign-site", "Not from another site's page", "Send the event from a program, or set TeleCmi__AccessTokens and use the address with a token.");

    /// <summary>A wrong secret, or a wrong address: the same for both, so that it tells a stranger nothing.</summary>
    public static WebhookCase NotFound { get; } = new("refused", 404, "not-found", "Not found", "There is nothing at this address.");

    /// <summary>Neither POST nor GET.</summary>
    public static WebhookCase MethodNotAllowed { get; } = new(
        "refused", 405, "method-not-allowed", "Method not allowed", "Send the event by POST or GET.");

    /// <summary>Storage did not accept the event in time.</summary>
    public static WebhookCase Unavailable { get; } = new(
        "unavailable", 503, "storage-unavailable", "The event could not be stored", "Nothing was acknowledged: send the event again.", TimeSpan.FromSeconds(10));

    /// <summary>Every case.</summary>
    public static IReadOnlyList<WebhookCase> All { get; } =
    [
        Accepted, Ignored, Rejected, EmptyQuery, EmptyBody, ChunkedBody, BrokenBody, TooSlow, TooLarge, UnknownApp, ForeignSite, NotFound, MethodNotAllowed, Unavailable,
    ];

    /// <summary>The response to a request that this case is about, as problem+json.</summary>
    /// <param name="detail">What is wrong with this request, where more is known than <see cref="Detail"/> says; nothing of the input.</param>
    public WebhookResponse Respond(string? detail = null) => WebhookResponse.OfProblem(this, detail ?? Detail);
}

/// <summary>What the webhook responds; a host only has to copy it.</summary>
/// <param name="Case">The case of the contract.</param>
/// <param name="Body">JSON in UTF-8.</param>
/// <param name="Detail">What is wrong and how to fix it; null when the request succeeded.</param>
public sealed record WebhookResponse(WebhookCase Case, ReadOnlyMemory<byte> Body, string? Detail = null)
{
    // What is written here is our own text, so quotes in sentences can stay readable.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The HTTP status.</summary>
    public int Status => Case.Status;

    /// <summary>The media type of the body.</summary>
    public string ContentType => Case.Problem is null ? "application/json" : "application/problem+json";

    /// <summary>The Retry-After header's value in seconds, when there is one.</summary>
    public string? RetryAfterSeconds => Case.RetryAfter?.TotalSeconds.ToString("F0", CultureInfo.InvariantCulture);

    /// <summary>The queue has the event.</summary>
    /// <param name="id">The event's id: none of its characters needs an escape in JSON.</param>
    /// <param name="kind">The kind.</param>
    public static WebhookResponse Accepted(string id, EventKind kind) =>
        new(WebhookCase.Accepted, Encoding.ASCII.GetBytes($$"""{"status":"accepted","id":"{{id}}","kind":"{{kind.Name()}}"}"""));

    /// <summary>The queue has every event of a report.</summary>
    /// <param name="count">How many there are.</param>
    public static WebhookResponse AcceptedReport(int count) =>
        new(WebhookCase.Accepted, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"status":"accepted","count":{{count}}}""")));

    /// <summary>A readable notice of a kind that is not accepted here.</summary>
    public static WebhookResponse Ignored(EventKind kind) =>
        new(WebhookCase.Ignored, Encoding.ASCII.GetBytes($$"""{"status":"ignored","kind":"{{kind.Name()}}"}"""));

    internal static WebhookResponse OfProblem(WebhookCase problem, string detail)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(body, Readable))
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, $"urn:telecmi:problem:{problem.Problem}");
            writer.WriteString("title"u8, problem.Title);
            writer.WriteNumber("status"u8, problem.Status);
            writer.WriteString("detail"u8, detail);
            writer.WriteEndObject();
        }

        return new WebhookResponse(problem, body.WrittenMemory, detail);
    }
}

/// <summary>What <c>GET /api/telecmi/health</c> responds, without details: the app's state is nobody else's business.</summary>
public static class HealthResponse
{
    /// <summary>The HTTP status.</summary>
    public static int Status(bool isHealthy) => isHealthy ? 200 : 503;

    /// <summary>The body: JSON in UTF-8.</summary>
    public static ReadOnlyMemory<byte> Body(bool isHealthy) =>
        isHealthy ? "{\"status\":\"healthy\"}"u8.ToArray() : "{\"status\":\"unhealthy\"}"u8.ToArray();
}
