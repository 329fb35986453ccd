namespace TeleCmi.Pipeline.Calls;

/// <summary>Which way a call goes, seen from the account.</summary>
public enum CallDirection
{
    /// <summary>An agent calls a customer.</summary>
    Outgoing,

    /// <summary>A customer calls the account.</summary>
    Incoming,
}

/// <summary>How a call ended, as far as its notices say.</summary>
public enum CallOutcome
{
    /// <summary>It ended in a way that the notices do not tell, or nothing has been heard of it for hours.</summary>
    Unknown,

    /// <summary>Nothing says that it ended.</summary>
    InProgress,

    /// <summary>Outgoing: the customer picked up.</summary>
    Reached,

    /// <summary>Outgoing: the customer's line was busy, or the call was rejected.</summary>
    Busy,

    /// <summary>Outgoing: the customer did not pick up.</summary>
    NoAnswer,

    /// <summary>Outgoing: the agent did not pick up, so the customer was never rung.</summary>
    AgentMissed,

    /// <summary>Incoming: an agent picked up.</summary>
    Answered,

    /// <summary>Incoming: nobody picked up.</summary>
    Missed,
}

/// <summary>The names of directions and outcomes in JSON, on the command line and on the page.</summary>
public static class CallNames
{
    /// <summary>Every outcome.</summary>
    public static IReadOnlyList<CallOutcome> Outcomes { get; } = Enum.GetValues<CallOutcome>();

    /// <summary>Every direction.</summary>
    public static IReadOnlyList<CallDirection> Directions { get; } = Enum.GetValues<CallDirection>();

    /// <summary>The direction's name, such as <c>outgoing</c>.</summary>
    public static string Name(this CallDirection direction) => direction is CallDirection.Outgoing ? "outgoing" : "incoming";

    /// <summary>The outcome's name, such as <c>no_answer</c>.</summary>
    public static string Name(this CallOutcome outcome) => outcome switch
    {
        CallOutcome.InProgress => "in_progress",
        CallOutcome.Reached => "reached",
        CallOutcome.Busy => "busy",
        CallOutcome.NoAnswer => "no_answer",
        CallOutcome.AgentMissed => "agent_missed",
        CallOutcome.Answered => "answered",
        CallOutcome.Missed => "missed",
        CallOutcome.Unknown => "unknown",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "Not an outcome."),
    };
}

/// <summary>One phone call: everything that the journal has of one conversation. Moments are receipt times, UTC.</summary>
public sealed record CallRecord
{
    internal const string IdSeparator = ":call:";

    /// <summary><c>&lt;app&gt;:call:&lt;conversation&gt;</c>; in its place <c>request~…</c> or <c>unjoined~…</c> where the notices name no conversation.</summary>
    public required string Id { get; init; }

    /// <summary>The id without the application.</summary>
    public string Name => Id[((AppId ?? "-").Length + IdSeparator.Length)..];

    /// <summary>TeleCMI's <c>conversation_uuid</c>; null when no notice of the call names one.</summary>
    public string? ConversationId { get; init; }

    /// <summary>The account's application.</summary>
    public string? AppId { get; init; }

    /// <summary>Which way it goes; null when no notice tells.</summary>
    public CallDirection? Direction { get; init; }

    /// <summary>The agent, as <c>&lt;agent&gt;_&lt;app&gt;</c>.</summary>
    public string? Agent { get; init; }

    /// <summary>The customer's phone number.</summary>
    public string? CustomerNumber { get; init; }

    /// <summary>The account's own number that was shown or dialled.</summary>
    public string? BusinessNumber { get; init; }

    /// <summary>The team that an incoming call was for.</summary>
    public string? Team { get; init; }

    /// <summary>The click2call request that began it.</summary>
    public string? RequestId { get; init; }

    /// <summary>What the account attached to the call.</summary>
    public string? Custom { get; init; }

    /// <summary>When its first notice was received.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When the agent's answer was received.</summary>
    public DateTimeOffset? AgentAnsweredAt { get; init; }

    /// <summary>Outgoing: when the customer's answer was received.</summary>
    public DateTimeOffset? CustomerAnsweredAt { get; init; }

    /// <summary>When the notice that ends the call was received.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>How it ended.</summary>
    public required CallOutcome Outcome { get; init; }

    /// <summary>How long agent and customer talked, in seconds; only a detail record knows.</summary>
    public long? TalkSeconds { get; init; }

    /// <summary>How long an incoming call waited, in seconds; only a detail record knows.</summary>
    public long? WaitSeconds { get; init; }

    /// <summary>TeleCMI's reason for the end, such as <c>recv_bye</c>.</summary>
    public string? HangupReason { get; init; }

    /// <summary>The recording's file name.</summary>
    public string? Recording { get; init; }

    /// <summary>Whether the caller left a voicemail.</summary>
    public bool Voicemail { get; init; }

    /// <summary>
    /// Whether something says how it ended: leg b's detail record, a missed leg a, an incoming call's detail record, or the
    /// hangup that ends it. Only a notice that comes later can change the record then, no time.
    /// </summary>
    public bool IsDecided => EndedAt is not null;

    /// <summary>Whether agent and customer talked with each other.</summary>
    public bool IsContact => Outcome is CallOutcome.Reached or CallOutcome.Answered;

    /// <summary>Whether every notice is here that a call of this outcome has.</summary>
    public bool Complete => Missing.Count == 0;

    /// <summary>The notices that should be here and are not, such as <c>cdr.b</c>.</summary>
    public required IReadOnlyList<string> Missing { get; init; }

    /// <summary>The call's notices in order of receipt.</summary>
    public required IReadOnlyList<CallNotice> Events { get; init; }

    /// <summary>Every id that the call can have had, its own first: before one of its notices names the conversation it stands under its request or a leg.</summary>
    internal IEnumerable<string> Ids =>
        Events.Where(notice => notice.ConversationId is null).Select(notice => IdOf(AppId, NameOf(notice.RequestId, notice.CmiUuid ?? notice.Id))).Prepend(Id).Distinct(StringComparer.Ordinal);

    /// <summary>The same without its notices, for those who hold many.</summary>
    public CallRecord WithoutEvents() => this with { Events = [] };

    internal static string IdOf(string? appId, string name) => $"{appId ?? "-"}{IdSeparator}{name}";

    /// <summary>The name of a call without a conversation.</summary>
    internal static string NameOf(string? request, string leg) => request is null ? $"unjoined~{leg}" : $"request~{request}";
}
