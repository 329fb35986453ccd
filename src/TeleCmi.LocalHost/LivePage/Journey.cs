using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using TeleCmi.Events;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>One arrival of an event, and its way through the pipeline. Changed and read under the hub's lock only.</summary>
/// <param name="receivedAt">When it reached the receiver.</param>
internal sealed class Journey(DateTimeOffset receivedAt)
{
    /// <summary>Its name on the page; made when somebody looks.</summary>
    public string Id => field ??= Key?.ToId() ?? JourneyKey.NewId();

    /// <summary>Which message it is; null for what never becomes an event.</summary>
    public JourneyKey? Key { get; init; }

    public DateTimeOffset ReceivedAt { get; } = receivedAt;

    /// <summary>Which one it was to arrive; an accepted event's time is cut to milliseconds, in which others arrive too.</summary>
    public long Number { get; set; }

    /// <summary>The request that brought it; null when this process did not see it, because another one took it in.</summary>
    public LiveRequest? Request { get; init; }

    /// <summary>Whether it is of a kind that anybody can send.</summary>
    public bool IsRefused { get; init; }

    public string State { get; set; } = JourneyState.Received;

    public WebhookResponse? Response { get; set; }

    public string? Fault { get; set; }

    public int Tries { get; set; }

    /// <summary>From the request to its response.</summary>
    public double? ResponseMs { get; set; }

    /// <summary>From receipt until work on it began.</summary>
    public double? StartedMs { get; set; }

    /// <summary>From receipt until all work on it was done.</summary>
    public double? ProcessedMs { get; set; }

    /// <summary>From receipt until the last destination had it.</summary>
    public double? ForwardedMs { get; set; }

    /// <summary>How far it is with each destination.</summary>
    public SortedDictionary<string, string>? Forwards { get; set; }

    /// <summary>The message; null for a request that never becomes an event.</summary>
    public byte[]? Envelope { get; init; }

    public RowKey? JournalKey { get; set; }

    /// <summary>What the page shows; the notice is read again from its bytes, because only now somebody looks.</summary>
    public JourneyView ToView()
    {
        var notice = ReadNotice();
        return new JourneyView(
            Id,
            ReceivedAt,
            State,
            Request?.Method,
            Request?.IsFromPage ?? false,
            notice?.Kind.Name(),
            notice?.Id,
            notice?.AnsweredBy?.Name(),
            notice?.User is { } user ? LogText.Of(user) : null,
            notice?.To is { } to ? LogText.OfPhoneNumber(to) : null,
            Response?.Status,
            Fault,
            Tries,
            ResponseMs,
            StartedMs,
            ProcessedMs,
            ForwardedMs,
            Forwards?.Select(forward => new ForwardView(forward.Key, forward.Value)).ToArray(),
            JournalKey?.Partition,
            JournalKey?.Row);
    }

    /// <summary>The notice, read again from its bytes; null when it is none.</summary>
    public Notice? ReadNotice() =>
        Envelope is not null ? EventEnvelope.TryRead(Envelope, out var callEvent, out _) ? callEvent.Notice : null
        : Notice.TryRead(Request?.Json, out var notice, out _) ? notice
        : null;
}

/// <summary>Which message of the queue: the same before and after a restart, and for a replay, because the envelope says it.</summary>
internal readonly record struct JourneyKey(DateTimeOffset ReceivedAt, string EventId, string? TraceParent)
{
    private const int IdBytes = 12;

    public static JourneyKey Of(CallEvent callEvent) => new(callEvent.ReceivedAt, callEvent.Id, callEvent.TraceParent);

    /// <summary>An id for a request that never becomes an event.</summary>
    public static string NewId() => Guid.NewGuid().ToString("N");

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
