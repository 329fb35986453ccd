using TeleCmi.Events;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>How far a forward is, as it stands in telemetry.</summary>
public static class ForwardOutcome
{
    /// <summary>The receiver has it.</summary>
    public const string Delivered = "delivered";

    /// <summary>The attempt failed, and another one follows.</summary>
    public const string Retried = "retried";

    /// <summary>No attempt was made now, because the destination is failing, asked to wait, or has its share of workers in use.</summary>
    public const string Deferred = "deferred";

    /// <summary>It failed for the last time, and is kept in DeadLetters.</summary>
    public const string DeadLettered = "dead_lettered";

    /// <summary>Another event of the conversation was forwarded.</summary>
    public const string Skipped = "skipped";
}

/// <summary>An event is on its way to a destination, or has ended it.</summary>
/// <param name="Event">The event; lent for this call.</param>
/// <param name="Destination">The destination's name.</param>
/// <param name="Outcome">One of <see cref="ForwardOutcome"/>.</param>
public sealed record ForwardChanged(CallEvent Event, string Destination, string Outcome) : PipelineEvent;
