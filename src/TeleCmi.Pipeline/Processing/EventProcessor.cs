using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TeleCmi.Events;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Observing;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Processing;

/// <summary>Works on one message of the events queue: journal first, then the handlers that have not finished.</summary>
public sealed partial class EventProcessor
{
    private readonly Journal _journal;
    private readonly DeadLetterStore _deadLetters;
    private readonly ICallEventHandler[] _handlers;
    private readonly TimeSpan _handlerDeadline;
    private readonly TeleCmiMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger<EventProcessor> _logger;
    private readonly IPipelineObserver? _observer;

    /// <summary>Takes its parts.</summary>
    /// <exception cref="InvalidOperationException">A handler's name cannot be a column of the journal, or two have the same.</exception>
    public EventProcessor(
        Journal journal,
        DeadLetterStore deadLetters,
        IEnumerable<ICallEventHandler> handlers,
        IOptions<TeleCmiOptions> options,
        TeleCmiMetrics metrics,
        TimeProvider clock,
        ILogger<EventProcessor> logger,
        IPipelineObserver? observer = null)
    {
        _journal = journal;
        _deadLetters = deadLetters;
        _handlers = [.. handlers];
        HandlerNames.Check(_handlers);
        _handlerDeadline = options.Value.HandlerDeadline;
        _metrics = metrics;
        _clock = clock;
        _logger = logger;
        _observer = observer;
    }

    /// <summary>Processes a message; when it returns, the message may be deleted.</summary>
    /// <param name="message">The message's body: an envelope.</param>
    /// <param name="cancellation">Ends the attempt; the message is then delivered again.</param>
    /// <exception cref="InvalidDataException">The message is not an event of this app.</exception>
    /// <exception cref="HandlerFailedException">A handler failed; the others have run.</exception>
    public async Task<ProcessedEvent> ProcessAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        if (!EventEnvelope.TryRead(message, out var callEvent, out var fault))
        {
            _metrics.Processed(null, Failed, lag: null);
            throw new InvalidDataException(fault);
        }

        using var activity = TeleCmiActivity.StartProcessing(callEvent);
        _observer?.Processing(callEvent);
        try
        {
            string[] handlers = [.. _handlers.Where(handler => handler.AppliesTo(callEvent)).Select(handler => handler.Name)];
            var entry = await Deadline.RunAsync(
                deadline => _journal.RecordAsync(callEvent, handlers, deadline), Deadline.OfStorage, _clock, cancellation);
            if (entry.Unfinished.Count > 0)
            {
                await RunHandlersAsync(callEvent, entry, cancellation);
            }

            if (entry.Outcome is JournalOutcome.Resumed or JournalOutcome.Duplicate)
            {
                await WithdrawDeadLetterAsync(callEvent, entry, cancellation);
            }

            return Finish(callEvent, entry, activity);
        }
        catch (Exception e)
        {
            _metrics.Processed(callEvent.Kind, Failed, lag: null);
            activity?.SetTag(TelemetryNames.OutcomeTag, Failed);
            activity?.SetStatus(ActivityStatusCode.Error, e.GetType().Name);
            Log.Failed(_logger, e, callEvent.Id);
            _observer?.Failed(callEvent, e);
            throw;
        }
    }

    private const string Failed = "failed";

    private ProcessedEvent Finish(CallEvent callEvent, JournalEntry entry, Activity? activity)
    {
        var outcome = NameOf(entry.Outcome);
        var lag = _clock.GetUtcNow() - callEvent.ReceivedAt;
        _metrics.Processed(callEvent.Kind, outcome, lag);
        activity?.SetTag(TelemetryNames.OutcomeTag, outcome);
        activity?.SetTag(TelemetryNames.LagTag, Math.Max(0, lag.TotalMilliseconds));
        if (entry.Outcome is JournalOutcome.Variant)
        {
            Log.Variant(_logger, callEvent.Id);
        }
        else
        {
            Log.Processed(_logger, callEvent.Id, callEvent.Kind.Name(), outcome, callEvent.Notice.AnsweredBy?.Name() ?? "-", LogText.OfPhoneNumber(callEvent.Notice.To));
        }

        var processed = new ProcessedEvent(callEvent, entry);
        _observer?.Processed(processed, outcome);
        return processed;
    }

    // An earlier delivery may have failed too often, and nobody should replay what is done.
    private async Task WithdrawDeadLetterAsync(CallEvent callEvent, JournalEntry entry, CancellationToken cancellation) =>
        await Deadline.RunAsync(
            deadline => _deadLetters.WithdrawAsync(callEvent, entry.FirstReceivedAt, deadline),
            Deadline.OfStorage,
            _clock,
            cancellation);

    private async Task RunHandlersAsync(CallEvent callEvent, JournalEntry entry, CancellationToken cancellation)
    {
        var states = new Dictionary<string, string>(StringComparer.Ordinal);
        List<Exception>? failures = null;
        foreach (var handler in _handlers.Where(handler => entry.Unfinished.Contains(handler.Name, StringComparer.Ordinal)))
        {
            var failure = await RunAsync(handler, callEvent, cancellation);
            states[handler.Name] = failure is null ? JournalRow.Done : JournalRow.Failed;
            if (failure is not null)
            {
                (failures ??= []).Add(failure);
            }
        }

        // Also when the app is stopping: what has finished must not run again.
        await Deadline.RunAsync(
            deadline => _journal.NoteHandlersAsync(entry, states, deadline),
            Deadline.OfStorage,
            _clock,
            CancellationToken.None);
        if (failures is not null)
        {
            throw new HandlerFailedException(callEvent.Id, failures);
        }
    }

    private async Task<Exception?> RunAsync(ICallEventHandler handler, CallEvent callEvent, CancellationToken cancellation)
    {
        var started = _clock.GetTimestamp();
        Exception? failure = null;
        try
        {
            await Deadline.RunAsync(
                // A handler that does not heed its token, or blocks its thread, must not hold up the others.
                deadline => Task.Run(() => handler.HandleAsync(callEvent, deadline), CancellationToken.None).WaitAsync(deadline),
                _handlerDeadline,
                _clock,
                cancellation);
        }
        catch (Exception e)
        {
            failure = e;
            Log.HandlerFailed(_logger, e, handler.Name, callEvent.Id);
        }

        _metrics.Handled(handler.Name, failure is null, _clock.GetElapsedTime(started));
        return failure;
    }

    private static string NameOf(JournalOutcome outcome) => outcome switch
    {
        JournalOutcome.Journaled => "journaled",
        JournalOutcome.Resumed => "resumed",
        JournalOutcome.Duplicate => "duplicate",
        JournalOutcome.Variant => "variant",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "Not an outcome."),
    };

    private static partial class Log
    {
        [LoggerMessage(EventId = 20, Level = LogLevel.Information, Message = "Event {EventId} ({Kind}) {Outcome}; answered by {AnsweredBy}, called {To}.")]
        public static partial void Processed(ILogger logger, string eventId, string kind, string outcome, string answeredBy, string to);

        [LoggerMessage(EventId = 21, Level = LogLevel.Warning, Message = "Event {EventId} came with another content than before: kept beside the first, handlers not run.")]
        public static partial void Variant(ILogger logger, string eventId);

        [LoggerMessage(EventId = 22, Level = LogLevel.Warning, Message = "Handler {Handler} failed on event {EventId}.")]
        public static partial void HandlerFailed(ILogger logger, Exception exception, string handler, string eventId);

        [LoggerMessage(EventId = 23, Level = LogLevel.Warning, Message = "Event {EventId} was not processed; the queue delivers it again.")]
        public static partial void Failed(ILogger logger, Exception exception, string eventId);
    }
}

/// <summary>An event that needs no further work.</summary>
/// <param name="Event">The event.</param>
/// <param name="Entry">Its place in the journal.</param>
public sealed record ProcessedEvent(CallEvent Event, JournalEntry Entry);
