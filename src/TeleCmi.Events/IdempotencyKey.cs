using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace TeleCmi.Events;

/// <summary>
/// The identity of a notice: application, type, leg id, leg and status, joined with colons. The sender's <c>time</c> is
/// left out, because nothing says that it is stable; <c>cmiuuid</c> alone would merge a leg's statuses and
/// <c>conversation_uuid</c> would merge the two legs.
/// </summary>
/// <remarks>
/// <para>The leg id is <c>cmiuuid</c>. Where it is absent it is <c>conversation~</c>, <c>request~</c> or <c>call~</c> and that field's id,
/// or <c>body~</c> and the content's hash, so that different fields never meet. The other parts are in one spelling, as
/// <see cref="Notice"/> gives them; <c>-</c> alone stands for one that is absent.</para>
/// <para>Ids come from outside, so each is percent-encoded (all but A-Z a-z 0-9 - . _), and one that would make its part longer than
/// <see cref="MaxPartLength"/> is replaced by <c>~</c> and its SHA-256. So the key can stand in a header, a log line, a web page or a
/// table key, and two different identities never share one.</para>
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

    private static readonly SearchValues<byte> PlainLower = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_"u8);

    private static readonly SearchValues<char> KeyCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:%");

    /// <summary>Writes a text from outside as one part of a key.</summary>
    public static string EncodePart(string text)
    {
        Span<byte> encoded = stackalloc byte[MaxPartLength];
        return Encoding.ASCII.GetString(encoded[..Encode(Encoding.UTF8.GetBytes(text), encoded, MaxPartLength)]);
    }

    /// <summary>Whether a text could be a key: short enough, and of no other characters.</summary>
    internal static bool IsPlausible(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= MaxLength && !text.ContainsAnyExcept(KeyCharacters);

    internal static string Of(Notice notice)
    {
        Span<byte> key = stackalloc byte[MaxLength];
        var length = AppendWord(notice, NoticeField.AppId, key);
        key[length++] = (byte)':';
        length += AppendWord(notice, NoticeField.Type, key[length..]);
        key[length++] = (byte)':';
        length += AppendLegId(notice, key[length..]);
        key[length++] = (byte)':';
        length += AppendWord(notice, NoticeField.Leg, key[length..]);
        key[length++] = (byte)':';
        length += AppendWord(notice, NoticeField.Status, key[length..]);
        return Encoding.ASCII.GetString(key[..length]);
    }

    internal static string? OfConversation(Notice notice)
    {
        var hasConversation = notice.Has(NoticeField.ConversationUuid);
        if (!hasConversation && !notice.Has(NoticeField.RequestId))
        {
            return null;
        }

        Span<byte> key = stackalloc byte[(2 * MaxPartLength) + 1];
        var length = AppendWord(notice, NoticeField.AppId, key);
        key[length++] = (byte)':';
        length += hasConversation
            ? AppendId(notice, NoticeField.ConversationUuid, default, key[length..])
            : AppendId(notice, NoticeField.RequestId, "request~"u8, key[length..]);
        return Encoding.ASCII.GetString(key[..length]);
    }

    private static int AppendLegId(Notice notice, Span<byte> destination)
    {
        if (notice.Has(NoticeField.CmiUuid))
        {
            return AppendId(notice, NoticeField.CmiUuid, default, destination);
        }

        // No other part has a tilde behind its first character.
        return notice.Has(NoticeField.ConversationUuid) ? AppendId(notice, NoticeField.ConversationUuid, "conversation~"u8, destination)
            : notice.Has(NoticeField.RequestId) ? AppendId(notice, NoticeField.RequestId, "request~"u8, destination)
            : notice.Has(NoticeField.CallId) ? AppendId(notice, NoticeField.CallId, "call~"u8, destination)
            : Encoding.ASCII.GetBytes($"body~{notice.ContentHash}", destination);
    }

    private static int AppendId(Notice notice, NoticeField field, ReadOnlySpan<byte> prefix, Span<byte> destination)
    {
        prefix.CopyTo(destination);
        var text = notice.RawText(field);
        return prefix.Length + Encode(
            text.Contains((byte)'\\') ? Encoding.UTF8.GetBytes(notice.Text(field)!) : text, destination[prefix.Length..], MaxPartLength - prefix.Length);
    }

    private static int AppendWord(Notice notice, NoticeField field, Span<byte> destination)
    {
        // Almost every word is in its one spelling already, and needs no string.
        var text = notice.RawText(field);
        return text.IsEmpty ? Absent(destination)
            : Encode(IsFolded(text) ? text : Encoding.UTF8.GetBytes(notice.Word(field)!), destination, MaxPartLength);
    }

    private static bool IsFolded(ReadOnlySpan<byte> text) => text[0] is >= (byte)'a' and <= (byte)'z'
        ? !text.ContainsAnyExcept(PlainLower)
        : !text.ContainsAnyExceptInRange((byte)'0', (byte)'9');

    private static int Absent(Span<byte> destination)
    {
        destination[0] = (byte)'-';
        return 1;
    }

    private static int Encode(ReadOnlySpan<byte> text, Span<byte> destination, int maxLength)
    {
        if (text.Length <= maxLength && text is not [(byte)'-'] && !text.ContainsAnyExcept(Plain))
        {
            text.CopyTo(destination);
            return text.Length;
        }

        if (text is [(byte)'-'])
        {
            "%2D"u8.CopyTo(destination);
            return 3;
        }

        var length = 0;
        foreach (var value in text)
        {
            var plain = Plain.Contains(value);
            if (length + (plain ? 1 : 3) > maxLength)
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
