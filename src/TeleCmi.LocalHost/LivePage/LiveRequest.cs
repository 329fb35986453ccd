using TeleCmi.Events;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>What the page shows of a request: the host knows it, and finds it again as the pipeline's tag.</summary>
internal sealed class LiveRequest
{
    private const int LongestHeader = 512;

    // What helps to see who calls and through what; nothing that could carry a secret.
    private static readonly string[] ShownHeaders =
    [
        "Accept", "Content-Encoding", "Content-Length", "Content-Type", "Host", "Traceparent", "Transfer-Encoding",
        "User-Agent", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id",
    ];

    public required string Method { get; init; }

    /// <summary>The address without its secret.</summary>
    public required string Path { get; init; }

    /// <summary>Whether the event is in the query and not in the body.</summary>
    public required bool IsQuery { get; init; }

    public required string? ContentType { get; init; }

    public required IReadOnlyList<HeaderView> Headers { get; init; }

    /// <summary>Whether a person sent it from the page.</summary>
    public bool IsFromPage { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    public required long Started { get; init; }

    /// <summary>The body or the query's fields, once they have been read.</summary>
    public ReadOnlyMemory<byte>? Content { get; set; }

    /// <summary>What could be made of it.</summary>
    public Notice? Notice { get; set; }

    public string? Fault { get; set; }

    /// <summary>The line that shows it, once there is one.</summary>
    public Journey? Journey { get; set; }

    public static LiveRequest Of(HttpContext context, bool hasToken, TimeProvider clock)
    {
        var request = context.Request;
        return new LiveRequest
        {
            Method = HttpMethods.IsPost(request.Method) ? "POST" : HttpMethods.IsGet(request.Method) ? "GET" : LogText.Of(request.Method),
            Path = hasToken ? "/api/telecmi/\u2026/events" : WebhookEndpoints.EventsPath,
            IsQuery = !HttpMethods.IsPost(request.Method) || (request.ContentLength is null or 0 && request.Headers.TransferEncoding.Count == 0),
            ContentType = request.ContentType,
            Headers = Shown(request.Headers),
            ReceivedAt = clock.GetUtcNow(),
            Started = clock.GetTimestamp(),
        };
    }

    private static List<HeaderView> Shown(IHeaderDictionary headers)
    {
        var shown = new List<HeaderView>();
        foreach (var name in ShownHeaders)
        {
            if (headers.TryGetValue(name, out var value))
            {
                shown.Add(new HeaderView(name, Short(value.ToString())));
            }
        }

        return shown;
    }

    private static string Short(string value) => value.Length <= LongestHeader ? value : value[..LongestHeader];
}
