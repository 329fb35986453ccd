using System.Text;
using TeleCmi.Events;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Calls;

/// <summary>What a call is made of: one row of the journal without its envelope.</summary>
public sealed record CallNotice
{
    /// <summary>The journal's columns that a call needs.</summary>
    internal static readonly string[] Columns =
    [
        JournalColumns.Kind, JournalColumns.EventId, JournalColumns.Leg, JournalColumns.User, JournalColumns.CallerId, JournalColumns.To,
        JournalColumns.AppId, JournalColumns.ConversationId, JournalColumns.RequestId, JournalColumns.EventTime, JournalColumns.ReceivedAt, JournalColumns.CmiUuid,
        JournalColumns.Status, JournalColumns.From, JournalColumns.VirtualNumber, JournalColumns.Team, JournalColumns.Custom,
        JournalColumns.TalkSeconds, JournalColumns.WaitSeconds, JournalColumns.HangupReason, JournalColumns.Recording, JournalColumns.Voicemail,
    ];

    /// <summary>Where it stands in the journal.</summary>
    public required RowKey Key { get; init; }

    /// <summary>The event's id.</summary>
    public required string Id { get; init; }

    /// <summary>What it announces.</summary>
    public required EventKind Kind { get; init; }

    /// <inheritdoc cref="Notice.Leg"/>
    public string? Leg { get; init; }

    /// <summary>When its first delivery was received, UTC.</summary>
    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>Whether it is a call detail record; one with a status that is none of the documented kinds counts too.</summary>
    public bool IsCdr => Kind is EventKind.CdrOutgoingAnswered or EventKind.CdrOutgoingMissed or EventKind.CdrIncomingAnswered or EventKind.CdrIncomingMissed
        || (Kind is EventKind.Other && Id.Split(':') is [_, "cdr", ..]);

    internal string? AppId { get; init; }

    internal string? ConversationId { get; init; }

    internal string? RequestId { get; init; }

    internal string? CmiUuid { get; init; }

    internal string? User { get; init; }

    internal string? From { get; init; }

    internal string? To { get; init; }

    internal string? CallerId { get; init; }

    /// <summary>The number that this notice by itself gives the customer: who called, or who was called.</summary>
    internal string? Customer => EventParties.DirectionOf(Kind) is CallDirection.Incoming ? From : To;

    internal string? VirtualNumber { get; init; }

    internal string? Team { get; init; }

    internal string? Custom { get; init; }

    internal string? Status { get; init; }

    internal long? TalkSeconds { get; init; }

    internal long? WaitSeconds { get; init; }

    internal string? HangupReason { get; init; }

    internal string? Recording { get; init; }

    internal bool Voicemail { get; init; }

    /// <summary>Reads a row; one of an older version, which lacks the columns of calls, from its envelope.</summary>
    internal static CallNotice Of(TableRow row)
    {
        var written = row.Text(JournalColumns.CmiUuid) is null && row.Text(JournalColumns.Event) is { } envelope ? OfEnvelope(row, envelope) : null;
        return written ?? new CallNotice
        {
            Key = row.Key,
            Id = row.Text(JournalColumns.EventId) ?? "",
            Kind = EventKinds.TryParse(row.Text(JournalColumns.Kind), out var kind) ? kind : EventKind.Other,
            Leg = row.Text(JournalColumns.Leg),
            ReceivedAt = row.Time(JournalColumns.ReceivedAt) ?? default,
            AppId = row.Text(JournalColumns.AppId),
            ConversationId = row.Text(JournalColumns.ConversationId),
            RequestId = row.Text(JournalColumns.RequestId),
            CmiUuid = row.Text(JournalColumns.CmiUuid),
            User = row.Text(JournalColumns.User),
            From = row.Text(JournalColumns.From),
            To = row.Text(JournalColumns.To),
            CallerId = row.Text(JournalColumns.CallerId),
            VirtualNumber = row.Text(JournalColumns.VirtualNumber),
            Team = row.Text(JournalColumns.Team),
            Custom = row.Text(JournalColumns.Custom),
            Status = row.Text(JournalColumns.Status),
            TalkSeconds = row.Number(JournalColumns.TalkSeconds),
            WaitSeconds = row.Number(JournalColumns.WaitSeconds),
            HangupReason = row.Text(JournalColumns.HangupReason),
            Recording = row.Text(JournalColumns.Recording),
            Voicemail = row.Flag(JournalColumns.Voicemail) == true,
        };
    }

    /// <summary>What the journal will say of an event.</summary>
    public static CallNotice Of(CallEvent callEvent) => Of(JournalColumns.RowOf(callEvent, JournalKey.Of(callEvent)));

    private static CallNotice? OfEnvelope(TableRow row, string envelope)
    {
        if (!EventEnvelope.TryRead(Encoding.UTF8.GetBytes(envelope), out var callEvent, out _))
        {
            return null;
        }

        var columns = JournalColumns.RowOf(callEvent, row.Key);
        columns[JournalColumns.ReceivedAt] = row.Time(JournalColumns.ReceivedAt) ?? callEvent.ReceivedAt;
        columns[JournalColumns.Event] = null;
        return Of(columns);
    }
}
