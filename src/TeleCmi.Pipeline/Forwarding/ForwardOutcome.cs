namespace TeleCmi.Pipeline.Forwarding;

/// <summary>How a forward ended, as it stands in telemetry.</summary>
public static class ForwardOutcome
{
    /// <summary>The receiver has it.</summary>
    public const string Delivered = "delivered";

    /// <summary>The call failed and is made again later.</summary>
    public const string Retried = "retried";

    /// <summary>No call was made now, because the destination is failing, asked for a pause, or has enough in flight.</summary>
    public const string Deferred = "deferred";

    /// <summary>Given up, and kept in DeadLetters.</summary>
    public const string DeadLettered = "dead_lettered";

    /// <summary>Another answer of the conversation was forwarded.</summary>
    public const string Skipped = "skipped";
}
