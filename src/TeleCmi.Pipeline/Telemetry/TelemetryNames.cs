namespace TeleCmi.Pipeline.Telemetry;

/// <summary>Every name that leaves this product in telemetry: queries, the workbook and alerts use them.</summary>
public static class TelemetryNames
{
    /// <summary>The name of the meter and of the activity source.</summary>
    public const string Source = "TeleCmi";

    /// <summary>Counter: requests by <see cref="Kind"/> and <see cref="Outcome"/>.</summary>
    public const string EventsReceived = "telecmi.events.received";

    /// <summary>Histogram, seconds: from the request to its response, by <see cref="Outcome"/>.</summary>
    public const string ReceiveDuration = "telecmi.receive.duration";

    /// <summary>Histogram, seconds: until the queue has the event, by <see cref="Outcome"/>.</summary>
    public const string EnqueueDuration = "telecmi.enqueue.duration";

    /// <summary>Counter: processed messages by <see cref="Kind"/> and <see cref="Outcome"/>.</summary>
    public const string EventsProcessed = "telecmi.events.processed";

    /// <summary>Histogram, seconds: from receipt to processed, by <see cref="Kind"/>.</summary>
    public const string EventLag = "telecmi.event.lag";

    /// <summary>Histogram, seconds: one handler's run, by <see cref="Handler"/> and <see cref="Outcome"/>.</summary>
    public const string HandlerDuration = "telecmi.handler.duration";

    /// <summary>Counter: dead letters by <see cref="Reason"/> and <see cref="Kind"/>.</summary>
    public const string DeadLetters = "telecmi.dead_letters";

    /// <summary>Counter: forwards by <see cref="Destination"/> and <see cref="Outcome"/>.</summary>
    public const string Forwards = "telecmi.forwards";

    /// <summary>Histogram, seconds: one delivery attempt, by <see cref="Destination"/> and <see cref="Outcome"/>.</summary>
    public const string ForwardDuration = "telecmi.forward.duration";

    /// <summary>Counter: calls that were compared with TeleCMI's reports, by <see cref="Outcome"/>; a call that stays missing counts in every run.</summary>
    public const string ReconciledCalls = "telecmi.reconcile.calls";

    /// <summary>Gauge, seconds since 1970: up to when nothing that TeleCMI knows is missing here.</summary>
    public const string CompleteUpTo = "telecmi.reconcile.complete_up_to";

    /// <summary>Attribute: the kind of event.</summary>
    public const string Kind = "kind";

    /// <summary>Attribute: how it ended.</summary>
    public const string Outcome = "outcome";

    /// <summary>Attribute: the handler's name.</summary>
    public const string Handler = "handler";

    /// <summary>Attribute: why it is a dead letter.</summary>
    public const string Reason = "reason";

    /// <summary>Attribute: the destination's name.</summary>
    public const string Destination = "destination";

    /// <summary>Span: a request received.</summary>
    public const string ReceiveActivity = "telecmi.receive";

    /// <summary>Span: a message processed, child of the request that brought it.</summary>
    public const string ProcessActivity = "telecmi.process";

    /// <summary>Span: a forward worked on, child of the request that brought the event.</summary>
    public const string ForwardActivity = "telecmi.forward";

    /// <summary>Span tag: the event's id.</summary>
    public const string EventIdTag = "telecmi.event.id";

    /// <summary>Span tag: the event's kind.</summary>
    public const string EventKindTag = "telecmi.event.kind";

    /// <summary>Span tag: how it ended.</summary>
    public const string OutcomeTag = "telecmi.outcome";

    /// <summary>Span tag: milliseconds from receipt to processed.</summary>
    public const string LagTag = "telecmi.event.lag_ms";

    /// <summary>Span tag: who answered, <c>agent</c> or <c>customer</c>.</summary>
    public const string AnsweredByTag = "telecmi.answered_by";

    /// <summary>Span tag: the agent.</summary>
    public const string AgentTag = "telecmi.agent";

    /// <summary>Span tag: the conversation.</summary>
    public const string ConversationTag = "telecmi.conversation_id";

    /// <summary>Span tag: the leg, <c>a</c> or <c>b</c>.</summary>
    public const string LegTag = "telecmi.leg";

    /// <summary>Span tag: the leg's id; a detail record that names no conversation has it in common with the leg's events.</summary>
    public const string LegIdTag = "telecmi.leg_id";

    /// <summary>Span tag: <c>outbound</c> or <c>inbound</c>, as TeleCMI says it of the leg.</summary>
    public const string DirectionTag = "telecmi.direction";

    /// <summary>Span tag: seconds that were talked, of a detail record; on leg a the customer's ringing is among them.</summary>
    public const string TalkSecondsTag = "telecmi.talk_seconds";

    /// <summary>Span tag: seconds that an incoming call waited.</summary>
    public const string WaitSecondsTag = "telecmi.wait_seconds";

    /// <summary>Span tag: TeleCMI's reason for the end, such as <c>recv_bye</c>.</summary>
    public const string HangupReasonTag = "telecmi.hangup_reason";

    /// <summary>Span tag: the team of an incoming call.</summary>
    public const string TeamTag = "telecmi.team";

    /// <summary>Span tag: the destination's name.</summary>
    public const string DestinationTag = "telecmi.destination";

    /// <summary>Span tag: which attempt this is.</summary>
    public const string AttemptTag = "telecmi.attempt";

    /// <summary>Span tag of the OpenTelemetry conventions for CloudEvents: the event's id.</summary>
    public const string CloudEventIdTag = "cloudevents.event_id";

    /// <summary>Span tag of the OpenTelemetry conventions for CloudEvents: the event's type.</summary>
    public const string CloudEventTypeTag = "cloudevents.event_type";

    /// <summary>Span tag of the OpenTelemetry conventions for messaging: what is done with the message.</summary>
    public const string MessagingOperationTag = "messaging.operation.type";

    /// <summary>Span tag of the OpenTelemetry conventions for messaging: the queue.</summary>
    public const string MessagingDestinationTag = "messaging.destination.name";

    /// <summary>Span tag: the status of the destination's response.</summary>
    public const string StatusTag = "http.response.status_code";
}
