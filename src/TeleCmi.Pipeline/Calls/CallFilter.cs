using TeleCmi.Events;

namespace TeleCmi.Pipeline.Calls;

/// <summary>Which calls; null means any.</summary>
public sealed record CallFilter
{
    /// <summary>The first UTC day of receipt; null: the same as <see cref="To"/>.</summary>
    public DateOnly? From { get; init; }

    /// <summary>The last UTC day of receipt, included; null: today.</summary>
    public DateOnly? To { get; init; }

    /// <summary>The agent, with the application (<c>202_2222223</c>) or without (<c>202</c>).</summary>
    public string? Agent { get; init; }

    /// <summary>The customer's number; its last digits are enough, at least <see cref="FewestDigits"/>.</summary>
    public string? Number { get; init; }

    /// <summary>How the call ended.</summary>
    public CallOutcome? Outcome { get; init; }

    /// <summary>Which way it went.</summary>
    public CallDirection? Direction { get; init; }

    /// <summary>A kind of event that the call has.</summary>
    public EventKind? Kind { get; init; }

    /// <summary>Its conversation, its click2call request, the id or leg of one of its events, or its own id; exactly.</summary>
    public string? Conversation { get; init; }

    /// <summary>The fewest digits that tell one number from another.</summary>
    public const int FewestDigits = 7;

    /// <summary>Whether a call matches in everything but its day.</summary>
    public bool Matches(CallRecord call) =>
        (Agent is null || call.Agent == Agent || call.Agent?.StartsWith($"{Agent}_", StringComparison.Ordinal) == true)
        && (Number is null || PhoneNumber.IsSame(call.CustomerNumber, Number))
        && (Outcome is null || call.Outcome == Outcome)
        && (Direction is null || call.Direction == Direction)
        && (Kind is null || call.Events.Any(notice => notice.Kind == Kind))
        && (Conversation is null || call.Id == Conversation || call.ConversationId == Conversation || call.RequestId == Conversation
            || call.Events.Any(notice => notice.Id == Conversation || notice.CmiUuid == Conversation));
}
