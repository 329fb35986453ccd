namespace TeleCmi.Pipeline.Forwarding;

/// <summary>What a call's end means.</summary>
public enum ForwardVerdict
{
    /// <summary>The receiver has it.</summary>
    Delivered,

    /// <summary>It may work later.</summary>
    Retry,

    /// <summary>It will not work: the address or the receiver has to be changed first.</summary>
    Refused,

    /// <summary>The receiver wants no more events.</summary>
    Gone,
}

/// <summary>One call and its end.</summary>
/// <param name="Verdict">What it means.</param>
/// <param name="Reason">The same in a sentence that repeats nothing secret.</param>
public sealed record ForwardAttempt(ForwardVerdict Verdict, string Reason)
{
    /// <summary>The answer's status, when there was an answer.</summary>
    public int? Status { get; init; }

    /// <summary>The answer's first KiB.</summary>
    public string? Answer { get; init; }

    /// <summary>How long the receiver asked to be left alone.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>How long the call took.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>What the network said, when there was no answer.</summary>
    public Exception? Failure { get; init; }
}
