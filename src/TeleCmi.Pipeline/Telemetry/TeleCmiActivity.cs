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
        var activity = StartConsuming(TelemetryNames.ProcessActivity, callEvent.Id, callEvent.Kind.Name(), callEvent.TraceParent);
        if (activity is null)
        {
            return null;
        }

        activity.SetTag(TelemetryNames.MessagingOperationTag, "process");
        activity.SetTag(TelemetryNames.MessagingDestinationTag, queue);
        var notice = callEvent.Notice;
        activity.SetTag(TelemetryNames.AgentTag, LogText.Of(notice.User));
        activity.SetTag(TelemetryNames.ConversationTag, LogText.Of(notice.ConversationUuid));
        activity.SetTag(TelemetryNames.AnsweredByTag, notice.AnsweredBy?.Name());
        activity.SetTag(TelemetryNames.LegTag, TextOrNull(notice.Leg));
        activity.SetTag(TelemetryNames.LegIdTag, TextOrNull(notice.CmiUuid));
        activity.SetTag(TelemetryNames.DirectionTag, TextOrNull(notice.Direction));
        activity.SetTag(TelemetryNames.TalkSecondsTag, notice.AnsweredSeconds);
        activity.SetTag(TelemetryNames.WaitSecondsTag, notice.WaitedSeconds);
        activity.SetTag(TelemetryNames.HangupReasonTag, TextOrNull(notice.HangupReason));
        activity.SetTag(TelemetryNames.TeamTag, TextOrNull(notice.Team));
        return activity;

        static string? TextOrNull(string? text) => text is null ? null : LogText.Of(text);
    }

    public static Activity? StartForwarding(EnvelopedEvent enveloped, string destination, int attempt)
    {
        var activity = StartConsuming(TelemetryNames.ForwardActivity, enveloped.Id, enveloped.Kind, enveloped.TraceParent);
        activity?.SetTag(TelemetryNames.DestinationTag, destination);
        activity?.SetTag(TelemetryNames.AttemptTag, attempt);
        return activity;
    }

    private static Activity? StartConsuming(string name, string eventId, string kind, string? traceParent)
    {
        _ = ActivityContext.TryParse(traceParent, traceState: null, isRemote: true, out var parent);
        // The platform's own span of this invocation belongs to another trace: link it.
        ActivityLink[] links = Activity.Current is { } invocation ? [new(invocation.Context)] : [];
        var activity = Source.StartActivity(name, ActivityKind.Consumer, parent, links: links);
        activity?.SetTag(TelemetryNames.EventIdTag, eventId);
        activity?.SetTag(TelemetryNames.EventKindTag, kind);
        activity?.SetTag(TelemetryNames.CloudEventIdTag, eventId);
        activity?.SetTag(TelemetryNames.CloudEventTypeTag, $"{EventEnvelope.TypePrefix}{kind}");
        return activity;
    }
}
