using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace TeleCmi.Events;

/// <summary>
/// The CloudEvents 1.0 object (JSON format) that carries a notice through the queue, the journal, dead letters and
/// forwarding. Its <c>data</c> is the notice's own bytes.
/// </summary>
public static class EventEnvelope
{
    /// <summary>Comes before the kind's name in <c>type</c>.</summary>
    public const string TypePrefix = "com.telecmi.";

    /// <summary>The most that an envelope adds to the notice it carries, in bytes.</summary>
    public const int MaxOverhead = 1024;

    private const string NotOurs = "The message is not a CloudEvent of this app: specversion, id, type, time or data is missing or wrong.";
    private const int MaxSubjectLength = 256;
    private const int TraceParentLength = 55;

    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    // Printable ASCII that JSON needs no escape for.
    private static readonly SearchValues<byte> PlainText =
        SearchValues.Create(" !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    /// <summary>Writes the envelope of a notice.</summary>
    /// <param name="output">Takes the UTF-8 JSON.</param>
    /// <param name="notice">The notice.</param>
    /// <param name="receivedAt">When the receiver got it.</param>
    /// <param name="traceParent">The W3C trace context of the receiving request, if any; anything else is left out.</param>
    public static void Write(IBufferWriter<byte> output, Notice notice, DateTimeOffset receivedAt, string? traceParent) =>
        WriteTo(output, notice, notice.Id, receivedAt, traceParent, reconciledAt: null);

    /// <summary>Writes the envelope of a notice that never came and was reconstructed from a call report.</summary>
    /// <param name="output">Takes the UTF-8 JSON.</param>
    /// <param name="notice">What is known of the notice.</param>
    /// <param name="original">A notice with the identity that the one that never came has: if it comes late, it has the same id.</param>
    /// <param name="calledAt">The call's time, in the place of the time of receipt.</param>
    /// <param name="reconciledAt">When it was reconstructed; the extension attribute <c>telecmireconciled</c>.</param>
    public static void WriteReconciled(IBufferWriter<byte> output, Notice notice, Notice original, DateTimeOffset calledAt, DateTimeOffset reconciledAt) =>
        WriteTo(output, notice, original.Id, calledAt, traceParent: null, reconciledAt);

    private static void WriteTo(IBufferWriter<byte> output, Notice notice, string id, DateTimeOffset receivedAt, string? traceParent, DateTimeOffset? reconciledAt)
    {
        // Every attribute is plain ASCII here, so nothing needs an escape; a general JSON writer would take as long as
        // reading the notice did.
        var text = new Utf8Text(output.GetSpan(MaxOverhead + notice.Json.Length));
        text.Add("{\"specversion\":\"1.0\",\"id\":\""u8);
        text.Add(id);
        text.Add("\",\"source\":\"/telecmi/apps/"u8);
        // The id begins with the application id, already made safe for a URI.
        text.Add(id.AsSpan(0, id.IndexOf(':', StringComparison.Ordinal)));
        text.Add("\",\"type\":\""u8);
        text.Add(TypePrefix);
        text.Add(notice.Kind.Name());
        if (notice.SubjectField is not NoticeField.None and var subject)
        {
            text.Add("\",\"subject\":\""u8);
            AddSubject(ref text, notice, subject);
        }

        text.Add("\",\"time\":\""u8);
        text.Add(receivedAt);
        if (IsTraceParent(traceParent))
        {
            text.Add("\",\"traceparent\":\""u8);
            text.Add(traceParent);
        }

        if (reconciledAt is { } reconciled)
        {
            text.Add("\",\"telecmireconciled\":\""u8);
            text.Add(reconciled);
        }

        text.Add("\",\"datacontenttype\":\"application/json\",\"data\":"u8);
        text.Add(notice.Json.Span);
        text.Add("}"u8);
        output.Advance(text.Length);
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
        return TryReadParts(json, out var parts, out var receivedAt, out fault) && TryReadEvent(json, parts, receivedAt, out callEvent, out fault);
    }

    /// <summary>Reads an envelope of this app, whatever its data is; what is known of a notice's event includes the notice.</summary>
    /// <param name="json">UTF-8 JSON; not copied, so it must stay unchanged.</param>
    /// <param name="enveloped">What it says, when it could be read.</param>
    /// <param name="fault">Otherwise what is wrong, as a sentence that repeats nothing of the input.</param>
    public static bool TryReadAny(
        ReadOnlyMemory<byte> json,
        [NotNullWhen(true)] out EnvelopedEvent? enveloped,
        [NotNullWhen(false)] out string? fault)
    {
        enveloped = null;
        if (!TryReadParts(json, out var parts, out var time, out fault))
        {
            return false;
        }

        enveloped = TryReadEvent(json, parts, time, out var callEvent, out _) ? EnvelopedEvent.Of(callEvent) : new EnvelopedEvent
        {
            Id = parts.Id!,
            Kind = parts.Type![TypePrefix.Length..],
            Time = time,
            Subject = parts.Subject,
            OccurredAt = time,
            TraceParent = IsTraceParent(parts.TraceParent) ? parts.TraceParent : null,
            Envelope = json,
        };
        return true;
    }

    private static bool TryReadEvent(
        ReadOnlyMemory<byte> json, Parts parts, DateTimeOffset receivedAt, [NotNullWhen(true)] out CallEvent? callEvent, [NotNullWhen(false)] out string? fault)
    {
        callEvent = null;
        if (!EventKinds.TryParse(parts.Type.AsSpan(TypePrefix.Length), out var kind))
        {
            fault = NotOurs;
            return false;
        }

        if (!Notice.TryRead(parts.Data, out var notice, out fault))
        {
            return false;
        }

        callEvent = new CallEvent
        {
            Id = parts.Id!,
            Kind = kind,
            ReceivedAt = receivedAt,
            TraceParent = IsTraceParent(parts.TraceParent) ? parts.TraceParent : null,
            IsReconciled = parts.IsReconciled,
            Notice = notice,
            Envelope = json,
        };
        return true;
    }

    private static bool TryReadParts(ReadOnlyMemory<byte> json, out Parts parts, out DateTimeOffset time, [NotNullWhen(false)] out string? fault)
    {
        time = default;
        try
        {
            parts = Parts.Find(json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            parts = default;
            fault = "The message is not a JSON object that this app put into the queue.";
            return false;
        }

        var isOurs = parts.SpecVersion is "1.0" && parts.Id is { } id && IdempotencyKey.IsPlausible(id) && !parts.Data.IsEmpty
            && parts.Type?.StartsWith(TypePrefix, StringComparison.Ordinal) == true
            && DateTimeOffset.TryParse(parts.Time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);
        fault = isOurs ? null : NotOurs;
        return isOurs;
    }

    // CloudEvents allows no control characters here, and the envelope's size has a bound.
    private static void AddSubject(ref Utf8Text text, Notice notice, NoticeField field)
    {
        var subject = notice.RawText(field);
        if (subject.Length <= MaxSubjectLength && !subject.ContainsAnyExcept(PlainText))
        {
            text.Add(subject);
        }
        else
        {
            text.Add(IdempotencyKey.EncodePart(notice.Text(field)!));
        }
    }

    private static bool IsTraceParent([NotNullWhen(true)] string? text) =>
        text is { Length: TraceParentLength } && text[2] == '-' && text[35] == '-' && text[52] == '-'
        && !text.AsSpan(0, 2).ContainsAnyExcept(LowerHex) && !text.AsSpan(3, 32).ContainsAnyExcept(LowerHex)
        && !text.AsSpan(36, 16).ContainsAnyExcept(LowerHex) && !text.AsSpan(53).ContainsAnyExcept(LowerHex);

    private ref struct Utf8Text(Span<byte> destination)
    {
        private readonly Span<byte> _destination = destination;

        public int Length { get; private set; }

        public void Add(ReadOnlySpan<byte> utf8)
        {
            utf8.CopyTo(_destination[Length..]);
            Length += utf8.Length;
        }

        public void Add(scoped ReadOnlySpan<char> ascii)
        {
            Ascii.FromUtf16(ascii, _destination[Length..], out var length);
            Length += length;
        }

        public void Add(DateTimeOffset time)
        {
            // The round-trip format is the one that the runtime writes fastest; cut to milliseconds.
            const int UpToMilliseconds = 23;
            time.UtcDateTime.TryFormat(_destination[Length..], out _, "O", CultureInfo.InvariantCulture);
            Length += UpToMilliseconds;
            Add("Z"u8);
        }
    }

    private ref struct Parts
    {
        public string? SpecVersion;
        public string? Id;
        public string? Type;
        public string? Time;
        public string? Subject;
        public string? TraceParent;
        public bool IsReconciled;
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
                else if (reader.ValueTextEquals("subject"u8))
                {
                    parts.Subject = NextText(ref reader);
                }
                else if (reader.ValueTextEquals("traceparent"u8))
                {
                    parts.TraceParent = NextText(ref reader);
                }
                else if (reader.ValueTextEquals("telecmireconciled"u8))
                {
                    parts.IsReconciled = NextText(ref reader) is not null;
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

            // The reader reports what follows the object only when it is asked to read on.
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
