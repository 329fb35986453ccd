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
