using System.Diagnostics;
using TeleCmi.Events;

namespace TeleCmi.Pipeline.Telemetry;

/// <summary>The spans of an event's way; its trace goes on over the queue through the envelope's <c>traceparent</c>.</summary>
internal static class TeleCmiActivity
{
    private static readonly ActivitySource Source = new(TelemetryNames.Source);

    public static Activity? StartReceiving() => Source.StartActivity(TelemetryNames.ReceiveActivity, ActivityKind.Producer);

    public static Activity? StartProcessing(CallEvent callEvent, string queue)
    {
        var activity = StartConsuming(TelemetryNames.ProcessActivity, callEvent);
        activity?.SetTag(TelemetryNames.MessagingOperationTag, "process");
        activity?.SetTag(TelemetryNames.MessagingDestinationTag, queue);
        activity?.SetTag(TelemetryNames.AgentTag, LogText.Of(callEvent.Notice.User));
        activity?.SetTag(TelemetryNames.ConversationTag, LogText.Of(callEvent.Notice.ConversationUuid));
        activity?.SetTag(TelemetryNames.AnsweredByTag, callEvent.Notice.AnsweredBy?.Name());
        return activity;
    }

    public static Activity? StartForwarding(CallEvent callEvent, string destination, int attempt)
    {
        var activity = StartConsuming(TelemetryNames.ForwardActivity, callEvent);
        activity?.SetTag(TelemetryNames.DestinationTag, destination);
        activity?.SetTag(TelemetryNames.AttemptTag, attempt);
        return activity;
    }

    private static Activity? StartConsuming(string name, CallEvent callEvent)
    {
        _ = ActivityContext.TryParse(callEvent.TraceParent, traceState: null, isRemote: true, out var parent);
        // The platform's own span of this invocation belongs to another trace: link it.
        ActivityLink[] links = Activity.Current is { } invocation ? [new(invocation.Context)] : [];
        var activity = Source.StartActivity(name, ActivityKind.Consumer, parent, links: links);
        activity?.SetTag(TelemetryNames.EventIdTag, callEvent.Id);
        activity?.SetTag(TelemetryNames.EventKindTag, callEvent.Kind.Name());
        activity?.SetTag(TelemetryNames.CloudEventIdTag, callEvent.Id);
        activity?.SetTag(TelemetryNames.CloudEventTypeTag, $"{EventEnvelope.TypePrefix}{callEvent.Kind.Name()}");
        return activity;
    }
}
