using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// Brings an event to a destination. The first attempt is made at once; what fails, is slow or must wait goes into the
/// queue of forwards as a new message that shows itself later, so that it waits in storage and holds up nobody.
/// </summary>
public sealed partial class Forwarder(
    ForwardDestinations destinations,
    EventSender sender,
    ForwardQueue queue,
    DeliveryLog log,
    ForwardDeadLetters deadLetters,
    DestinationStates states,
    ConversationClaim claims,
    RetrySchedule schedule,
    IOptions<ForwardOptions> options,
    IOptions<TeleCmiOptions> pipelineOptions,
    PipelineEvents events,
    TeleCmiMetrics metrics,
    TimeProvider clock,
    ILogger<Forwarder> logger)
{
    private readonly ConcurrentDictionary<string, DestinationCircuit> _circuits = new(StringComparer.OrdinalIgnoreCase);

    // The first attempt is made by a handler, and must leave it the time to queue what failed.
    private readonly TimeSpan _firstTimeout = new[] { options.Value.FirstAttemptTimeout, pipelineOptions.Value.HandlerDeadline / 2 }.Min();

    // Below all ÷ destinations, so that one slow destination never has every worker.
    private readonly int _share = Math.Max(1, (PipelineQueues.MaxInFlight - 1) / Math.Max(1, destinations.All.Count));

    /// <summary>Makes the first attempt; when it returns, the destination or the queue of forwards has the event.</summary>
    /// <exception cref="StorageException">The queue could not take it; the event has to be processed again.</exception>
    public async Task ForwardAsync(ForwardDestination destination, CallEvent callEvent, CancellationToken cancellation)
    {
        if (destination.OncePerConversation && !await claims.TryClaimAsync(destination.Name, callEvent, cancellation))
        {
            metrics.Forwarded(destination.Name, ForwardOutcome.Skipped, elapsed: null);
            Log.Skipped(logger, callEvent.Id, destination.Name);
            Publish(EnvelopedEvent.Of(callEvent), destination.Name, ForwardOutcome.Skipped);
            return;
        }

        await ForwardAsync(
            new ForwardMessage { Destination = destination.Name, QueuedAt = clock.GetUtcNow(), Event = EnvelopedEvent.Of(callEvent) },
            destination.Timeout < _firstTimeout ? destination.Timeout : _firstTimeout,
            cancellation);
    }

    /// <summary>Makes the attempt that a message of the forwards queue is due for.</summary>
    internal Task ForwardAsync(ForwardMessage forward, CancellationToken cancellation) => ForwardAsync(forward, timeout: null, cancellation);

    /// <summary>Keeps as a dead letter what is not attempted any more.</summary>
    internal async Task<string> GiveUpAsync(ForwardMessage forward, string error, DeliveryResult? result, CancellationToken cancellation)
    {
        await deadLetters.KeepAsync(forward, error, result, cancellation);
        await log.NoteFailedAsync(forward, error);
        metrics.Forwarded(destinations.Find(forward.Destination)?.Name ?? "unknown", ForwardOutcome.DeadLettered, result?.Elapsed);
        Log.GivenUp(logger, result?.Failure, forward.Event.Id, LogText.Of(forward.Destination), error);
        Publish(forward.Event, forward.Destination, ForwardOutcome.DeadLettered);
        return ForwardOutcome.DeadLettered;
    }

    private async Task ForwardAsync(ForwardMessage forward, TimeSpan? timeout, CancellationToken cancellation)
    {
        using var activity = TeleCmiActivity.StartForwarding(forward.Event, forward.Destination, forward.Attempt);
        try
        {
            var outcome = await TryForwardAsync(forward, timeout, activity, cancellation);
            activity?.SetTag(TelemetryNames.OutcomeTag, outcome);
            if (outcome != ForwardOutcome.DeadLettered)
            {
                Publish(forward.Event, forward.Destination, outcome);
            }
        }
        catch (Exception e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.GetType().Name);
            Log.Failed(logger, e, forward.Event.Id, LogText.Of(forward.Destination));
            throw;
        }
    }

    private async Task<string> TryForwardAsync(ForwardMessage forward, TimeSpan? timeout, Activity? activity, CancellationToken cancellation)
    {
        if (forward.IsFromQueue && await log.WhyVoidAsync(forward, cancellation) is { } why)
        {
            Log.NotSent(logger, forward.Event.Id, LogText.Of(forward.Destination), why);
            return ForwardOutcome.Skipped;
        }

        if (destinations.Find(forward.Destination) is not { } destination)
        {
            return await GiveUpAsync(forward, "No destination has this name (any more).", result: null, cancellation);
        }

        if (forward.Ticket is not null && await WhyUnwantedAsync(destination, forward, cancellation) is { } unwanted)
        {
            await log.ForgetAsync(forward, cancellation);
            metrics.Forwarded(destination.Name, ForwardOutcome.Skipped, elapsed: null);
            Log.NotSent(logger, forward.Event.Id, destination.Name, unwanted);
            return ForwardOutcome.Skipped;
        }

        if (await states.IsDisabledAsync(destination, cancellation))
        {
            return await GiveUpAsync(forward, "The destination is disabled: it responded with 410 earlier, and wants no more events.", result: null, cancellation);
        }

        var circuit = _circuits.GetOrAdd(destination.Name, _ => new DestinationCircuit(Math.Min(destination.MaxConcurrency, _share), clock));
        var (result, whyNot, atLeast) = await circuit.TryAsync(
            token => sender.SendAsync(destination, forward.Event, timeout ?? destination.Timeout, forward.IsBackfill, token), cancellation);
        if (result is null)
        {
            return await DeferAsync(forward, whyNot!, atLeast, cancellation);
        }

        activity?.SetTag(TelemetryNames.StatusTag, result.Status);
        var attempted = forward with { Attempts = [.. forward.Attempts, new(clock.GetUtcNow() - result.Elapsed, result.Status, (long)result.Elapsed.TotalMilliseconds)] };
        var outcome = await SettleAsync(attempted, destination, result, cancellation);
        await states.NoteAsync(destination, result);
        if (outcome != ForwardOutcome.Delivered)
        {
            activity?.SetStatus(ActivityStatusCode.Error, result.Reason);
        }

        return outcome;
    }

    // What a backfill queued no handler has looked at; and the settings of whoever ran it may be others than ours.
    private async Task<string?> WhyUnwantedAsync(ForwardDestination destination, ForwardMessage forward, CancellationToken cancellation) =>
        !EventEnvelope.TryRead(forward.Event.Envelope, out var callEvent, out var fault) ? fault
        : destination.Filter.RefusalOf(callEvent) is { } refusal ? refusal.Sentence
        : destination.OncePerConversation && !await claims.TryClaimAsync(destination.Name, callEvent, cancellation) ? "another event of this conversation was"
        : null;

    private async Task<string> SettleAsync(ForwardMessage forward, ForwardDestination destination, DeliveryResult result, CancellationToken cancellation)
    {
        switch (result.Outcome)
        {
            case DeliveryOutcome.Delivered:
                metrics.Forwarded(destination.Name, ForwardOutcome.Delivered, result.Elapsed);
                Log.Delivered(logger, forward.Event.Id, destination.Name, forward.Attempt, result.Elapsed.TotalMilliseconds);
                await log.NoteDeliveredAsync(forward);
                return ForwardOutcome.Delivered;
            case DeliveryOutcome.Retry when schedule.After(forward.Attempt, result.RetryAfter) is { } delay:
                await queue.SendAsync(forward with { Attempt = forward.Attempt + 1, Deferrals = 0 }, delay, result.Reason, cancellation);
                metrics.Forwarded(destination.Name, ForwardOutcome.Retried, result.Elapsed);
                Log.Retried(logger, result.Failure, forward.Event.Id, destination.Name, forward.Attempt, schedule.Attempts, result.Reason, delay);
                if (forward.Attempt == schedule.Attempts / 2)
                {
                    Log.HalfUsedUp(logger, forward.Event.Id, destination.Name, forward.Attempt, schedule.Attempts);
                }

                return ForwardOutcome.Retried;
            case DeliveryOutcome.Retry:
                return await GiveUpAsync(forward, $"{result.Reason} That was attempt {forward.Attempt}, the last.", result, cancellation);
            case DeliveryOutcome.Gone:
                await states.DisableAsync(destination, cancellation);
                Log.Disabled(logger, destination.Name);
                return await GiveUpAsync(forward, result.Reason, result, cancellation);
            case DeliveryOutcome.Refused:
                return await GiveUpAsync(forward, result.Reason, result, cancellation);
            default:
                throw new InvalidOperationException($"{result.Outcome} is not an outcome.");
        }
    }

    private async Task<string> DeferAsync(ForwardMessage forward, string whyNot, TimeSpan atLeast, CancellationToken cancellation)
    {
        if (clock.GetUtcNow() - forward.QueuedAt > schedule.Life)
        {
            return await GiveUpAsync(forward, $"Not attempted for {schedule.Life.TotalHours:0} hours: {whyNot}.", result: null, cancellation);
        }

        var delay = RetrySchedule.AfterDeferral(forward.Deferrals, atLeast);
        await queue.SendAsync(forward with { Deferrals = forward.Deferrals + 1 }, delay, $"No attempt was made, because {whyNot}.", cancellation);
        metrics.Forwarded(forward.Destination, ForwardOutcome.Deferred, elapsed: null);
        Log.Deferred(logger, forward.Event.Id, forward.Destination, whyNot, delay);
        return ForwardOutcome.Deferred;
    }

    // A call that is forwarded is no event of anybody who listens.
    private void Publish(EnvelopedEvent enveloped, string destination, string outcome)
    {
        if (events.IsHeard && EventEnvelope.TryRead(enveloped.Envelope, out var callEvent, out _))
        {
            events.Publish(new ForwardChanged(callEvent, destination, outcome));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 60, Level = LogLevel.Information, Message = "Event {EventId} is not forwarded to {Destination}: another event of this conversation was.")]
        public static partial void Skipped(ILogger logger, string eventId, string destination);

        [LoggerMessage(EventId = 61, Level = LogLevel.Information, Message = "Event {EventId} forwarded to {Destination} at attempt {Attempt}, in {Milliseconds:F0} ms.")]
        public static partial void Delivered(ILogger logger, string eventId, string destination, int attempt, double milliseconds);

        [LoggerMessage(EventId = 62, Level = LogLevel.Warning, Message = "Event {EventId} was not forwarded to {Destination} at attempt {Attempt} of {Attempts}: {Reason} Next in {Delay}.")]
        public static partial void Retried(ILogger logger, Exception? exception, string eventId, string destination, int attempt, int attempts, string reason, TimeSpan delay);

        [LoggerMessage(EventId = 63, Level = LogLevel.Information, Message = "Event {EventId} waits: no request is made to {Destination} now, because {WhyNot}. Next in {Delay}.")]
        public static partial void Deferred(ILogger logger, string eventId, string destination, string whyNot, TimeSpan delay);

        [LoggerMessage(EventId = 64, Level = LogLevel.Error, Message = "Event {EventId} is not forwarded to {Destination} and is kept in DeadLetters: {Error}")]
        public static partial void GivenUp(ILogger logger, Exception? exception, string eventId, string destination, string error);

        [LoggerMessage(EventId = 65, Level = LogLevel.Critical, Message = "Destination {Destination} responded with 410 Gone and is DISABLED: its events go to DeadLetters until its Url is changed, or 'telecmi forward resume' is run.")]
        public static partial void Disabled(ILogger logger, string destination);

        [LoggerMessage(EventId = 69, Level = LogLevel.Warning, Message = "Half of the attempts to forward event {EventId} to {Destination} are used up ({Attempt} of {Attempts}): repair the destination, or its events go to DeadLetters.")]
        public static partial void HalfUsedUp(ILogger logger, string eventId, string destination, int attempt, int attempts);

        [LoggerMessage(EventId = 71, Level = LogLevel.Information, Message = "Event {EventId}, which waited, is not forwarded to {Destination}: {Why}")]
        public static partial void NotSent(ILogger logger, string eventId, string destination, string why);

        [LoggerMessage(EventId = 67, Level = LogLevel.Warning, Message = "Forwarding event {EventId} to {Destination} broke off; the queue delivers it again.")]
        public static partial void Failed(ILogger logger, Exception exception, string eventId, string destination);
    }
}
