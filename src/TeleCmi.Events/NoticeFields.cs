using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace TeleCmi.Events;

/// <summary>The fields of a notice that the product itself reads; every other one is only passed on.</summary>
internal enum NoticeField
{
    None,
    CallId,
    Leg,
    Type,
    User,
    CmiUuid,
    Direction,
    CallerId,
    AppId,
    Time,
    Custom,
    RequestId,
    ExtraParams,
    Status,
    To,
    ConversationUuid,
    Team,
    From,
    ParentUid,
    VirtualNumber,
    AnsweredSeconds,
    WaitedSeconds,
    HangupReason,
    Record,
    FileName,
    Voicemail,

    /// <summary>Other spellings: they count where the documented one is absent.</summary>
    AppIdAlias,
    CmiUuidAlias,
}

/// <summary>Where each known field's value stands in the notice's bytes.</summary>
internal struct NoticeFields
{
    /// <summary>Names that stand for a documented one: they count where that one is absent.</summary>
    public static readonly (string Name, string Documented)[] OtherSpellings = [("appid", "app_id"), ("cmiuid", "cmiuuid")];

    private const int LongestName = 17; // conversation_uuid

    private Places _places;

    /// <summary>Whether the object is a notice, rather than any other JSON object.</summary>
    public readonly bool LookLikeTeleCmi =>
        Has(NoticeField.AppId) || Has(NoticeField.CmiUuid) || Has(NoticeField.ConversationUuid)
        || Has(NoticeField.RequestId) || Has(NoticeField.CallId)
        || (Has(NoticeField.Type) && Has(NoticeField.Direction) && Has(NoticeField.Status));

    /// <summary>Walks the whole JSON text once: checks it, and notes where the known fields are. A byte-order mark is cut off.</summary>
    public static bool TryFind(ref ReadOnlyMemory<byte> json, out NoticeFields fields, [NotNullWhen(false)] out string? fault)
    {
        fields = default;
        if (json.Span.StartsWith("\uFEFF"u8))
        {
            json = json["\uFEFF"u8.Length..];
        }

        if (!Utf8.IsValid(json.Span))
        {
            fault = "The text is not valid UTF-8.";
            return false;
        }

        var reader = new Utf8JsonReader(json.Span, new JsonReaderOptions { MaxDepth = Notice.MaxDepth });
        try
        {
            if (!reader.Read() || reader.TokenType is not JsonTokenType.StartObject)
            {
                fault = "A notice is a JSON object; this is another JSON value.";
                return false;
            }

            if (!fields.Walk(ref reader))
            {
                fault = "A text in the JSON holds an escape that is not valid Unicode (half of a surrogate pair).";
                return false;
            }
        }
        catch (JsonException e)
        {
            fault = e.LineNumber is { } line && e.BytePositionInLine is { } position
                ? string.Create(CultureInfo.InvariantCulture, $"The text is not valid JSON, or nests deeper than {Notice.MaxDepth} levels: line {line + 1}, byte {position + 1}.")
                : "The text is not valid JSON.";
            return false;
        }

        fields.TakeAlias(NoticeField.AppId, NoticeField.AppIdAlias);
        fields.TakeAlias(NoticeField.CmiUuid, NoticeField.CmiUuidAlias);
        fault = null;
        return true;
    }

    public readonly bool Has(NoticeField field) => _places[(int)field].Length > 0;

    public readonly ReadOnlySpan<byte> Token(ReadOnlySpan<byte> json, NoticeField field)
    {
        var place = _places[(int)field];
        return json.Slice(place.Start, place.Length);
    }

    private bool Walk(ref Utf8JsonReader reader)
    {
        var field = NoticeField.None;
        var valueStart = 0;
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.String
                && reader.ValueIsEscaped && !JsonText.IsWellFormed(ref reader))
            {
                return false;
            }

            if (reader.CurrentDepth > 1)
            {
                continue;
            }

            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    field = FieldOf(ref reader);
                    break;
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    valueStart = (int)reader.TokenStartIndex;
                    break;
                case JsonTokenType.EndObject when reader.CurrentDepth == 0:
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    Keep(field, valueStart, (int)reader.BytesConsumed);
                    break;
                case JsonTokenType.Null:
                case JsonTokenType.String when IsAbsent(field, ref reader):
                    Keep(field, 0, 0);
                    break;
                default:
                    Keep(field, (int)reader.TokenStartIndex, (int)reader.BytesConsumed);
                    break;
            }
        }

        return true;
    }

    private void Keep(NoticeField field, int start, int end)
    {
        if (field is not NoticeField.None)
        {
            _places[(int)field] = new Place(start, end - start);
        }
    }

    // The first byte tells almost every value that is there.
    private static bool IsAbsent(NoticeField field, ref Utf8JsonReader reader) =>
        reader.ValueSpan is not [not ((byte)' ' or (byte)'\\' or (byte)'n' or (byte)'N' or (byte)'u' or (byte)'U' or > 0x7F), ..]
        && FieldText.IsAbsent(field, reader.GetString()!);

    private void TakeAlias(NoticeField field, NoticeField alias)
    {
        if (_places[(int)field].Length == 0)
        {
            _places[(int)field] = _places[(int)alias];
        }
    }

    /// <summary>The field that the reader's property name stands for.</summary>
    public static NoticeField FieldOf(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            return FieldOf(reader.ValueSpan);
        }

        Span<byte> name = stackalloc byte[LongestName * 6];
        return reader.ValueSpan.Length <= name.Length ? FieldOf(name[..reader.CopyString(name)]) : NoticeField.None;
    }

    /// <summary>The field of that name.</summary>
    public static NoticeField FieldOf(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 when name.SequenceEqual("to"u8) => NoticeField.To,
        3 when name.SequenceEqual("leg"u8) => NoticeField.Leg,
        4 when name.SequenceEqual("type"u8) => NoticeField.Type,
        4 when name.SequenceEqual("user"u8) => NoticeField.User,
        4 when name.SequenceEqual("time"u8) => NoticeField.Time,
        4 when name.SequenceEqual("team"u8) => NoticeField.Team,
        4 when name.SequenceEqual("from"u8) => NoticeField.From,
        5 when name.SequenceEqual("appid"u8) => NoticeField.AppIdAlias,
        6 when name.SequenceEqual("app_id"u8) => NoticeField.AppId,
        6 when name.SequenceEqual("custom"u8) => NoticeField.Custom,
        6 when name.SequenceEqual("status"u8) => NoticeField.Status,
        6 when name.SequenceEqual("record"u8) => NoticeField.Record,
        6 when name.SequenceEqual("cmiuid"u8) => NoticeField.CmiUuidAlias,
        7 when name.SequenceEqual("cmiuuid"u8) => NoticeField.CmiUuid,
        7 when name.SequenceEqual("call_id"u8) => NoticeField.CallId,
        8 when name.SequenceEqual("callerid"u8) => NoticeField.CallerId,
        8 when name.SequenceEqual("filename"u8) => NoticeField.FileName,
        9 when name.SequenceEqual("direction"u8) => NoticeField.Direction,
        9 when name.SequenceEqual("waitedsec"u8) => NoticeField.WaitedSeconds,
        9 when name.SequenceEqual("voicemail"u8) => NoticeField.Voicemail,
        10 when name.SequenceEqual("request_id"u8) => NoticeField.RequestId,
        10 when name.SequenceEqual("parent_uid"u8) => NoticeField.ParentUid,
        11 when name.SequenceEqual("answeredsec"u8) => NoticeField.AnsweredSeconds,
        12 when name.SequenceEqual("extra_params"u8) => NoticeField.ExtraParams,
        13 when name.SequenceEqual("hangup_reason"u8) => NoticeField.HangupReason,
        14 when name.SequenceEqual("virtual_number"u8) => NoticeField.VirtualNumber,
        17 when name.SequenceEqual("conversation_uuid"u8) => NoticeField.ConversationUuid,
        _ => NoticeField.None,
    };

    /// <summary>The field of that name.</summary>
    public static NoticeField FieldOf(string name)
    {
        Span<byte> utf8 = stackalloc byte[LongestName];
        return Encoding.UTF8.TryGetBytes(name, utf8, out var length) ? FieldOf(utf8[..length]) : NoticeField.None;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Place(int Start, int Length);

    [InlineArray((int)NoticeField.CmiUuidAlias + 1)]
    private struct Places
    {
        private Place _first;
    }
}
