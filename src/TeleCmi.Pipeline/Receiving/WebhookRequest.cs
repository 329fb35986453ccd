namespace TeleCmi.Pipeline.Receiving;

/// <summary>A request to the webhook, as any web host can give it.</summary>
/// <param name="IsPost">POST; otherwise GET.</param>
/// <param name="Query">The query string as it came, with or without its question mark.</param>
/// <param name="Body">The body; read no further than the limit allows.</param>
/// <param name="ContentType">The Content-Type, if any.</param>
/// <param name="ContentLength">The length that the sender claims, if any.</param>
/// <param name="HasTransferEncoding">Whether the sender claims a body of unknown length.</param>
/// <param name="Id">What pipeline events call this request; for a host that listens to them.</param>
public sealed record WebhookRequest(
    bool IsPost, string Query, Stream Body, string? ContentType, long? ContentLength, bool HasTransferEncoding, RequestId Id = default);

/// <summary>Tells the requests of one process apart.</summary>
/// <param name="Number">Given by the host; 0: none.</param>
public readonly record struct RequestId(long Number);
