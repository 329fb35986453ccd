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
        var activity = StartConsuming(TelemetryNames.ProcessActivity, EnvelopedEvent.Of(callEvent));
        activity?.SetTag(TelemetryNames.MessagingOperationTag, "process");
        activity?.SetTag(TelemetryNames.MessagingDestinationTag, queue);
        activity?.SetTag(TelemetryNames.AgentTag, LogText.Of(callEvent.Notice.User));
        activity?.SetTag(TelemetryNames.ConversationTag, LogText.Of(callEvent.Notice.ConversationUuid));
        activity?.SetTag(TelemetryNames.AnsweredByTag, callEvent.Notice.AnsweredBy?.Name());
        return activity;
    }

    public static Activity? StartForwarding(EnvelopedEvent enveloped, string destination, int attempt)
    {
        var activity = StartConsuming(TelemetryNames.ForwardActivity, enveloped);
        activity?.SetTag(TelemetryNames.DestinationTag, destination);
        activity?.SetTag(TelemetryNames.AttemptTag, attempt);
        return activity;
    }

    private static Activity? StartConsuming(string name, EnvelopedEvent enveloped)
    {
        _ = ActivityContext.TryParse(enveloped.TraceParent, traceState: null, isRemote: true, out var parent);
        // The platform's own span of this invocation belongs to another trace: link it.
        ActivityLink[] links = Activity.Current is { } invocation ? [new(invocation.Context)] : [];
        var activity = Source.StartActivity(name, ActivityKind.Consumer, parent, links: links);
        activity?.SetTag(TelemetryNames.EventIdTag, enveloped.Id);
        activity?.SetTag(TelemetryNames.EventKindTag, enveloped.Kind);
        activity?.SetTag(TelemetryNames.CloudEventIdTag, enveloped.Id);
        activity?.SetTag(TelemetryNames.CloudEventTypeTag, $"{EventEnvelope.TypePrefix}{enveloped.Kind}");
        return activity;
    }
}
