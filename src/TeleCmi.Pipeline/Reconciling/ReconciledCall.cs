using TeleCmi.Pipeline.Calls;

namespace TeleCmi.Pipeline.Reconciling;

/// <summary>What the comparison says of a call.</summary>
public enum ReconcileState
{
    /// <summary>Here and there, and they agree.</summary>
    Matched,

    /// <summary>TeleCMI knows it, the journal has nothing of it.</summary>
    Missing,

    /// <summary>The journal has something of it, but not the detail record that decides it.</summary>
    Incomplete,

    /// <summary>Here and there, with another outcome or talk time.</summary>
    Differing,

    /// <summary>The journal has it, no report does.</summary>
    HereOnly,

    /// <summary>It is not over, or not settled.</summary>
    Open,

    /// <summary>It cannot be told which call is which.</summary>
    Unclear,
}

/// <summary>The names of the states in JSON, on the command line and in telemetry.</summary>
public static class ReconcileStates
{
    /// <summary>Every state.</summary>
    public static IReadOnlyList<ReconcileState> All { get; } = Enum.GetValues<ReconcileState>();

    /// <summary>The state's name, such as <c>here_only</c>.</summary>
    public static string Name(this ReconcileState state) => state switch
    {
        ReconcileState.Matched => "matched",
        ReconcileState.Missing => "missing",
        ReconcileState.Incomplete => "incomplete",
        ReconcileState.Differing => "differing",
        ReconcileState.HereOnly => "here_only",
        ReconcileState.Open => "open",
        ReconcileState.Unclear => "unclear",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Not a state."),
    };
}

/// <summary>One call, in a report or in the journal or in both.</summary>
public sealed record ReconciledCall
{
    /// <summary>What the comparison says.</summary>
    public required ReconcileState State { get; init; }

    /// <summary>When: by the report, or where it is in none, the first receipt; UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Why, as a sentence without numbers of phones; null when they agree.</summary>
    public string? Why { get; init; }

    /// <summary>What the report has; null when it is in none.</summary>
    public ReportRecord? Record { get; init; }

    /// <summary>The id of the journal's call.</summary>
    public string? CallId { get; init; }

    /// <summary>The outcome in the journal.</summary>
    public CallOutcome? Outcome { get; init; }

    /// <summary>The talk time in the journal, seconds.</summary>
    public long? TalkSeconds { get; init; }

    /// <summary>Whether the two were found by numbers, agent and time, because no id is the same.</summary>
    public bool ByNumbers { get; init; }

    /// <summary>The agent.</summary>
    public string? Agent { get; init; }

    /// <summary>The customer's number.</summary>
    public string? Customer { get; init; }

    /// <summary>What can be queued in the place of the detail record that is not here; null when nothing is missing.</summary>
    public ReconstructedNotice? Reconstructed { get; init; }
}
