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
