using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;

namespace TeleCmi.Pipeline.Reconciling;

/// <summary>One of TeleCMI's four call reports.</summary>
/// <remarks>Source: https://doc.telecmi.com/chub/docs/out-answered and its three sisters.</remarks>
public sealed record CallReport
{
    private CallReport(string name, EventKind kind)
    {
        Name = name;
        Kind = kind;
    }

    /// <summary>Incoming calls that an agent answered.</summary>
    public static CallReport Answered { get; } = new("answered", EventKind.CdrIncomingAnswered);

    /// <summary>Incoming calls that nobody answered.</summary>
    public static CallReport Missed { get; } = new("missed", EventKind.CdrIncomingMissed);

    /// <summary>Outgoing calls that were answered.</summary>
    public static CallReport OutAnswered { get; } = new("out_answered", EventKind.CdrOutgoingAnswered);

    /// <summary>Outgoing calls that were not answered.</summary>
    public static CallReport OutMissed { get; } = new("out_missed", EventKind.CdrOutgoingMissed);

    /// <summary>All four.</summary>
    public static IReadOnlyList<CallReport> All { get; } = [Answered, Missed, OutAnswered, OutMissed];

    /// <summary>Its name, the last part of its address.</summary>
    public string Name { get; }

    /// <summary>The kind of detail record that its records stand for.</summary>
    public EventKind Kind { get; }

    /// <summary>Which way its calls go.</summary>
    public CallDirection Direction => Kind is EventKind.CdrOutgoingAnswered or EventKind.CdrOutgoingMissed ? CallDirection.Outgoing : CallDirection.Incoming;

    /// <summary>Whether its calls were answered.</summary>
    public bool IsAnswered => Kind is EventKind.CdrOutgoingAnswered or EventKind.CdrIncomingAnswered;

    /// <summary>Whether a call that ended like this belongs into it.</summary>
    public bool Agrees(CallOutcome outcome) => Kind switch
    {
        EventKind.CdrOutgoingAnswered => outcome is CallOutcome.Reached,
        EventKind.CdrOutgoingMissed => outcome is CallOutcome.NoAnswer or CallOutcome.Busy or CallOutcome.AgentMissed,
        EventKind.CdrIncomingAnswered => outcome is CallOutcome.Answered,
        _ => outcome is CallOutcome.Missed,
    };
}

/// <summary>One call in a report, as far as TeleCMI knows it. Numbers of phones are text, whatever they came as.</summary>
public sealed record ReportRecord
{
    /// <summary>The report that it stands in.</summary>
    public required CallReport Report { get; init; }

    /// <summary><c>cmiuid</c>; which leg it names is not documented.</summary>
    public string? CmiUid { get; init; }

    /// <summary><c>time</c>, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary><c>agent</c>, as <c>&lt;agent&gt;_&lt;app&gt;</c>; missed incoming calls name none.</summary>
    public string? Agent { get; init; }

    /// <summary><c>from</c>.</summary>
    public string? From { get; init; }

    /// <summary><c>to</c>.</summary>
    public string? To { get; init; }

    /// <summary><c>duration</c>, seconds.</summary>
    public long? Duration { get; init; }

    /// <summary><c>billedsec</c>, seconds: by its sample values the talk time.</summary>
    public long? BilledSeconds { get; init; }

    /// <summary><c>filename</c> of the recording.</summary>
    public string? FileName { get; init; }

    /// <summary><c>record</c>: whether there is a recording.</summary>
    public bool IsRecorded { get; init; }

    /// <summary>The customer's number.</summary>
    public string? Customer => Report.Direction is CallDirection.Outgoing ? To : From;
}
