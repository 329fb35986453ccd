using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using TeleCmi.Pipeline.Observing;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// Works on one message of the forwards queue: makes the call, and settles what comes of it. A call that failed goes
/// back into the queue as a new message that shows itself later, so that it waits in storage and holds up nobody.
/// </summary>
public sealed partial class ForwardProcessor
{
    private readonly ForwardDestinations _destinations;
    private readonly ForwardSender _sender;
    private readonly ForwardQueue _queue;
    private readonly ForwardDeadLetters _deadLetters;
    private readonly StoppedDestinations _stopped;
    private readonly RetrySchedule _schedule;
    private readonly TeleCmiMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger<ForwardProcessor> _logger;
    private readonly IPipelineObserver? _observer;
    private readonly ConcurrentDictionary<string, DestinationGate> _gates = new(StringComparer.OrdinalIgnoreCase);

    internal ForwardProcessor(
        ForwardDestinations destinations,
        ForwardSender sender,
        ForwardQueue queue,
        ForwardDeadLetters deadLetters,
        StoppedDestinations stopped,
        RetrySchedule schedule,
        TeleCmiMetrics metrics,
        TimeProvider clock,
        ILogger<ForwardProcessor> logger,
        IPipelineObserver? observer)
    {
        _destinations = destinations;
        _sender = sender;
        _queue = queue;
        _deadLetters = deadLetters;
        _stopped = stopped;
        _schedule = schedule;
        _metrics = metrics;
        _clock = clock;
        _logger = logger;
        _observer = observer;
    }

    /// <summary>Processes a message; when it returns, the message may be deleted.</summary>
    /// <param name="message">The message's body.</param>
    /// <param name="cancellation">Ends the attempt; the message is then delivered again.</param>
    public async Task ProcessAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        if (!ForwardMessage.TryRead(message, out var forward, out var fault))
        {
            await StoreAsync(deadline => _deadLetters.KeepUnreadableAsync(message, fault, deadline), cancellation);
            Log.Unreadable(_logger, fault);
            return;
        }

        using var activity = TeleCmiActivity.StartForwarding(forward.Event, forward.Destination, forward.Attempt);
        try
        {
            var outcome = await ForwardAsync(forward, activity, cancellation);
            activity?.SetTag(TelemetryNames.OutcomeTag, outcome);
            _observer?.HandedOn(forward.Event, forward.Destination, outcome);
        }
        catch (Exception e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.GetType().Name);
            Log.Failed(_logger, e, forward.Event.Id, forward.Destination);
            throw;
        }
    }

    /// <summary>Keeps for good a message that failed too often outside the call itself: the platform would let it expire after 7 days.</summary>
    /// <param name="message">The body of a message of the forwards' poison queue.</param>
    /// <param name="cancellation">Ends the attempt; the message is then delivered again.</param>
    public async Task ArchiveAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        if (ForwardMessage.TryRead(message, out var forward, out var fault))
        {
            const string Error = "Forwarding was broken off too often, by storage or by the end of the process; whether the receiver has it is not known.";
            var outcome = await GiveUpAsync(forward, Error, attempt: null, cancellation);
            _observer?.HandedOn(forward.Event, forward.Destination, outcome);
            return;
        }

        await StoreAsync(deadline => _deadLetters.KeepUnreadableAsync(message, fault, deadline), cancellation);
        Log.Unreadable(_logger, fault);
    }

    private async Task<string> ForwardAsync(ForwardMessage forward, Activity? activity, CancellationToken cancellation)
    {
        if (_destinations.Find(forward.Destination) is not { } destination)
        {
            return await GiveUpAsync(forward, "No destination has this name (any more).", attempt: null, cancellation);
        }

        if (await Deadline.RunAsync(deadline => _stopped.IsStoppedAsync(destination, deadline), Deadline.OfStorage, _clock, cancellation))
        {
            return await GiveUpAsync(forward, "The destination is stopped: it answered 410 earlier, and wants no more events.", attempt: null, cancellation);
        }

        var gate = _gates.GetOrAdd(destination.Name, _ => new DestinationGate(destination.MaxConcurrency, _clock));
        var (attempt, whyNot, atLeast) = await gate.TryAsync(token => _sender.SendAsync(destination, forward.Event, token), cancellation);
        if (attempt is null)
        {
            return await DeferAsync(forward, whyNot!, atLeast, cancellation);
        }

        activity?.SetTag(TelemetryNames.StatusTag, attempt.Status);
        var outcome = await SettleAsync(forward, destination, attempt, cancellation);
        if (outcome != ForwardOutcome.Delivered)
        {
            activity?.SetStatus(ActivityStatusCode.Error, attempt.Reason);
        }

        return outcome;
    }

    private async Task<string> SettleAsync(ForwardMessage forward, ForwardDestination destination, ForwardAttempt attempt, CancellationToken cancellation)
    {
        switch (attempt.Verdict)
        {
            case ForwardVerdict.Delivered:
                _metrics.Forwarded(destination.Name, ForwardOutcome.Delivered, attempt.Elapsed);
                Log.Delivered(_logger, forward.Event.Id, destination.Name, forward.Attempt, attempt.Elapsed.TotalMilliseconds);
                return ForwardOutcome.Delivered;
            case ForwardVerdict.Retry when _schedule.After(forward.Attempt, attempt.RetryAfter) is { } pause:
                await PutBackAsync(forward with { Attempt = forward.Attempt + 1, Deferrals = 0 }, pause, cancellation);
                _metrics.Forwarded(destination.Name, ForwardOutcome.Retried, attempt.Elapsed);
                Log.Retried(_logger, attempt.Failure, forward.Event.Id, destination.Name, forward.Attempt, _schedule.Attempts, attempt.Reason, pause);
                return ForwardOutcome.Retried;
            case ForwardVerdict.Retry:
                return await GiveUpAsync(forward, $"{attempt.Reason} That was attempt {forward.Attempt}, the last.", attempt, cancellation);
            case ForwardVerdict.Gone:
                await StoreAsync(deadline => _stopped.StopAsync(destination, deadline), cancellation);
                Log.Stopped(_logger, destination.Name);
                return await GiveUpAsync(forward, attempt.Reason, attempt, cancellation);
            case ForwardVerdict.Refused:
                return await GiveUpAsync(forward, attempt.Reason, attempt, cancellation);
            default:
                throw new InvalidOperationException($"{attempt.Verdict} is not a verdict.");
        }
    }

    private async Task<string> DeferAsync(ForwardMessage forward, string whyNot, TimeSpan atLeast, CancellationToken cancellation)
    {
        if (_clock.GetUtcNow() - forward.QueuedAt > _schedule.Life)
        {
            return await GiveUpAsync(forward, $"Not called for {_schedule.Life.TotalHours:0} hours: {whyNot}.", attempt: null, cancellation);
        }

        var pause = RetrySchedule.AfterDeferral(forward.Deferrals, atLeast);
        await PutBackAsync(forward with { Deferrals = forward.Deferrals + 1 }, pause, cancellation);
        _metrics.Forwarded(forward.Destination, ForwardOutcome.Deferred, elapsed: null);
        Log.Deferred(_logger, forward.Event.Id, forward.Destination, whyNot, pause);
        return ForwardOutcome.Deferred;
    }

    private async Task<string> GiveUpAsync(ForwardMessage forward, string error, ForwardAttempt? attempt, CancellationToken cancellation)
    {
        await StoreAsync(deadline => _deadLetters.KeepAsync(forward, error, attempt, deadline), cancellation);
        _metrics.Forwarded(_destinations.Find(forward.Destination)?.Name ?? "unknown", ForwardOutcome.DeadLettered, attempt?.Elapsed);
        Log.GivenUp(_logger, attempt?.Failure, forward.Event.Id, LogText.Of(forward.Destination), error);
        return ForwardOutcome.DeadLettered;
    }

    private Task PutBackAsync(ForwardMessage forward, TimeSpan pause, CancellationToken cancellation) =>
        StoreAsync(deadline => _queue.PutBackAsync(forward, pause, deadline), cancellation);

    private Task StoreAsync(Func<CancellationToken, Task> store, CancellationToken cancellation) =>
        Deadline.RunAsync(store, Deadline.OfStorage, _clock, cancellation);

    private static partial class Log
    {
        [LoggerMessage(EventId = 61, Level = LogLevel.Information, Message = "Event {EventId} forwarded to {Destination} at attempt {Attempt}, in {Milliseconds:F0} ms.")]
        public static partial void Delivered(ILogger logger, string eventId, string destination, int attempt, double milliseconds);

        [LoggerMessage(EventId = 62, Level = LogLevel.Warning, Message = "Event {EventId} was not forwarded to {Destination} at attempt {Attempt} of {Attempts}: {Reason} Next in {Pause}.")]
        public static partial void Retried(ILogger logger, Exception? exception, string eventId, string destination, int attempt, int attempts, string reason, TimeSpan pause);

        [LoggerMessage(EventId = 63, Level = LogLevel.Information, Message = "Event {EventId} waits: {Destination} is not called now, because {WhyNot}. Next in {Pause}.")]
        public static partial void Deferred(ILogger logger, string eventId, string destination, string whyNot, TimeSpan pause);

        [LoggerMessage(EventId = 64, Level = LogLevel.Error, Message = "Event {EventId} is not forwarded to {Destination} and is kept in DeadLetters: {Error}")]
        public static partial void GivenUp(ILogger logger, Exception? exception, string eventId, string destination, string error);

        [LoggerMessage(EventId = 65, Level = LogLevel.Critical, Message = "Destination {Destination} answered 410 Gone and is STOPPED: its events go to DeadLetters until its Url is changed, or its row in table ForwardStops removed.")]
        public static partial void Stopped(ILogger logger, string destination);

        [LoggerMessage(EventId = 66, Level = LogLevel.Error, Message = "A message that is not a forward of this app is kept in DeadLetters: {Fault}")]
        public static partial void Unreadable(ILogger logger, string fault);

        [LoggerMessage(EventId = 67, Level = LogLevel.Warning, Message = "Forwarding event {EventId} to {Destination} broke off; the queue delivers it again.")]
        public static partial void Failed(ILogger logger, Exception exception, string eventId, string destination);
    }
}
