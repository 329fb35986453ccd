using System.Text;
using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Journaling;

/// <summary>The columns of the journal.</summary>
public static class JournalColumns
{
    /// <summary>The kind's name.</summary>
    public const string Kind = "Kind";

    /// <summary>The event's id in full.</summary>
    public const string EventId = "EventId";

    /// <summary><c>a</c> or <c>b</c>.</summary>
    public const string Leg = "Leg";

    /// <summary><c>agent</c> or <c>customer</c>.</summary>
    public const string AnsweredBy = "AnsweredBy";

    /// <summary>The agent, as <c>&lt;agent&gt;_&lt;app&gt;</c>.</summary>
    public const string User = "User";

    /// <summary>The number shown to the called party.</summary>
    public const string CallerId = "CallerId";

    /// <summary>The called number.</summary>
    public const string To = "To";

    /// <summary>The account's application.</summary>
    public const string AppId = "AppId";

    /// <summary>The conversation.</summary>
    public const string ConversationId = "ConversationId";

    /// <summary>The click2call request.</summary>
    public const string RequestId = "RequestId";

    /// <summary>The leg's id (<c>cmiuuid</c>).</summary>
    public const string CmiUuid = "CmiUuid";

    /// <summary><c>outbound</c> or <c>inbound</c>, as TeleCMI says it of the leg.</summary>
    public const string Direction = "Direction";

    /// <summary>TeleCMI's status, such as <c>answered</c>.</summary>
    public const string Status = "Status";

    /// <summary>The calling number.</summary>
    public const string From = "From";

    /// <summary>The account's number, as detail records name it.</summary>
    public const string VirtualNumber = "VirtualNumber";

    /// <summary>The team of an incoming call.</summary>
    public const string Team = "Team";

    /// <summary>What the account attached to the call, at most 1024 characters.</summary>
    public const string Custom = "Custom";

    /// <summary>Seconds that were talked (<c>answeredsec</c>); on the agent's leg of an outgoing call the customer's ringing is among them.</summary>
    public const string TalkSeconds = "TalkSeconds";

    /// <summary>Seconds that an incoming call waited (<c>waitedsec</c>).</summary>
    public const string WaitSeconds = "WaitSeconds";

    /// <summary>TeleCMI's reason for the end, such as <c>recv_bye</c>.</summary>
    public const string HangupReason = "HangupReason";

    /// <summary>The recording's file name.</summary>
    public const string Recording = "Recording";

    /// <summary>Whether the caller left a voicemail.</summary>
    public const string Voicemail = "Voicemail";

    /// <summary>The sender's time.</summary>
    public const string EventTime = "EventTime";

    /// <summary>When the first delivery reached the receiver.</summary>
    public const string ReceivedAt = "ReceivedAt";

    /// <summary>When all work on the event was done; absent until then.</summary>
    public const string ProcessedAt = "ProcessedAt";

    /// <summary>Until when one delivery has the event's handlers to itself.</summary>
    public const string ClaimedUntil = "ClaimedUntil";

    /// <summary>The type and message of the last failure of a handler.</summary>
    public const string LastFailure = "LastFailure";

    /// <summary>Hash over the normalised fields.</summary>
    public const string ContentHash = "ContentHash";

    /// <summary>The envelope, as JSON.</summary>
    public const string Event = "Event";

    /// <summary>The prefix of the column with a handler's state.</summary>
    public const string HandlerPrefix = "Handler_";

    private const int LongestCustom = 1024;

    internal static TableRow RowOf(CallEvent callEvent, RowKey key)
    {
        var notice = callEvent.Notice;
        return new TableRow(key)
        {
            [Kind] = callEvent.Kind.Name(),
            [EventId] = callEvent.Id,
            [Leg] = notice.Leg,
            [AnsweredBy] = notice.AnsweredBy?.Name(),
            [User] = notice.User,
            [CallerId] = notice.CallerId,
            [To] = notice.To,
            [AppId] = notice.AppIdText,
            [ConversationId] = notice.ConversationUuid,
            [RequestId] = notice.RequestId,
            [CmiUuid] = notice.CmiUuid,
            [Direction] = notice.Direction,
            [Status] = notice.Status,
            [From] = notice.From,
            [VirtualNumber] = notice.VirtualNumber,
            [Team] = notice.Team,
            [Custom] = notice.Custom is { Length: <= LongestCustom } custom ? custom : null,
            [TalkSeconds] = notice.AnsweredSeconds,
            [WaitSeconds] = notice.WaitedSeconds,
            [HangupReason] = notice.HangupReason,
            [Recording] = notice.FileName,
            [Voicemail] = notice.Voicemail ? true : null,
            [EventTime] = notice.Time,
            [ReceivedAt] = callEvent.ReceivedAt,
            [ContentHash] = notice.ContentHash,
            [Event] = Encoding.UTF8.GetString(callEvent.Envelope.Span),
        };
    }
}

/// <summary>How far a handler is with an event, as its column says.</summary>
public static class HandlerState
{
    /// <summary>It has not run, or not to its end.</summary>
    public const string Pending = "pending";

    /// <summary>It threw, and runs again with the next try.</summary>
    public const string Failed = "failed";

    /// <summary>Finished, never run again for this event.</summary>
    public const string Done = "done";
}
