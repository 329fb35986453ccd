using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using TeleCmi.Events;
using TeleCmi.Pipeline.Journaling;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>One delivery's way through the pipeline. Changed and read under the hub's lock only.</summary>
internal sealed class Journey(string id, DateTimeOffset receivedAt)
{
    private const int IdBytes = 12;

    public string Id { get; } = id;

    public DateTimeOffset ReceivedAt { get; } = receivedAt;

    /// <summary>The request that brought it; null when this process did not see it, because another one took it in.</summary>
    public LiveRequest? Request { get; init; }

    public EventSummary? Summary { get; set; }

    public string State { get; set; } = JourneyState.Received;

    public int? Status { get; set; }

    public byte[]? Answer { get; set; }

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
    public SortedDictionary<string, string> HandedOn { get; } = new(StringComparer.Ordinal);

    public byte[]? Envelope { get; set; }

    public JournalKey? JournalKey { get; set; }

    /// <summary>The id of a delivery: the same before and after a restart, and for a replay, because the envelope says it.</summary>
    public static string IdOf(CallEvent callEvent)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{callEvent.Id}|{callEvent.ReceivedAt.UtcTicks}|{callEvent.TraceParent}"), hash);
        return Base64Url.EncodeToString(hash[..IdBytes]);
    }

    /// <summary>An id for what never becomes an event.</summary>
    public static string NewId() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(IdBytes));

    public JourneyView ToView() => new(
        Id,
        ReceivedAt,
        State,
        Request?.Method,
        Request?.IsFromPage ?? false,
        Summary?.Kind,
        Summary?.EventId,
        Summary?.AnsweredBy,
        Summary?.Agent,
        Summary?.Number,
        Status,
        Fault,
        Tries,
        AnsweredMs,
        StartedMs,
        ProcessedMs,
        HandedOnMs,
        HandedOn.Count == 0 ? null : [.. HandedOn.Select(handOver => new HandOverView(handOver.Key, handOver.Value))],
        JournalKey?.Partition,
        JournalKey?.Row);
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
