namespace TeleCmi.Pipeline.Receiving;

/// <summary>A request to the webhook, as any web host can give it.</summary>
/// <param name="IsPost">POST; otherwise GET.</param>
/// <param name="Query">The query string as it came, with or without its question mark.</param>
/// <param name="Body">The body; read no further than the limit allows.</param>
/// <param name="ContentType">The Content-Type, if any.</param>
/// <param name="ContentLength">The length that the sender claims, if any.</param>
/// <param name="HasTransferEncoding">Whether the sender claims a body of unknown length.</param>
public sealed record WebhookRequest(
    bool IsPost, string Query, Stream Body, string? ContentType, long? ContentLength, bool HasTransferEncoding)
{
    /// <summary>Whatever the host wants to find again when an observer is told of this request.</summary>
    public object? Tag { get; init; }
}
