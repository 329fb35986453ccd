using System.Text.Json;

namespace TeleCmi.Events;

/// <summary>
/// A call report that came as one object, <c>{"count":n,"cdr":[{…}],"code":200}</c>: its records are notices of their own, shaped
/// like TeleCMI's detail records or like the records of its REST reports.
/// </summary>
public static class ReportEnvelope
{
    private static ReadOnlySpan<byte> ImpliedType => "\"type\":\"cdr\"}"u8;

    /// <summary>Reads the records of a report envelope: an object with an array <c>cdr</c> of objects, that is no notice itself.</summary>
    /// <param name="json">UTF-8 JSON; a byte-order mark is skipped. Not copied: it must stay unchanged.</param>
    /// <param name="records">
    /// The records in their order, for <see cref="Notice.TryRead"/>, which may refuse one. Each is a part of <paramref name="json"/>;
    /// only one without a <c>type</c> is a copy, with <c>cdr</c> as its type. Nothing else is added: a REST record says neither
    /// direction nor status nor app id, so its kind is <see cref="EventKind.Other"/>.
    /// </param>
    /// <returns>False when the text is no report envelope.</returns>
    public static bool TryRead(ReadOnlyMemory<byte> json, out IReadOnlyList<ReadOnlyMemory<byte>> records)
    {
        records = [];
        if (!NoticeFields.TryFind(ref json, out var fields, out _) || fields.LookLikeTeleCmi)
        {
            return false;
        }

        List<ReadOnlyMemory<byte>>? found = null;
        var reader = new Utf8JsonReader(json.Span);
        reader.Read();
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var isCdr = reader.ValueTextEquals("cdr"u8);
            reader.Read();
            if (isCdr)
            {
                found = RecordsOf(json, ref reader);
            }

            reader.Skip();
        }

        records = found ?? [];
        return found is not null;
    }

    // Null when the value is another one than an array of objects.
    private static List<ReadOnlyMemory<byte>>? RecordsOf(ReadOnlyMemory<byte> json, ref Utf8JsonReader reader)
    {
        if (reader.TokenType is not JsonTokenType.StartArray)
        {
            return null;
        }

        List<ReadOnlyMemory<byte>>? records = [];
        while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray)
        {
            var isObject = reader.TokenType is JsonTokenType.StartObject;
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (isObject)
            {
                records?.Add(WithType(json[start..(int)reader.BytesConsumed]));
            }
            else
            {
                records = null;
            }
        }

        return records;
    }

    private static ReadOnlyMemory<byte> WithType(ReadOnlyMemory<byte> record)
    {
        if (!NoticeFields.TryFind(ref record, out var fields, out _) || fields.Has(NoticeField.Type))
        {
            return record;
        }

        // Of a repeated field the last one counts.
        var open = record.Span[..^1];
        ReadOnlySpan<byte> separator = open[1..].Trim(" \t\r\n"u8).IsEmpty ? default : ","u8;
        return (byte[])[.. open, .. separator, .. ImpliedType];
    }
}
