using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>How far a delivery is.</summary>
public static class DeliveryState
{
    /// <summary>The destination has it.</summary>
    public const string Delivered = "delivered";

    /// <summary>Another attempt follows.</summary>
    public const string Waiting = "waiting";

    /// <summary>Given up; it is in DeadLetters.</summary>
    public const string Failed = "failed";

    /// <summary>Erased while its message waits: the mark goes with the message, and nobody is shown it.</summary>
    internal const string Erased = "erased";

    /// <summary>Every state.</summary>
    public static IReadOnlyList<string> All { get; } = [Delivered, Waiting, Failed];
}

/// <summary>One HTTP request to a destination.</summary>
/// <param name="At">When it began, UTC.</param>
/// <param name="Status">The response's status; null when there was no response.</param>
/// <param name="Milliseconds">How long it took.</param>
public sealed record DeliveryAttempt(DateTimeOffset At, int? Status, long Milliseconds);

/// <summary>What became of one event at one destination: a row of the table <c>Deliveries</c>.</summary>
public sealed record Delivery
{
    /// <summary>The name of the table.</summary>
    public const string TableName = "Deliveries";

    /// <summary>The partition of what waits; what has ended is in the partition of its event's day.</summary>
    internal const string WaitingPartition = "waiting";

    // A receiver that asks for an attempt again and again, by resends too, must not fill the row.
    private const int MostAttempts = 40;

    private const string Day = "Day";
    private const int LongestId = 300;

    /// <summary>Where it belongs once it has ended: the partition is the event's in the journal, the row begins with the conversation as the journal's does.</summary>
    public required RowKey Key { get; init; }

    /// <summary>The destination's name.</summary>
    public required string Destination { get; init; }

    /// <summary>The event's id.</summary>
    public required string EventId { get; init; }

    /// <summary>The kind's name.</summary>
    public required string Kind { get; init; }

    /// <summary>The conversation; for events without one, the leg.</summary>
    public string? Conversation { get; init; }

    /// <summary>When the receiver got the event.</summary>
    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>One of <see cref="DeliveryState"/>.</summary>
    public required string State { get; init; }

    /// <summary>The attempts, oldest first; the last ones where there were very many.</summary>
    public required IReadOnlyList<DeliveryAttempt> Attempts { get; init; }

    /// <summary>When the next attempt is due, where one follows; a backfill that has noted the event and not yet queued it does not know.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>What was wrong, in a sentence; null for a delivered one.</summary>
    public string? Fault { get; init; }

    /// <summary>Whether a backfill sent it, or will.</summary>
    public bool IsBackfill { get; init; }

    /// <summary>When this was noted.</summary>
    public required DateTimeOffset NotedAt { get; init; }

    /// <summary>Of a call: its id, the same for every revision; null for an event.</summary>
    public string? CallId => Kind == CompletedCall.Kind ? EventId[..EventId.LastIndexOf(':')] : null;

    /// <summary>Of a call: which revision of it; 0 for an event.</summary>
    public int Revision => Kind == CompletedCall.Kind && int.TryParse(EventId.AsSpan(EventId.LastIndexOf(':') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var revision) ? revision : 0;

    /// <inheritdoc cref="ForwardMessage.Ticket"/>
    internal string? Ticket { get; init; }

    /// <summary>Where the journal has its event.</summary>
    internal RowKey JournalKey => Key with { Row = Key.Row[..Key.Row.LastIndexOf(Journaling.JournalKey.Separator)] };

    internal TableRow ToRow() => new(State == DeliveryState.Waiting ? WaitingKey(Key) : Key)
    {
        [nameof(Destination)] = Destination,
        [nameof(EventId)] = EventId,
        [nameof(Kind)] = Kind,
        [nameof(Conversation)] = Conversation,
        [nameof(ReceivedAt)] = ReceivedAt,
        [nameof(State)] = State,
        [nameof(Attempts)] = Write(Attempts),
        [nameof(NextAttemptAt)] = NextAttemptAt,
        [nameof(Fault)] = Fault,
        [nameof(NotedAt)] = NotedAt,
        [nameof(IsBackfill)] = IsBackfill ? true : null,
        [nameof(Ticket)] = Ticket,
        [Day] = State == DeliveryState.Waiting ? Key.Partition : null,
    };

    internal static string Write(IReadOnlyList<DeliveryAttempt> attempts) =>
        JsonSerializer.Serialize([.. attempts.TakeLast(MostAttempts)], DeliveryJson.Default.DeliveryAttemptArray);

    internal static Delivery Of(TableRow row) => new()
    {
        Key = row.Text(Day) is { } day ? row.Key with { Partition = day } : row.Key,
        Destination = row.Text(nameof(Destination)) ?? "",
        EventId = row.Text(nameof(EventId)) ?? "",
        Kind = row.Text(nameof(Kind)) ?? "",
        Conversation = row.Text(nameof(Conversation)),
        ReceivedAt = row.Time(nameof(ReceivedAt)) ?? default,
        State = row.Text(nameof(State)) ?? "",
        Attempts = row.Text(nameof(Attempts)) is { } attempts ? JsonSerializer.Deserialize(attempts, DeliveryJson.Default.DeliveryAttemptArray) ?? [] : [],
        NextAttemptAt = row.Time(nameof(NextAttemptAt)),
        Fault = row.Text(nameof(Fault)),
        NotedAt = row.Time(nameof(NotedAt)) ?? default,
        IsBackfill = row.Flag(nameof(IsBackfill)) == true,
        Ticket = row.Text(nameof(Ticket)),
    };

    /// <summary>Where the delivery of an event to a destination belongs.</summary>
    internal static RowKey KeyOf(EnvelopedEvent enveloped, string destination)
    {
        var key = Journaling.JournalKey.Of(enveloped.OccurredAt, enveloped.Subject, Bounded(enveloped.Id));
        return key with { Row = $"{key.Row}{Journaling.JournalKey.Separator}{TableKey.Part(destination)}" };
    }

    /// <summary>The one that was noted last.</summary>
    internal static Delivery? Newer(Delivery? left, Delivery? right) =>
        left is null || right is null ? left ?? right : left.NotedAt > right.NotedAt ? left : right;

    internal static RowKey WaitingKey(RowKey key) => key with { Partition = WaitingPartition };

    // A key has at most 512 characters; the whole id is a column.
    private static string Bounded(string id) => id.Length <= LongestId ? id : $"~{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))}";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DeliveryAttempt[]))]
internal sealed partial class DeliveryJson : JsonSerializerContext;
