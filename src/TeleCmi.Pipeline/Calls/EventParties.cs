using TeleCmi.Events;

namespace TeleCmi.Pipeline.Calls;

/// <summary>What a single event says of its call: which way it goes, and who takes part.</summary>
internal static class EventParties
{
    /// <summary>The direction of the call that such an event belongs to; null: the kind does not tell.</summary>
    public static CallDirection? DirectionOf(EventKind kind) => kind switch
    {
        EventKind.OutgoingStarted or EventKind.OutgoingAnswered or EventKind.OutgoingHangup or EventKind.CdrOutgoingAnswered or EventKind.CdrOutgoingMissed => CallDirection.Outgoing,
        EventKind.IncomingWaiting or EventKind.IncomingStarted or EventKind.IncomingAnswered or EventKind.IncomingHangup
            or EventKind.CdrIncomingAnswered or EventKind.CdrIncomingMissed => CallDirection.Incoming,
        _ => null,
    };

    /// <summary>The customer's phone number; null: the event does not tell.</summary>
    public static string? CustomerOf(Notice notice) => DirectionOf(notice.Kind) switch
    {
        CallDirection.Outgoing => notice.To,
        CallDirection.Incoming => notice.From,
        _ => null,
    };

    /// <summary>The account's own number; null: the event does not tell, as those of an agent's leg of an incoming call.</summary>
    public static string? BusinessOf(Notice notice) => DirectionOf(notice.Kind) switch
    {
        CallDirection.Outgoing => notice.CallerId ?? notice.VirtualNumber,
        CallDirection.Incoming => notice.VirtualNumber ?? notice.To,
        _ => null,
    };
}
