namespace TeleCmi.Events;

/// <summary>
/// Who picked up. A click-to-call rings the agent first and the target next (TeleCMI's documentation of click2call),
/// so only leg b means that the customer was reached.
/// </summary>
public enum AnsweredBy
{
    /// <summary>The TeleCMI user: leg a.</summary>
    Agent,

    /// <summary>The called party: leg b.</summary>
    Customer,
}

/// <summary>The names of the parties as they stand in the journal, in settings and in telemetry.</summary>
public static class AnsweredByNames
{
    /// <summary><c>agent</c> or <c>customer</c>.</summary>
    public static string Name(this AnsweredBy answeredBy) => answeredBy switch
    {
        AnsweredBy.Agent => "agent",
        AnsweredBy.Customer => "customer",
        _ => throw new ArgumentOutOfRangeException(nameof(answeredBy), answeredBy, "Neither party of the call."),
    };
}
