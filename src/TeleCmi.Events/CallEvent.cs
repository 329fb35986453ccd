namespace TeleCmi.Events;

/// <summary>An event on its way through the pipeline: a notice, and what the receiver knows about it.</summary>
public sealed class CallEvent
{
    /// <summary>The idempotency key (see <see cref="IdempotencyKey"/>): the same for every delivery of this event.</summary>
    public required string Id { get; init; }

    /// <summary>What happened.</summary>
    public required EventKind Kind { get; init; }

    /// <summary>When this delivery reached the receiver, UTC, to the millisecond.</summary>
    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>The W3C trace context of the request that brought the event, when there was one.</summary>
    public string? TraceParent { get; init; }

    /// <summary>
    /// Whether the notice never came and was reconstructed from a call report (the extension attribute <c>telecmireconciled</c>);
    /// <see cref="ReceivedAt"/> is then the call's time.
    /// </summary>
    public bool IsReconciled { get; init; }

    /// <summary>The notice as TeleCMI sent it, with its fields.</summary>
    public required Notice Notice { get; init; }

    /// <summary>The whole CloudEvents object, as it lies in the queue and in the journal: UTF-8 JSON.</summary>
    public required ReadOnlyMemory<byte> Envelope { get; init; }
}
