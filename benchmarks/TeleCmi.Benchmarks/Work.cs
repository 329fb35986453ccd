using System.Buffers;
using System.Text;
using System.Text.Json;
using TeleCmi.Events;
using TeleCmi.Events.Samples;

namespace TeleCmi.Benchmarks;

/// <summary>What is measured: our way, and the other ways to get at the same fields.</summary>
internal sealed class Work
{
    public const string TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    // The largest body that the receiver takes unless told otherwise.
    private const int LargestBody = 16 * 1024;

    private static readonly DateTimeOffset ReceivedAt = new(2026, 11, 23, 10, 11, 12, 345, TimeSpan.Zero);

    private readonly ArrayBufferWriter<byte> _envelope = new(64 * 1024);
    private readonly ArrayBufferWriter<byte> _fields = new(64 * 1024);

    public static byte[] DocumentedBody { get; } = DocumentedNotices.OutgoingAnswered.Utf8;

    public static byte[] LargestAcceptedBody { get; } = Largest();

    public static byte[] DocumentedQuery { get; } = Encoding.UTF8.GetBytes('?' + string.Join('&',
        JsonElement.Parse(DocumentedBody).EnumerateObject().Select(field => $"{field.Name}={Uri.EscapeDataString(field.Value.ToString())}")));

    public static byte[] DocumentedEnvelope { get; } = new Work().EnvelopeOf(DocumentedBody);

    /// <summary>Read, classify, identify and wrap: all that receiving does short of the network.</summary>
    public int Receive(byte[] body)
    {
        _envelope.ResetWrittenCount();
        if (!Notice.TryRead(body, out var notice, out var fault))
        {
            throw new InvalidOperationException(fault);
        }

        EventEnvelope.Write(_envelope, notice, ReceivedAt, TraceParent);
        return notice.Id.Length + (int)notice.Kind;
    }

    /// <summary>The same from a query string.</summary>
    public int ReceiveQuery(byte[] query)
    {
        _fields.ResetWrittenCount();
        NoticeForm.WriteJson(query, _fields);
        _envelope.ResetWrittenCount();
        if (!Notice.TryRead(_fields.WrittenMemory, out var notice, out var fault))
        {
            throw new InvalidOperationException(fault);
        }

        EventEnvelope.Write(_envelope, notice, ReceivedAt, TraceParent);
        return notice.Id.Length + (int)notice.Kind;
    }

    /// <summary>What processing reads from a message.</summary>
    public static CallEvent ReadEnvelope(byte[] envelope) =>
        EventEnvelope.TryRead(envelope, out var callEvent, out var fault) ? callEvent : throw new InvalidOperationException(fault);

    public static int ParseDocument(byte[] body)
    {
        using var document = JsonDocument.Parse(body);
        return (int)document.RootElement.ValueKind;
    }

    public static int RoundTripByReflection(byte[] body) =>
        JsonSerializer.SerializeToUtf8Bytes(JsonSerializer.Deserialize<PlainEvent>(body)).Length;

    public static int RoundTripByNewtonsoft(byte[] body) =>
        Encoding.UTF8.GetBytes(Newtonsoft.Json.JsonConvert.SerializeObject(
            Newtonsoft.Json.JsonConvert.DeserializeObject<PlainEvent>(Encoding.UTF8.GetString(body)))).Length;

    private byte[] EnvelopeOf(byte[] body)
    {
        Receive(body);
        return _envelope.WrittenSpan.ToArray();
    }

    private static byte[] Largest()
    {
        var start = DocumentedNotices.OutgoingAnswered.Json.TrimEnd('}') + ", \"note\": \"";
        return Encoding.UTF8.GetBytes(start.PadRight(LargestBody - 2, 'x') + "\"}");
    }
}
