using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace TeleCmi.Events;

/// <summary>
/// A notice as name/value fields (a query string or a form body) and back. What came as fields is written as the JSON that
/// the same notice has by POST, with the documented types, so that one reader serves both.
/// </summary>
public static class NoticeForm
{
    private static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <summary>Writes the fields as one JSON object.</summary>
    /// <param name="encoded">URL-encoded fields, with or without the question mark before them.</param>
    /// <param name="output">Takes the UTF-8 JSON.</param>
    /// <returns>How many fields there were; -1 when a name or a value is not UTF-8; the output is then useless.</returns>
    public static int WriteJson(ReadOnlySpan<byte> encoded, IBufferWriter<byte> output)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(encoded.Length + 1);
        try
        {
            using var writer = new Utf8JsonWriter(output, WriterOptions);
            writer.WriteStartObject();
            var count = 0;
            foreach (var (name, value) in new UrlEncodedFields(encoded))
            {
                var nameLength = UrlEncodedFields.Decode(name, buffer);
                var decodedName = buffer.AsSpan(0, nameLength);
                var rest = buffer.AsSpan(nameLength);
                var decodedValue = rest[..UrlEncodedFields.Decode(value, rest)];
                if (!Utf8.IsValid(decodedName) || !Utf8.IsValid(decodedValue))
                {
                    return -1;
                }

                writer.WritePropertyName(decodedName);
                WriteValue(writer, decodedName, decodedValue);
                count++;
            }

            writer.WriteEndObject();
            return count;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Writes a notice as the fields of a query or a form: numbers and booleans as in JSON, objects and arrays as their JSON text.</summary>
    /// <param name="json">One JSON object in UTF-8.</param>
    /// <returns>URL-encoded fields, without a question mark; a null is an empty value.</returns>
    /// <exception cref="JsonException">The text is not JSON.</exception>
    /// <exception cref="InvalidOperationException">It is another JSON value, or a text in it is not valid Unicode.</exception>
    public static string ToQuery(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        return string.Join('&', document.RootElement.EnumerateObject().Select(field =>
            $"{Uri.EscapeDataString(field.Name)}={Uri.EscapeDataString(TextOf(field.Value))}"));
    }

    private static string TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null => "",
        _ => value.GetRawText(),
    };

    private static void WriteValue(Utf8JsonWriter writer, ReadOnlySpan<byte> name, Span<byte> value)
    {
        // As the documentation types the fields of events and detail records.
        switch (NoticeFields.FieldOf(name))
        {
            case NoticeField.AppId or NoticeField.AppIdAlias or NoticeField.Time or NoticeField.AnsweredSeconds or NoticeField.WaitedSeconds
                when IsPlainNumber(value):
            case NoticeField.Record or NoticeField.Voicemail when value.SequenceEqual("true"u8) || value.SequenceEqual("false"u8):
                writer.WriteRawValue(value, skipInputValidation: true);
                return;
        }

        // A plus sign that the sender did not escape arrives as a space.
        if (value is [(byte)' ', >= (byte)'0' and <= (byte)'9', ..] && IsPhoneNumber(name))
        {
            value[0] = (byte)'+';
        }

        writer.WriteStringValue(value);
    }

    private static bool IsPhoneNumber(ReadOnlySpan<byte> name)
    {
        foreach (var field in Notice.PhoneNumberFields)
        {
            if (Ascii.Equals(name, field))
            {
                return true;
            }
        }

        return false;
    }

    // Only what reads back as the very same text, and fits a double, may become a number.
    private static bool IsPlainNumber(ReadOnlySpan<byte> value) =>
        value.Length is > 0 and <= 15
        && !value.ContainsAnyExceptInRange((byte)'0', (byte)'9')
        && (value[0] is not (byte)'0' || value.Length == 1);
}
