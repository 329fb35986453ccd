namespace TeleCmi.Events;

/// <summary>What a notice from TeleCMI announces.</summary>
public enum EventKind
{
    /// <summary>A readable notice that is none of the kinds below: another TeleCMI product, an older format, a call-flow request.</summary>
    Other,

    /// <summary>An outgoing call's leg began to ring.</summary>
    OutgoingStarted,

    /// <summary>An outgoing call was answered: leg a by the agent, leg b by the customer.</summary>
    OutgoingAnswered,

    /// <summary>An outgoing call's leg ended.</summary>
    OutgoingHangup,

    /// <summary>An incoming call waits to be answered.</summary>
    IncomingWaiting,

    /// <summary>An incoming call began to ring at an agent.</summary>
    IncomingStarted,

    /// <summary>An incoming call was answered.</summary>
    IncomingAnswered,

    /// <summary>An incoming call's leg ended.</summary>
    IncomingHangup,

    /// <summary>The detail record of an outgoing call that was answered.</summary>
    CdrOutgoingAnswered,

    /// <summary>The detail record of an outgoing call that was missed.</summary>
    CdrOutgoingMissed,

    /// <summary>The detail record of an incoming call that was answered.</summary>
    CdrIncomingAnswered,

    /// <summary>The detail record of an incoming call that was missed.</summary>
    CdrIncomingMissed,
}

/// <summary>The names of the kinds as they stand in settings, responses, envelopes and telemetry.</summary>
public static class EventKinds
{
    /// <summary>Every kind, in the order of the enumeration.</summary>
    public static IReadOnlyList<EventKind> All { get; } = Enum.GetValues<EventKind>();

    /// <summary>The kind's name, such as <c>outgoing.answered</c>.</summary>
    public static string Name(this EventKind kind) => kind switch
    {
        EventKind.OutgoingStarted => "outgoing.started",
        EventKind.OutgoingAnswered => "outgoing.answered",
        EventKind.OutgoingHangup => "outgoing.hangup",
        EventKind.IncomingWaiting => "incoming.waiting",
        EventKind.IncomingStarted => "incoming.started",
        EventKind.IncomingAnswered => "incoming.answered",
        EventKind.IncomingHangup => "incoming.hangup",
        EventKind.CdrOutgoingAnswered => "cdr.outgoing.answered",
        EventKind.CdrOutgoingMissed => "cdr.outgoing.missed",
        EventKind.CdrIncomingAnswered => "cdr.incoming.answered",
        EventKind.CdrIncomingMissed => "cdr.incoming.missed",
        EventKind.Other => "other",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a kind of event."),
    };

    /// <summary>Finds the kind with that name.</summary>
    /// <returns>False when no kind has it.</returns>
    public static bool TryParse(ReadOnlySpan<char> name, out EventKind kind)
    {
        foreach (var candidate in All)
        {
            if (name.SequenceEqual(candidate.Name()))
            {
                kind = candidate;
                return true;
            }
        }

        kind = default;
        return false;
    }
}
