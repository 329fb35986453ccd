using Microsoft.Extensions.Logging;
using TeleCmi.Events;
using TeleCmi.Pipeline.Observing;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// Puts an event into the queue of one destination. As a handler it has a column in the journal, so a duplicate is
/// handed on to nobody again, and an interrupted try resumes with the destinations that are missing.
/// </summary>
internal sealed partial class ForwardHandler(
    ForwardDestination destination,
    ForwardQueue queue,
    ConversationGuard guard,
    TeleCmiMetrics metrics,
    ILogger<ForwardHandler> logger,
    IPipelineObserver? observer) : ICallEventHandler
{
    public string Name { get; } = $"Forward_{destination.Name}";

    public bool AppliesTo(CallEvent callEvent) => destination.Takes(callEvent);

    public async Task HandleAsync(CallEvent callEvent, CancellationToken cancellation)
    {
        if (destination.OncePerConversation && !await guard.TryClaimAsync(destination.Name, callEvent, cancellation))
        {
            metrics.Forwarded(destination.Name, ForwardOutcome.Skipped, elapsed: null);
            Log.ReachedBefore(logger, callEvent.Id, destination.Name);
            observer?.HandedOn(callEvent, destination.Name, ForwardOutcome.Skipped);
            return;
        }

        // Before: the destination may have it before the next line runs.
        observer?.HandedOn(callEvent, destination.Name, IPipelineObserver.Waiting);
        await queue.EnqueueAsync(destination.Name, callEvent.Envelope, cancellation);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 60, Level = LogLevel.Information, Message = "Event {EventId} is not forwarded to {Destination}: another answer of this conversation was.")]
        public static partial void ReachedBefore(ILogger logger, string eventId, string destination);
    }
}
