using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using TeleCmi.Events;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// An event, or a call, that waits for an attempt at a destination. The envelope in it is kept byte for byte, so that every
/// attempt sends, and signs, the same body.
/// </summary>
internal sealed record ForwardMessage
{
    // Without the attempts.
    private const int Overhead = 512;

    /// <summary>Where to.</summary>
    public required string Destination { get; init; }

    /// <summary>Which attempt this is; the first is 1.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>How often it was put back without an attempt since the last one.</summary>
    public int Deferrals { get; init; }

    /// <summary>The attempts so far, so that noting one needs no reading.</summary>
    public IReadOnlyList<DeliveryAttempt> Attempts { get; init; } = [];

    /// <summary>Whether it came from the queue: it is then among the deliveries that wait.</summary>
    public bool IsFromQueue { get; init; }

    /// <summary>When the queue first got it.</summary>
    public required DateTimeOffset QueuedAt { get; init; }

    /// <summary>Names a check of the call of <see cref="Event"/>, among all checks; null: the event itself is meant, or the message is a replay.</summary>
    public string? Check { get; init; }

    /// <summary>Whether a backfill sends it; a header says so.</summary>
    public bool IsBackfill { get; init; }

    /// <summary>
    /// Of an event that a backfill queued: only while the delivery that waits has the same ticket does the message count. So a backfill that broke off
    /// between table and queue can queue the event again, and it is sent once.
    /// </summary>
    public string? Ticket { get; init; }

    /// <summary>The event.</summary>
    public required EnvelopedEvent Event { get; init; }

    /// <summary>Writes the message: UTF-8 JSON, which with the largest envelope and all attempts stays below the queue's 48 KiB.</summary>
    public ReadOnlyMemory<byte> ToUtf8()
    {
        var output = new ArrayBufferWriter<byte>(Event.Envelope.Length + Overhead);
        using var writer = new Utf8JsonWriter(output);
        writer.WriteStartObject();
        writer.WriteString("destination"u8, Destination);
        writer.WriteNumber("attempt"u8, Attempt);
        writer.WriteNumber("deferrals"u8, Deferrals);
        writer.WriteString("queuedAt"u8, QueuedAt.UtcDateTime);
        if (Attempts.Count > 0)
        {
            writer.WritePropertyName("attempts"u8);
            writer.WriteRawValue(Delivery.Write(Attempts), skipInputValidation: true);
        }

        if (Check is not null)
        {
            writer.WriteString("check"u8, Check);
        }

        if (IsBackfill)
        {
            writer.WriteBoolean("backfill"u8, true);
        }

        if (Ticket is not null)
        {
            writer.WriteString("ticket"u8, Ticket);
        }

        writer.WritePropertyName("envelope"u8);
        writer.WriteRawValue(Event.Envelope.Span, skipInputValidation: true);
        writer.WriteEndObject();
        writer.Flush();
        return output.WrittenMemory;
    }

    public static bool TryRead(ReadOnlyMemory<byte> json, [NotNullWhen(true)] out ForwardMessage? message, [NotNullWhen(false)] out string? fault)
    {
        message = null;
        Parts parts;
        try
        {
            parts = Parts.Find(json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            fault = "The message is not a forward that this app put into the queue.";
            return false;
        }

        if (parts.Destination is not { Length: > 0 } destination || parts.Attempt < 1 || parts.Deferrals < 0 || parts.Envelope.IsEmpty
            || !DateTimeOffset.TryParse(parts.QueuedAt, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var queuedAt))
        {
            fault = "The message is not a forward of this app: destination, attempt, queuedAt or envelope is missing or wrong.";
            return false;
        }

        if (!EventEnvelope.TryReadAny(parts.Envelope, out var enveloped, out fault))
        {
            return false;
        }

        message = new ForwardMessage
        {
            Destination = destination,
            Attempt = parts.Attempt,
            Deferrals = parts.Deferrals,
            QueuedAt = queuedAt,
            Attempts = parts.Attempts ?? [],
            IsFromQueue = true,
            Check = parts.Check,
            IsBackfill = parts.IsBackfill,
            Ticket = parts.Ticket,
            Event = enveloped,
        };
        return true;
    }

    private ref struct Parts
    {
        public string? Destination;
        public int Attempt;
        public int Deferrals;
        public string? QueuedAt;
        public IReadOnlyList<DeliveryAttempt>? Attempts;
        public string? Check;
        public bool IsBackfill;
        public string? Ticket;
        public ReadOnlyMemory<byte> Envelope;

        public static Parts Find(ReadOnlyMemory<byte> json)
        {
            var parts = default(Parts);
            var reader = new Utf8JsonReader(json.Span);
            reader.Read();
            if (reader.TokenType is not JsonTokenType.StartObject)
            {
                throw new JsonException();
            }

            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                var name = reader.GetString();
                reader.Read();
                switch (name)
                {
                    case "destination":
                        parts.Destination = reader.GetString();
                        break;
                    case "attempt":
                        parts.Attempt = reader.GetInt32();
                        break;
                    case "deferrals":
                        parts.Deferrals = reader.GetInt32();
                        break;
                    case "queuedAt":
                        parts.QueuedAt = reader.GetString();
                        break;
                    case "attempts":
                        parts.Attempts = JsonSerializer.Deserialize(ref reader, DeliveryJson.Default.DeliveryAttemptArray);
                        break;
                    case "check":
                        parts.Check = reader.GetString();
                        break;
                    case "backfill":
                        parts.IsBackfill = reader.GetBoolean();
                        break;
                    case "ticket":
                        parts.Ticket = reader.GetString();
                        break;
                    case "envelope":
                        var start = (int)reader.TokenStartIndex;
                        reader.Skip();
                        parts.Envelope = json[start..(int)reader.BytesConsumed];
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }

            return parts;
        }
    }
}
