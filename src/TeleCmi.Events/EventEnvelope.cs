using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace TeleCmi.Events;

/// <summary>
/// The CloudEvents 1.0 object (JSON format) that carries a notice through the queue, the journal, dead letters and
/// forwarding. Its <c>data</c> is the notice's own bytes.
/// </summary>
public static class EventEnvelope
{
    /// <summary>What stands before the kind's name in <c>type</c>.</summary>
    public const string TypePrefix = "com.telecmi.";

    /// <summary>The most that an envelope adds to the notice it carries, in bytes.</summary>
    public const int MaxOverhead = 4096;

    private const string SourcePrefix = "/telecmi/apps/";
    private const string TimeFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
    private const int MaxSubjectLength = 256;
    private const int TraceParentLength = 55;

    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    // Strings are written as they are; nobody renders this JSON as HTML without escaping it.
    private static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <summary>Writes the envelope of a notice.</summary>
    /// <param name="output">Takes the UTF-8 JSON.</param>
    /// <param name="notice">The notice.</param>
    /// <param name="receivedAt">When the receiver got it.</param>
    /// <param name="traceParent">The W3C trace context of the receiving request, if any; anything else is left out.</param>
    public static void Write(IBufferWriter<byte> output, Notice notice, DateTimeOffset receivedAt, string? traceParent)
    {
        using var writer = new Utf8JsonWriter(output, WriterOptions);
        writer.WriteStartObject();
        writer.WriteString("specversion"u8, "1.0"u8);
        writer.WriteString("id"u8, notice.Id);
        WriteSource(writer, notice);
        WriteType(writer, notice.Kind);
        WriteSubject(writer, notice);
        WriteTime(writer, receivedAt);
        writer.WriteString("datacontenttype"u8, "application/json"u8);
        if (IsTraceParent(traceParent))
        {
            writer.WriteString("traceparent"u8, traceParent);
        }

        writer.WritePropertyName("data"u8);
        writer.WriteRawValue(notice.Json.Span, skipInputValidation: true);
        writer.WriteEndObject();
    }

    /// <summary>Reads an envelope that <see cref="Write"/> made.</summary>
    /// <param name="json">UTF-8 JSON; not copied, so it must stay unchanged.</param>
    /// <param name="callEvent">The event, when it could be read.</param>
    /// <param name="fault">Otherwise what is wrong, as a sentence that repeats nothing of the input.</param>
    public static bool TryRead(
        ReadOnlyMemory<byte> json,
        [NotNullWhen(true)] out CallEvent? callEvent,
        [NotNullWhen(false)] out string? fault)
    {
        callEvent = null;
        Parts parts;
        try
        {
            parts = Parts.Find(json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            fault = "The message is not a JSON object that this app put into the queue.";
            return false;
        }

        if (parts.SpecVersion is not "1.0" || parts.Id is not { } id || !IdempotencyKey.IsPlausible(id) || parts.Type is not { } type || parts.Data.IsEmpty
            || !type.StartsWith(TypePrefix, StringComparison.Ordinal)
            || !EventKinds.TryParse(type.AsSpan(TypePrefix.Length), out var kind)
            || !DateTimeOffset.TryParse(parts.Time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var receivedAt))
        {
            fault = "The message is not a CloudEvent of this app: specversion, id, type, time or data is missing or wrong.";
            return false;
        }

        if (!Notice.TryRead(parts.Data, out var notice, out fault))
        {
            return false;
        }

        callEvent = new CallEvent
        {
            Id = id,
            Kind = kind,
            ReceivedAt = receivedAt,
            TraceParent = IsTraceParent(parts.TraceParent) ? parts.TraceParent : null,
            Notice = notice,
            Envelope = json,
        };
        return true;
    }

    private static void WriteSource(Utf8JsonWriter writer, Notice notice)
    {
        // The id begins with the application id, already made safe for a URI.
        ReadOnlySpan<char> appId = notice.Id.AsSpan(0, notice.Id.IndexOf(':', StringComparison.Ordinal));
        Span<char> source = stackalloc char[SourcePrefix.Length + IdempotencyKey.MaxPartLength];
        SourcePrefix.CopyTo(source);
        appId.CopyTo(source[SourcePrefix.Length..]);
        writer.WriteString("source"u8, source[..(SourcePrefix.Length + appId.Length)]);
    }

    private static void WriteType(Utf8JsonWriter writer, EventKind kind)
    {
        Span<char> type = stackalloc char[64];
        TypePrefix.CopyTo(type);
        var name = kind.Name();
        name.CopyTo(type[TypePrefix.Length..]);
        writer.WriteString("type"u8, type[..(TypePrefix.Length + name.Length)]);
    }

    private static void WriteSubject(Utf8JsonWriter writer, Notice notice)
    {
        if (notice.Subject is { } subject)
        {
            // CloudEvents allows no control characters here, and the envelope's size has a bound.
            var plain = subject.Length <= MaxSubjectLength && !subject.AsSpan().ContainsAnyExceptInRange(' ', '~');
            writer.WriteString("subject"u8, plain ? subject : IdempotencyKey.EncodePart(subject));
        }
    }

    private static void WriteTime(Utf8JsonWriter writer, DateTimeOffset receivedAt)
    {
        Span<char> time = stackalloc char[TimeFormat.Length];
        receivedAt.UtcDateTime.TryFormat(time, out var length, TimeFormat, CultureInfo.InvariantCulture);
        writer.WriteString("time"u8, time[..length]);
    }

    private static bool IsTraceParent([NotNullWhen(true)] string? text) =>
        text is { Length: TraceParentLength } && text[2] == '-' && text[35] == '-' && text[52] == '-'
        && !text.AsSpan(0, 2).ContainsAnyExcept(LowerHex) && !text.AsSpan(3, 32).ContainsAnyExcept(LowerHex)
        && !text.AsSpan(36, 16).ContainsAnyExcept(LowerHex) && !text.AsSpan(53).ContainsAnyExcept(LowerHex);

    private ref struct Parts
    {
        public string? SpecVersion;
        public string? Id;
        public string? Type;
        public string? Time;
        public string? TraceParent;
        public ReadOnlyMemory<byte> Data;

        public static Parts Find(ReadOnlyMemory<byte> json)
        {
            if (!Utf8.IsValid(json.Span))
            {
                throw new JsonException();
            }

            var parts = default(Parts);
            var reader = new Utf8JsonReader(json.Span, new JsonReaderOptions { MaxDepth = Notice.MaxDepth + 1 });
            reader.Read();
            if (reader.TokenType is not JsonTokenType.StartObject)
            {
                throw new JsonException();
            }

            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("specversion"u8))
                {
                    parts.SpecVersion = NextText(ref reader);
                }
                else if (reader.ValueTextEquals("id"u8))
                {
                    parts.Id = NextText(ref reader);
                }
                else if (reader.ValueTextEquals("type"u8))
                {
                    parts.Type = NextText(ref reader);
                }
                else if (reader.ValueTextEquals("time"u8))
                {
                    parts.Time = NextText(ref reader);
                }
                else if (reader.ValueTextEquals("traceparent"u8))
                {
                    parts.TraceParent = NextText(ref reader);
                }
                else if (reader.ValueTextEquals("data"u8))
                {
                    reader.Read();
                    var start = (int)reader.TokenStartIndex;
                    reader.Skip();
                    parts.Data = json[start..(int)reader.BytesConsumed];
                }
                else
                {
                    reader.Skip();
                }
            }

            // The reader refuses what may stand behind the object only when it is asked for more.
            reader.Read();
            return parts;
        }

        private static string? NextText(ref Utf8JsonReader reader)
        {
            reader.Read();
            return reader.GetString();
        }
    }
}
