namespace TeleCmi.LocalHost.LivePage;

/// <summary>What the page shows of a request. Changed and read under the hub's lock only.</summary>
internal sealed class LiveRequest
{
    private const int LongestHeader = 512;

    // What helps to see who sends and through what; nothing that could carry a secret.
    private static readonly string[] ShownHeaders =
    [
        "Accept", "Content-Encoding", "Content-Length", "Content-Type", "Host", "Traceparent", "Transfer-Encoding",
        "User-Agent", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id",
    ];

    /// <summary>POST or GET; null for any other, which is a stranger's text.</summary>
    public required string? Method { get; init; }

    /// <summary>The address without its secret.</summary>
    public required string Path { get; init; }

    /// <summary>Whether the event is in the query and not in the body.</summary>
    public required bool IsQuery { get; init; }

    public required string? ContentType { get; init; }

    public IReadOnlyList<FieldView> Headers { get; init; } = [];

    /// <summary>Whether a person sent it from the page.</summary>
    public bool IsFromPage { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    public required long Started { get; init; }

    /// <summary>The body or the query's fields, once they have been read.</summary>
    public byte[]? Content { get; set; }

    /// <summary>The JSON that it is, or that its fields make.</summary>
    public byte[]? Json { get; set; }

    /// <summary>The events that it brought.</summary>
    public List<Journey> Journeys { get; } = [];

    public static LiveRequest Of(HttpContext context, bool hasToken, TimeProvider clock)
    {
        var request = context.Request;
        return new LiveRequest
        {
            Method = HttpMethods.IsPost(request.Method) ? "POST" : HttpMethods.IsGet(request.Method) ? "GET" : null,
            Path = hasToken ? "/api/telecmi/\u2026/events" : WebhookHandler.EventsPath,
            IsQuery = !HttpMethods.IsPost(request.Method) || (request.ContentLength is null or 0 && request.Headers.TransferEncoding.Count == 0),
            ContentType = request.ContentType,
            Headers = [.. ShownHeaders.Where(request.Headers.ContainsKey).Select(name => new FieldView(name, Short(request.Headers[name].ToString())))],
            ReceivedAt = clock.GetUtcNow(),
            Started = clock.GetTimestamp(),
        };
    }

    private static string Short(string value) => value.Length <= LongestHeader ? value : value[..LongestHeader];
}
