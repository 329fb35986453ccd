namespace TeleCmi.Pipeline.Forwarding;

/// <summary>What the end of a delivery attempt means.</summary>
public enum DeliveryOutcome
{
    /// <summary>The receiver has the event.</summary>
    Delivered,

    /// <summary>It may work later.</summary>
    Retry,

    /// <summary>It cannot work: the address or the receiver has to be changed first.</summary>
    Refused,

    /// <summary>The receiver wants no more events.</summary>
    Gone,
}

/// <summary>One delivery attempt and its end.</summary>
/// <param name="Outcome">What it means.</param>
/// <param name="Reason">The same in a sentence that repeats nothing secret.</param>
public sealed record DeliveryResult(DeliveryOutcome Outcome, string Reason)
{
    /// <summary>The response's status, when there was a response.</summary>
    public int? Status { get; init; }

    /// <summary>The first KiB of the response's body.</summary>
    public string? ResponseBody { get; init; }

    /// <summary>How long the receiver asked to be left alone.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>How long the attempt took.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>What the network said, when there was no response.</summary>
    public Exception? Failure { get; init; }
}
