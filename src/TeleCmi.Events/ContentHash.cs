using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace TeleCmi.Events;

/// <summary>
/// A hash of what a notice says, however it says it: fields in any order, numbers or booleans as text, the other
/// spelling of a name or of TeleCMI's own words, seconds or milliseconds, JSON in a string or as an object give the same hash.
/// </summary>
internal static class ContentHash
{
    public static string Of(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = Notice.MaxDepth });
        var canonical = new ArrayBufferWriter<byte>(json.Length + 256);
        using (var writer = new Utf8JsonWriter(canonical, new JsonWriterOptions { SkipValidation = true }))
        {
            WriteNotice(writer, document.RootElement);
        }

        return Convert.ToHexStringLower(SHA256.HashData(canonical.WrittenSpan));
    }

    private static void WriteNotice(Utf8JsonWriter writer, JsonElement notice)
    {
        var fields = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var property in notice.EnumerateObject())
        {
            fields[property.Name] = property.Value;
        }

        TakeOtherSpellings(fields);
        writer.WriteStartObject();
        foreach (var (name, value) in fields)
        {
            var field = NoticeFields.FieldOf(name);
            var text = TextOf(value);
            if (IsAbsent(field, value, text))
            {
                continue;
            }

            writer.WritePropertyName(name);
            switch (field)
            {
                case NoticeField.Custom or NoticeField.ExtraParams when value.ValueKind is JsonValueKind.String:
                    WriteJsonText(writer, text!);
                    break;
                case NoticeField.Time:
                    WriteTime(writer, text ?? value.GetRawText());
                    break;
                default:
                    if (text is null)
                    {
                        WriteValue(writer, value);
                    }
                    else
                    {
                        writer.WriteStringValue(FieldText.IsWord(field) ? FieldText.Fold(text) : text);
                    }

                    break;
            }
        }

        writer.WriteEndObject();
    }

    // As the reader does it: the other spelling counts where the documented one is absent. Where both are present it is
    // content of its own.
    private static void TakeOtherSpellings(SortedDictionary<string, JsonElement> fields)
    {
        foreach (var (name, documented) in NoticeFields.OtherSpellings)
        {
            if (fields.TryGetValue(name, out var value)
                && (!fields.TryGetValue(documented, out var present) || IsAbsent(NoticeFields.FieldOf(documented), present, TextOf(present))))
            {
                fields[documented] = value;
                fields.Remove(name);
            }
        }
    }

    // A query cannot say null, so an empty field and a missing one are the same.
    private static bool IsAbsent(NoticeField field, JsonElement value, string? text) =>
        text is null ? value.ValueKind is JsonValueKind.Null : FieldText.IsAbsent(field, text);

    private static void WriteJsonText(Utf8JsonWriter writer, string text)
    {
        if (JsonText.TryParse(text, out var json))
        {
            WriteValue(writer, json.Value);
            return;
        }

        writer.WriteStringValue(text);
    }

    private static void WriteTime(Utf8JsonWriter writer, string text) => writer.WriteStringValue(
        Notice.TryReadTime(text, out var time) ? time.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture) : text);

    private static void WriteValue(Utf8JsonWriter writer, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                var properties = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
                foreach (var property in value.EnumerateObject())
                {
                    properties[property.Name] = property.Value;
                }

                writer.WriteStartObject();
                foreach (var (name, inner) in properties)
                {
                    writer.WritePropertyName(name);
                    WriteValue(writer, inner);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    WriteValue(writer, item);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.Null:
                writer.WriteNullValue();
                break;
            default:
                writer.WriteStringValue(TextOf(value));
                break;
        }
    }

    private static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => null,
    };
}
