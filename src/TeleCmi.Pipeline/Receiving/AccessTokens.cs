using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace TeleCmi.Pipeline.Receiving;

/// <summary>The secrets that open the webhook's second address. Without any, it is closed.</summary>
public sealed class AccessTokens(IOptions<TeleCmiOptions> options)
{
    // Hashes have one length, so comparing them takes the same time whatever the token.
    private readonly byte[][] _hashes =
        [.. options.Value.AccessTokens.Select(token => SHA256.HashData(Encoding.UTF8.GetBytes(token)))];

    /// <summary>Whether there is any token.</summary>
    public bool Any => _hashes.Length > 0;

    /// <summary>Compares a token with every one that is valid, in fixed time.</summary>
    public bool IsValid(string? token)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(token ?? ""), hash);
        var valid = false;
        foreach (var known in _hashes)
        {
            valid |= CryptographicOperations.FixedTimeEquals(known, hash);
        }

        return valid;
    }
}
