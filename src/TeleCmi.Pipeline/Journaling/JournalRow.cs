using System.Text;
using Azure.Data.Tables;
using TeleCmi.Events;

namespace TeleCmi.Pipeline.Journaling;

/// <summary>The columns of the journal.</summary>
public static class JournalRow
{
    /// <summary>Column: the kind's name.</summary>
    public const string Kind = "Kind";

    /// <summary>Column: the idempotency key in full.</summary>
    public const string EventId = "EventId";

    /// <summary>Column: <c>a</c> or <c>b</c>.</summary>
    public const string Leg = "Leg";

    /// <summary>Column: <c>agent</c> or <c>customer</c>.</summary>
    public const string AnsweredBy = "AnsweredBy";

    /// <summary>Column: the agent.</summary>
    public const string User = "User";

    /// <summary>Column: the number shown to the called party.</summary>
    public const string CallerId = "CallerId";

    /// <summary>Column: the called number.</summary>
    public const string To = "To";

    /// <summary>Column: the account's application.</summary>
    public const string AppId = "AppId";

    /// <summary>Column: the conversation.</summary>
    public const string ConversationId = "ConversationId";

    /// <summary>Column: the click2call request.</summary>
    public const string RequestId = "RequestId";

    /// <summary>Column: the sender's time.</summary>
    public const string EventTime = "EventTime";

    /// <summary>Column: when the first delivery reached the receiver.</summary>
    public const string ReceivedAt = "ReceivedAt";

    /// <summary>Column: when all work on the event was done; absent until then.</summary>
    public const string ProcessedAt = "ProcessedAt";

    /// <summary>Column: hash over the normalised fields.</summary>
    public const string ContentHash = "ContentHash";

    /// <summary>Column: the envelope.</summary>
    public const string Event = "Event";

    /// <summary>What stands before a handler's name in the column of its state.</summary>
    public const string HandlerPrefix = "Handler_";

    /// <summary>A handler's state: it has not run, or not to its end.</summary>
    public const string Pending = "pending";

    /// <summary>A handler's state: it threw; it runs again with the next try.</summary>
    public const string Failed = "failed";

    /// <summary>A handler's state: finished, never run again for this event.</summary>
    public const string Done = "done";

    internal static TableEntity Of(CallEvent callEvent, JournalKey key)
    {
        var notice = callEvent.Notice;
        return new TableEntity(key.Partition, key.Row)
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
