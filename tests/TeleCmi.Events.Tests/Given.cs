using System.Buffers;
using System.Text;
using System.Text.Json;

namespace TeleCmi.Events.Tests;

/// <summary>Short ways to a notice, so that a test shows only what it is about.</summary>
internal static class Given
{
    public const string TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    public static readonly DateTimeOffset ReceivedAt = new(2026, 11, 23, 10, 11, 12, 345, TimeSpan.Zero);

    public static Notice Notice(string json)
    {
        Events.Notice.TryRead(Encoding.UTF8.GetBytes(json), out var notice, out var fault).ShouldBeTrue(fault);
        return notice!;
    }

    /// <summary>The documented sample with some members added or, as the last one counts, replaced.</summary>
    public static Notice Documented(string members) => Notice(Samples.DocumentedNotices.OutgoingAnswered.Json.TrimEnd('}') + "," + members + "}");

    public static Notice Form(string encoded) => Notice(FormJson(encoded));

    public static string FormJson(string encoded)
    {
        var json = new ArrayBufferWriter<byte>();
        NoticeForm.WriteJson(Encoding.UTF8.GetBytes(encoded), json).ShouldBeGreaterThanOrEqualTo(0);
        return Encoding.UTF8.GetString(json.WrittenSpan);
    }

    /// <summary>What a query can say of a value.</summary>
    public static string TextOf(JsonElement value) =>
        value.ValueKind is JsonValueKind.String ? value.GetString()! : value.GetRawText();

    public static byte[] Envelope(Notice notice, string? traceParent = null)
    {
        var envelope = new ArrayBufferWriter<byte>();
        EventEnvelope.Write(envelope, notice, ReceivedAt, traceParent);
        return envelope.WrittenSpan.ToArray();
    }

    public static CallEvent ThroughEnvelope(Notice notice, string? traceParent = null)
    {
        EventEnvelope.TryRead(Envelope(notice, traceParent), out var callEvent, out var fault).ShouldBeTrue(fault);
        return callEvent!;
    }

    public static JsonElement Json(string json) => JsonElement.Parse(json);

    public static JsonElement Json(ReadOnlyMemory<byte> json) => JsonElement.Parse(json.Span);
}
