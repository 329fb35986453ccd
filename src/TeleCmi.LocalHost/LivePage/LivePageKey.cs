using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>
/// The live page's secret, a new one at each start. No header tells a local browser from a tunnel that adds none, so only
/// whoever can read what the receiver prints may see the page.
/// </summary>
public sealed class LivePageKey
{
    private const int Bytes = 24;

    /// <summary>The key: 192 random bits, safe in a URL. Scripts send it as <c>Authorization: Bearer</c>.</summary>
    public string Value { get; } = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes));

    /// <summary>The address to print: it opens the page in a browser, which keeps the key as a cookie.</summary>
    /// <param name="receiver">Where the receiver listens.</param>
    public Uri AddressOn(Uri receiver) => new(receiver, $"/?key={Value}");

    // Hashes have one length, so comparing them takes the same time whatever the text.
    internal bool Is(string? text) => CryptographicOperations.FixedTimeEquals(HashOf(text ?? ""), HashOf(Value));

    private static byte[] HashOf(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
