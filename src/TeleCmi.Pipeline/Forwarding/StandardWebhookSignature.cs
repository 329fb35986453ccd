using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// Signs a forwarded event by the Standard Webhooks specification 1.0.0
/// (https://github.com/standard-webhooks/standard-webhooks): HMAC-SHA256 over <c>id.timestamp.body</c>, one
/// <c>v1,</c> entry per secret.
/// </summary>
public static class StandardWebhookSignature
{
    /// <summary>The header with the event's id, the same for every attempt.</summary>
    public const string IdHeader = "webhook-id";

    /// <summary>The header with the attempt's time, in seconds since 1970.</summary>
    public const string TimestampHeader = "webhook-timestamp";

    /// <summary>The header with the signatures.</summary>
    public const string SignatureHeader = "webhook-signature";

    /// <summary>
    /// The id as it stands in the header. The full stop separates what is signed, so the specification allows none in
    /// an id that comes from outside; here one becomes <c>%2E</c>, as the id's other unusual characters are percent-encoded already.
    /// </summary>
    public static string HeaderId(string eventId) => eventId.Replace(".", "%2E", StringComparison.Ordinal);

    /// <summary>The value of <see cref="SignatureHeader"/>.</summary>
    /// <param name="headerId">The value of <see cref="IdHeader"/>.</param>
    /// <param name="timestamp">When the attempt is made.</param>
    /// <param name="body">The body, byte for byte as it is sent.</param>
    /// <param name="secrets">The secrets, each of which gives one signature.</param>
    public static string Sign(string headerId, DateTimeOffset timestamp, ReadOnlySpan<byte> body, IEnumerable<WebhookSecret> secrets)
    {
        var signatures = new StringBuilder();
        var head = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{headerId}.{timestamp.ToUnixTimeSeconds()}."));
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        foreach (var secret in secrets)
        {
            using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret.Key);
            hash.AppendData(head);
            hash.AppendData(body);
            hash.GetHashAndReset(mac);
            signatures.Append(signatures.Length > 0 ? " " : "").Append("v1,").Append(Convert.ToBase64String(mac));
        }

        return signatures.ToString();
    }
}
