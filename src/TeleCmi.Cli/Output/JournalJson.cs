using System.Text;
using System.Text.Json;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Cli.Output;

/// <summary>A journal row as JSON.</summary>
internal static class JournalJson
{
    /// <summary>Writes one row.</summary>
    /// <param name="writer">Takes it.</param>
    /// <param name="record">The row.</param>
    /// <param name="inFull">With the event itself and with phone numbers; otherwise they are masked.</param>
    public static void Write(Utf8JsonWriter writer, JournalRecord record, bool inFull)
    {
        writer.WriteStartObject();
        foreach (var (name, value) in JournalColumns.Of(record))
        {
            switch (name)
            {
                case "handlers":
                    writer.WriteStartObject(name);
                    foreach (var (handler, state) in record.Handlers)
                    {
                        writer.WriteString(handler, state);
                    }

                    writer.WriteEndObject();
                    break;
                case "callerId" or "to" when !inFull && value is not null:
                    writer.WriteString(name, LogText.OfPhoneNumber(value));
                    break;
                default:
                    writer.WriteString(name, value);
                    break;
            }
        }

        if (inFull)
        {
            writer.WritePropertyName("event");
            WriteEvent(writer, record.Event);
        }

        writer.WriteEndObject();
    }

    /// <summary>One row in full, as one line.</summary>
    public static string LineOf(JournalRecord record)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(writer, record, inFull: true);
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void WriteEvent(Utf8JsonWriter writer, string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            document.RootElement.WriteTo(writer);
        }
        catch (JsonException)
        {
            writer.WriteStringValue(json);
        }
    }
}
