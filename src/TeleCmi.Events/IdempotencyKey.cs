using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace TeleCmi.Events;

/// <summary>
/// The identity of a notice: application, type, leg id, leg and status, joined with colons. The sender's <c>time</c> is
/// left out, because it is not proven to be stable; <c>cmiuuid</c> alone would merge a leg's statuses and
/// <c>conversation_uuid</c> would merge the two legs.
/// </summary>
/// <remarks>
/// Ids come from outside, so each part is percent-encoded (all but A-Z a-z 0-9 - . _), and one that is longer than
/// <see cref="MaxPartLength"/> is replaced by <c>~</c> and its SHA-256; <c>-</c> alone stands for a part that is absent.
/// So the key can stand in a header, a log line, a web page or a table key, and two different identities never share one.
/// </remarks>
public static class IdempotencyKey
{
    /// <summary>The longest a part can be, in characters.</summary>
    public const int MaxPartLength = 80;

    /// <summary>The longest a key can be, in characters.</summary>
    public const int MaxLength = (Parts * MaxPartLength) + Parts - 1;

    private const int Parts = 5;

    private static readonly SearchValues<byte> Plain =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._"u8);

    private static readonly SearchValues<char> KeyCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:%");

    /// <summary>Writes a text from outside as one part of a key.</summary>
    public static string EncodePart(string text)
    {
        Span<byte> encoded = stackalloc byte[MaxPartLength];
        return Encoding.ASCII.GetString(encoded[..Encode(Encoding.UTF8.GetBytes(text), encoded)]);
    }

    /// <summary>Whether a text could be a key: short enough, and of no other characters.</summary>
    internal static bool IsPlausible(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= MaxLength && !text.ContainsAnyExcept(KeyCharacters);

    internal static string Of(Notice notice)
    {
        Span<byte> key = stackalloc byte[MaxLength];
        var length = Append(notice, NoticeField.AppId, key);
        key[length++] = (byte)':';
        length += Append(notice, NoticeField.Type, key[length..]);
        key[length++] = (byte)':';
        length += AppendLegId(notice, key[length..]);
        key[length++] = (byte)':';
        length += Append(notice, NoticeField.Leg, key[length..]);
        key[length++] = (byte)':';
        length += Append(notice, NoticeField.Status, key[length..]);
        return Encoding.ASCII.GetString(key[..length]);
    }

    private static int AppendLegId(Notice notice, Span<byte> destination)
    {
        ReadOnlySpan<NoticeField> candidates =
            [NoticeField.CmiUuid, NoticeField.ConversationUuid, NoticeField.RequestId, NoticeField.CallId];
        foreach (var field in candidates)
        {
            if (notice.Has(field))
            {
                return Append(notice, field, destination);
            }
        }

        return Encoding.ASCII.GetBytes(notice.ContentHash, destination);
    }

    private static int Append(Notice notice, NoticeField field, Span<byte> destination)
    {
        var token = notice.Token(field);
        if (token.IsEmpty)
        {
            destination[0] = (byte)'-';
            return 1;
        }

        var quoted = token[0] is (byte)'"';
        var text = quoted ? token[1..^1] : token;
        if (text.Length <= MaxPartLength && text is not [(byte)'-'] && !text.ContainsAnyExcept(Plain))
        {
            text.CopyTo(destination);
            return text.Length;
        }

        return Encode(quoted && text.Contains((byte)'\\') ? Encoding.UTF8.GetBytes(notice.Text(field)!) : text, destination);
    }

    private static int Encode(ReadOnlySpan<byte> text, Span<byte> destination)
    {
        if (text is [(byte)'-'])
        {
            "%2D"u8.CopyTo(destination);
            return 3;
        }

        var length = 0;
        foreach (var value in text)
        {
            var plain = Plain.Contains(value);
            if (length + (plain ? 1 : 3) > MaxPartLength)
            {
                return Hash(text, destination);
            }

            if (plain)
            {
                destination[length++] = value;
            }
            else
            {
                destination[length++] = (byte)'%';
                destination[length++] = (byte)HexDigit(value >> 4);
                destination[length++] = (byte)HexDigit(value & 0xF);
            }
        }

        return length;
    }

    private static char HexDigit(int value) => "0123456789ABCDEF"[value];

    private static int Hash(ReadOnlySpan<byte> text, Span<byte> destination)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text, hash);
        destination[0] = (byte)'~';
        return 1 + Base64Url.EncodeToUtf8(hash, destination[1..]);
    }
}
