namespace TeleCmi.Events;

/// <summary>A CloudEvent of this app as it is sent to others, with what has to be known to send it.</summary>
public sealed record EnvelopedEvent
{
    /// <summary>The event's id: the same for every delivery.</summary>
    public required string Id { get; init; }

    /// <summary>The type without <see cref="EventEnvelope.TypePrefix"/>, such as <c>outgoing.answered</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>When it happened, as far as this app knows, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The conversation, or for events without one the leg.</summary>
    public string? Subject { get; init; }

    /// <summary>When it happened by its own account, UTC, if it says so: the day of its place in the journal.</summary>
    public required DateTimeOffset? OccurredAt { get; init; }

    /// <inheritdoc cref="CallEvent.TraceParent"/>
    public string? TraceParent { get; init; }

    /// <summary>The whole CloudEvents object: UTF-8 JSON.</summary>
    public required ReadOnlyMemory<byte> Envelope { get; init; }

    /// <summary>An event that was read as a whole.</summary>
    public static EnvelopedEvent Of(CallEvent callEvent) => new()
    {
        Id = callEvent.Id,
        Kind = callEvent.Kind.Name(),
        Time = callEvent.ReceivedAt,
        Subject = callEvent.Notice.Subject,
        OccurredAt = callEvent.Notice.Time,
        TraceParent = callEvent.TraceParent,
        Envelope = callEvent.Envelope,
    };
}
