using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// A signing secret as the Standard Webhooks specification writes it: <c>whsec_</c> and 24 to 64 random bytes in Base64
/// (https://github.com/standard-webhooks/standard-webhooks, "Signature scheme").
/// </summary>
public sealed class WebhookSecret
{
    /// <summary>What stands before the Base64.</summary>
    public const string Prefix = "whsec_";

    /// <summary>The fewest bytes.</summary>
    public const int ShortestKey = 24;

    /// <summary>The most bytes.</summary>
    public const int LongestKey = 64;

    private const int NewKey = 32;

    private readonly byte[] _key;

    private WebhookSecret(byte[] key) => _key = key;

    internal ReadOnlySpan<byte> Key => _key;

    /// <summary>Reads a secret.</summary>
    /// <returns>False when it is not one.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out WebhookSecret? secret)
    {
        secret = null;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return false;
        }

        Span<byte> key = stackalloc byte[LongestKey + 3];
        if (!Convert.TryFromBase64String(text[Prefix.Length..], key, out var length) || length is < ShortestKey or > LongestKey)
        {
            return false;
        }

        secret = new WebhookSecret(key[..length].ToArray());
        return true;
    }

    /// <summary>Makes a new secret, as text.</summary>
    public static string Generate() => Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(NewKey));

    /// <summary>Never the secret itself.</summary>
    public override string ToString() => $"{Prefix}…";
}
