using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using TeleCmi.Events;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>One delivery's way through the pipeline. Changed and read under the hub's lock only.</summary>
/// <param name="receivedAt">When it reached the receiver.</param>
/// <param name="delivery">Which delivery it is; null for what never becomes an event.</param>
internal sealed class Journey(DateTimeOffset receivedAt, DeliveryKey? delivery = null)
{
    private SortedDictionary<string, string>? _handedOn;

    /// <summary>Its name on the page; made when somebody looks.</summary>
    public string Id => field ??= Delivery?.ToId() ?? DeliveryKey.NewId();

    public DeliveryKey? Delivery { get; } = delivery;

    public DateTimeOffset ReceivedAt { get; } = receivedAt;

    /// <summary>The request that brought it; null when this process did not see it, because another one took it in.</summary>
    public LiveRequest? Request { get; init; }

    /// <summary>What came, where it could be read.</summary>
    public Notice? Notice { get; init; }

    public string State { get; set; } = JourneyState.Received;

    public int? Status { get; set; }

    public ReadOnlyMemory<byte> Answer { get; set; }

    public string? Fault { get; set; }

    public int Tries { get; set; }

    /// <summary>From the request to its answer.</summary>
    public double? AnsweredMs { get; set; }

    /// <summary>From receipt until work on it began.</summary>
    public double? StartedMs { get; set; }

    /// <summary>From receipt until all work on it was done.</summary>
    public double? ProcessedMs { get; set; }

    /// <summary>From receipt until the last destination had it.</summary>
    public double? HandedOnMs { get; set; }

    /// <summary>How far it is with each destination.</summary>
    public SortedDictionary<string, string> HandedOn => _handedOn ??= new(StringComparer.Ordinal);

    /// <summary>The message as it came from the queue, when this process did not put it there.</summary>
    public byte[]? Message { get; init; }

    public JournalKey? JournalKey { get; set; }

    /// <summary>The message; null for what never becomes an event. What this process has queued it can write again.</summary>
    public string? EnvelopeText()
    {
        if (Message is not null)
        {
            return Encoding.UTF8.GetString(Message);
        }

        if (Delivery is not { } key || Notice is null)
        {
            return null;
        }

        var envelope = new ArrayBufferWriter<byte>();
        EventEnvelope.Write(envelope, Notice, key.ReceivedAt, key.TraceParent);
        return Encoding.UTF8.GetString(envelope.WrittenSpan);
    }

    public JourneyView ToView() => new(
        Id,
        ReceivedAt,
        State,
        Request?.Method,
        Request?.IsFromPage ?? false,
        Notice?.Kind.Name(),
        Notice?.Id,
        Notice?.AnsweredBy?.Name(),
        Notice?.User is { } user ? LogText.Of(user) : null,
        Notice?.To is { } to ? LogText.OfPhoneNumber(to) : null,
        Status,
        Fault,
        Tries,
        AnsweredMs,
        StartedMs,
        ProcessedMs,
        HandedOnMs,
        _handedOn is null ? null : [.. _handedOn.Select(handOver => new HandOverView(handOver.Key, handOver.Value))],
        JournalKey?.Partition,
        JournalKey?.Row);
}

/// <summary>Which delivery of which event: the same before and after a restart, and for a replay, because the envelope says it.</summary>
internal readonly record struct DeliveryKey(DateTimeOffset ReceivedAt, string EventId, string? TraceParent)
{
    private const int IdBytes = 12;

    public static DeliveryKey Of(CallEvent callEvent) => new(callEvent.ReceivedAt, callEvent.Id, callEvent.TraceParent);

    /// <summary>An id for what never becomes an event.</summary>
    public static string NewId() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(IdBytes));

    /// <summary>Its name on the page.</summary>
    public string ToId()
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{EventId}|{ReceivedAt.UtcTicks}|{TraceParent}"), hash);
        return Base64Url.EncodeToString(hash[..IdBytes]);
    }
}

/// <summary>Where a journey stands, as the page's texts and styles know it.</summary>
internal static class JourneyState
{
    public const string Received = "received";
    public const string Queued = "queued";
    public const string Retrying = "retrying";
    public const string Processed = "processed";
    public const string Duplicate = "duplicate";
    public const string Variant = "variant";
    public const string Ignored = "ignored";
    public const string Rejected = "rejected";
    public const string Refused = "refused";
    public const string Unavailable = "unavailable";
    public const string Dead = "dead";
}
