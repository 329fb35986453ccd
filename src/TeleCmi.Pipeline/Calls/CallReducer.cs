using TeleCmi.Events;

namespace TeleCmi.Pipeline.Calls;

/// <summary>
/// Makes one record of a call's notices. Pure: the same notices give the same record, in any order and however often each
/// comes; which notice decides what is TeleCMI's live traffic as integrators recorded it (docs/calls.md).
/// </summary>
public static class CallReducer
{
    /// <summary>After so long without an end a call counts as ended, nobody knows how.</summary>
    public static readonly TimeSpan LongestCall = TimeSpan.FromHours(4);

    private const string RejectedByCustomer = "sent_reject";

    /// <summary>Makes the record.</summary>
    /// <param name="id">The call's id.</param>
    /// <param name="notices">The call's notices, at least one.</param>
    /// <param name="asOf">The moment for which the record holds.</param>
    public static CallRecord Reduce(string id, IEnumerable<CallNotice> notices, DateTimeOffset asOf)
    {
        CallNotice[] events =
        [
            .. notices.DistinctBy(notice => notice.Key)
                .OrderBy(notice => notice.ReceivedAt)
                .ThenBy(notice => notice.Key.Partition, StringComparer.Ordinal)
                .ThenBy(notice => notice.Key.Row, StringComparer.Ordinal),
        ];
        CallDirection? direction = events.Any(notice => EventParties.DirectionOf(notice.Kind) is CallDirection.Outgoing) ? CallDirection.Outgoing
            : events.Any(notice => EventParties.DirectionOf(notice.Kind) is CallDirection.Incoming) ? CallDirection.Incoming
            : null;
        var call = direction is CallDirection.Incoming ? Incoming(events) : Outgoing(events);
        var outcome = direction is null ? CallOutcome.Unknown : call.Outcome;
        if (outcome is CallOutcome.InProgress && asOf - events[0].ReceivedAt > LongestCall)
        {
            outcome = CallOutcome.Unknown;
        }

        return call with { Id = id, Direction = direction, Outcome = outcome };
    }

    // The customer's leg decides; the agent's detail record says "answered" even when the customer never picked up.
    private static CallRecord Outgoing(CallNotice[] events)
    {
        var cdrA = Last(events, notice => notice.IsCdr && notice.Leg == "a");
        var cdrB = Last(events, notice => notice.IsCdr && notice.Leg != "a");
        var answeredA = First(events, notice => notice.Kind is EventKind.OutgoingAnswered && notice.Leg == "a");
        var answeredB = First(events, notice => notice.Kind is EventKind.OutgoingAnswered && notice.Leg == "b");
        var hangupA = First(events, notice => notice.Kind is EventKind.OutgoingHangup && notice.Leg == "a");
        var hangupB = First(events, notice => notice.Kind is EventKind.OutgoingHangup && notice.Leg == "b");
        var hasLegB = events.Any(notice => notice.Leg == "b");
        var outcome = cdrB switch
        {
            { Kind: EventKind.CdrOutgoingAnswered } => CallOutcome.Reached,
            { Kind: EventKind.CdrOutgoingMissed, HangupReason: RejectedByCustomer } => CallOutcome.Busy,
            { Kind: EventKind.CdrOutgoingMissed } => CallOutcome.NoAnswer,
            not null => CallOutcome.Unknown,
            null when answeredB is not null => CallOutcome.Reached,
            null when hangupB is not null => CallOutcome.NoAnswer,
            null when hasLegB => CallOutcome.InProgress,
            null when cdrA is { Kind: EventKind.CdrOutgoingMissed } || (hangupA is not null && answeredA is null && cdrA is null) => CallOutcome.AgentMissed,
            null when cdrA is not null => CallOutcome.Unknown,
            _ => CallOutcome.InProgress,
        };
        List<string> missing = [];
        Expect(missing, "cdr.a", cdrA, events.Any(notice => notice.Leg == "a"));
        Expect(missing, "answered.a", answeredA, cdrA is { Kind: EventKind.CdrOutgoingAnswered });
        Expect(missing, "cdr.b", cdrB, hasLegB || (answeredA is not null && hangupA is not null));
        Expect(missing, "answered.b", answeredB, cdrB is { Kind: EventKind.CdrOutgoingAnswered });
        Expect(missing, "hangup.b", hangupB, hasLegB);
        var live = events.Where(notice => !notice.IsCdr).ToArray();
        return Common(events, cdrB ?? cdrA) with
        {
            Outcome = outcome,
            Missing = missing,
            CustomerNumber = Text(live, notice => notice.To) ?? cdrB?.To,
            BusinessNumber = Text(live, notice => notice.CallerId) ?? Text(events, notice => notice.VirtualNumber),
            AgentAnsweredAt = answeredA?.ReceivedAt,
            CustomerAnsweredAt = answeredB?.ReceivedAt,
            EndedAt = (hangupB ?? cdrB ?? (outcome is CallOutcome.AgentMissed ? hangupA ?? cdrA : null))?.ReceivedAt,
            TalkSeconds = outcome is CallOutcome.Reached ? cdrB?.TalkSeconds : null,
            HangupReason = (cdrB ?? (hasLegB ? null : cdrA))?.HangupReason,
        };
    }

    // One record for each agent that was rung; one that was answered decides.
    private static CallRecord Incoming(CallNotice[] events)
    {
        var answeredCdr = Last(events, notice => notice.Kind is EventKind.CdrIncomingAnswered);
        var missedCdr = Last(events, notice => notice.Kind is EventKind.CdrIncomingMissed);
        var cdr = answeredCdr ?? missedCdr;
        var agentAnswered = First(events, notice => notice.Kind is EventKind.IncomingAnswered && notice.Leg == "b");
        var answered = agentAnswered ?? First(events, notice => notice.Kind is EventKind.IncomingAnswered);
        var callerHangup = First(events, notice => notice.Kind is EventKind.IncomingHangup && notice.Leg != "b");
        var outcome = answeredCdr is not null || (cdr is null && answered is not null) ? CallOutcome.Answered
            : missedCdr is not null || callerHangup is not null ? CallOutcome.Missed
            : CallOutcome.InProgress;
        List<string> missing = [];
        Expect(missing, "cdr", cdr, true);
        Expect(missing, "answered.b", agentAnswered, outcome is CallOutcome.Answered);
        Expect(missing, "hangup", callerHangup, events.Any(notice => !notice.IsCdr && notice.Leg != "b"));
        var caller = events.Where(notice => !notice.IsCdr && notice.Leg != "b").ToArray();
        return Common(events, cdr) with
        {
            Outcome = outcome,
            Missing = missing,
            Agent = answeredCdr?.User ?? answered?.User ?? Text(events, notice => notice.User),
            CustomerNumber = Text(caller, notice => notice.From) ?? Text(events.Where(notice => !notice.IsCdr), notice => notice.From) ?? cdr?.From,
            BusinessNumber = Text(caller, notice => notice.To) ?? cdr?.VirtualNumber ?? cdr?.To,
            AgentAnsweredAt = agentAnswered?.ReceivedAt,
            EndedAt = (callerHangup ?? cdr)?.ReceivedAt,
            TalkSeconds = answeredCdr?.TalkSeconds,
            WaitSeconds = cdr?.WaitSeconds,
        };
    }

    private static CallRecord Common(CallNotice[] events, CallNotice? cdr) => new()
    {
        Id = "",
        Outcome = CallOutcome.Unknown,
        Missing = [],
        Events = events,
        ConversationId = Text(events, notice => notice.ConversationId),
        AppId = Text(events, notice => notice.AppId),
        Agent = Text(events, notice => notice.User),
        Team = Text(events, notice => notice.Team),
        RequestId = Text(events, notice => notice.RequestId),
        Custom = Text(events.Where(notice => !notice.IsCdr), notice => notice.Custom) ?? cdr?.Custom,
        StartedAt = events[0].ReceivedAt,
        HangupReason = cdr?.HangupReason,
        Recording = cdr?.Recording ?? Text(events, notice => notice.Recording),
        Voicemail = events.Any(notice => notice.Voicemail),
    };

    private static void Expect(List<string> missing, string name, CallNotice? found, bool isExpected)
    {
        if (found is null && isExpected)
        {
            missing.Add(name);
        }
    }

    private static CallNotice? First(CallNotice[] events, Predicate<CallNotice> matches) => Array.Find(events, matches);

    // A detail record that comes again with other content is a correction.
    private static CallNotice? Last(CallNotice[] events, Predicate<CallNotice> matches) => Array.FindLast(events, matches);

    private static string? Text(IEnumerable<CallNotice> events, Func<CallNotice, string?> select) => events.Select(select).FirstOrDefault(text => text is not null);
}
