namespace TeleCmi.Events;

/// <summary>Tells what a notice announces, and what only looks like an outgoing answer.</summary>
internal static class EventClassifier
{
    public static EventKind KindOf(Notice notice)
    {
        // The 2019 format marks the agent's leg of an incoming call with parent_uid and calls it outbound.
        if (notice.Has(NoticeField.ParentUid))
        {
            return EventKind.Other;
        }

        var outbound = notice.Is(NoticeField.Direction, "outbound"u8);
        if (!outbound && !notice.Is(NoticeField.Direction, "inbound"u8))
        {
            return EventKind.Other;
        }

        return notice.Is(NoticeField.Type, "event"u8) ? LiveEvent(notice, outbound)
            : notice.Is(NoticeField.Type, "cdr"u8) ? DetailRecord(notice, outbound)
            : EventKind.Other;
    }

    private static EventKind LiveEvent(Notice notice, bool outbound)
    {
        if (!outbound)
        {
            return Incoming(notice);
        }

        // An incoming call's agent leg is outbound too, towards the agent: it has none of the fields of an outgoing call, and in
        // live traffic not always team and from. With a called number beside those it could be either, so it is neither.
        if (!notice.Has(NoticeField.CallerId) && !notice.Has(NoticeField.CallId))
        {
            if (!notice.Has(NoticeField.To))
            {
                return Incoming(notice);
            }

            if (notice.Has(NoticeField.Team) || notice.Has(NoticeField.From))
            {
                return EventKind.Other;
            }
        }

        return notice.Is(NoticeField.Status, "answered"u8) ? EventKind.OutgoingAnswered
            : notice.Is(NoticeField.Status, "started"u8) ? EventKind.OutgoingStarted
            : notice.Is(NoticeField.Status, "hangup"u8) ? EventKind.OutgoingHangup
            : EventKind.Other;
    }

    private static EventKind Incoming(Notice notice) =>
        notice.Is(NoticeField.Status, "waiting"u8) ? EventKind.IncomingWaiting
        : notice.Is(NoticeField.Status, "started"u8) ? EventKind.IncomingStarted
        : notice.Is(NoticeField.Status, "answered"u8) ? EventKind.IncomingAnswered
        : notice.Is(NoticeField.Status, "hangup"u8) ? EventKind.IncomingHangup
        : EventKind.Other;

    private static EventKind DetailRecord(Notice notice, bool outbound) =>
        notice.Is(NoticeField.Status, "answered"u8) ? (outbound ? EventKind.CdrOutgoingAnswered : EventKind.CdrIncomingAnswered)
        : notice.Is(NoticeField.Status, "missed"u8) ? (outbound ? EventKind.CdrOutgoingMissed : EventKind.CdrIncomingMissed)
        : EventKind.Other;
}
