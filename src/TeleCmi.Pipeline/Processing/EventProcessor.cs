using System.Diagnostics;
using Microsoft.Extensions.Logging;
using TeleCmi.Events;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Processing;

/// <summary>Processes one message of the events queue: journal first, then the handlers that have not finished.</summary>
public sealed partial class EventProcessor(
    PipelineQueues queues,
    Journal journal,
    DeadLetterStore deadLetters,
    EventHandlers handlers,
    HandlerRunner runner,
    CompletedCalls calls,
    PipelineEvents events,
    TeleCmiMetrics metrics,
    TimeProvider clock,
    ILogger<EventProcessor> logger)
{
    private const string Failed = "failed";

    /// <summary>How long a delivery waits while another one runs the event's handlers.</summary>
    public static readonly TimeSpan ClaimedDelay = TimeSpan.FromSeconds(5);

    /// <summary>Processes a message; when it returns, the message may be deleted.</summary>
    /// <param name="message">The message's body: an envelope.</param>
    /// <param name="cancellation">Ends the try; the message is then delivered again.</param>
    /// <exception cref="InvalidDataException">The message is not an event of this app.</exception>
    /// <exception cref="HandlerFailedException">A handler failed; the others have run.</exception>
    /// <exception cref="StorageException">Storage failed.</exception>
    public async Task<ProcessedEvent> ProcessAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        if (!EventEnvelope.TryRead(message, out var callEvent, out var fault))
        {
            metrics.Processed(null, Failed, lag: null);
            throw new InvalidDataException(fault);
        }

        using var activity = TeleCmiActivity.StartProcessing(callEvent, queues.Events.Name);
        if (events.IsHeard)
        {
            events.Publish(new ProcessingStarted(callEvent));
        }

        try
        {
            var lanes = handlers.For(callEvent);
            string[] names = [.. lanes.SelectMany(lane => lane).Select(handler => handler.Name)];
            var entry = await journal.RecordAsync(callEvent, names, runner.ClaimFor(names.Length), cancellation);
            if (entry.Outcome is JournalOutcome.Claimed)
            {
                // A new message, because waiting must not count as a failed try of this one.
                await queues.Events.SendAsync(message, ClaimedDelay, cancellation);
            }
            else
            {
                // Also after a repeat or a correction, and whether the handlers succeed or not.
                await calls.CheckLaterAsync(callEvent, cancellation);
            }

            if (entry.Unfinished.Count > 0)
            {
                await runner.RunAsync(callEvent, entry, lanes, cancellation);
            }

            if (entry.Outcome is JournalOutcome.Resumed or JournalOutcome.Duplicate)
            {
                // An earlier delivery may have become a dead letter, and nobody should replay what is done.
                await deadLetters.WithdrawAsync(callEvent, entry.FirstReceivedAt, cancellation);
            }

            return Finish(callEvent, entry, activity);
        }
        catch (Exception e)
        {
            metrics.Processed(callEvent.Kind, Failed, lag: null);
            activity?.SetTag(TelemetryNames.OutcomeTag, Failed);
            activity?.SetStatus(ActivityStatusCode.Error, e.GetType().Name);
            Log.Failed(logger, e, callEvent.Id);
            if (events.IsHeard)
            {
                events.Publish(new ProcessingFailed(callEvent, e));
            }

            throw;
        }
    }

    private ProcessedEvent Finish(CallEvent callEvent, JournalEntry entry, Activity? activity)
    {
        var outcome = entry.Outcome.Name();
        var lag = clock.GetUtcNow() - callEvent.ReceivedAt;
        activity?.SetTag(TelemetryNames.OutcomeTag, outcome);

        // A reconstructed event was never received: its lag of days would raise a false alarm.
        metrics.Processed(callEvent.Kind, outcome, callEvent.IsReconciled ? null : lag);
        activity?.SetTag(TelemetryNames.LagTag, callEvent.IsReconciled ? null : Math.Max(0, lag.TotalMilliseconds));
        Log.Processed(
            logger,
            entry.Outcome is JournalOutcome.Variant ? LogLevel.Warning : LogLevel.Information,
            callEvent.Id,
            callEvent.Kind.Name(),
            outcome,
            callEvent.Notice.AnsweredBy?.Name() ?? "-",
            LogText.OfPhoneNumber(callEvent.Notice.To));
        var processed = new ProcessedEvent(callEvent, entry);
        if (events.IsHeard)
        {
            events.Publish(processed);
        }

        return processed;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 20, Message = "Event {EventId} ({Kind}) {Outcome}; answered by {AnsweredBy}, called {To}.")]
        public static partial void Processed(ILogger logger, LogLevel level, string eventId, string kind, string outcome, string answeredBy, string to);

        [LoggerMessage(EventId = 23, Level = LogLevel.Warning, Message = "Event {EventId} was not processed; the queue delivers it again.")]
        public static partial void Failed(ILogger logger, Exception exception, string eventId);
    }
}
