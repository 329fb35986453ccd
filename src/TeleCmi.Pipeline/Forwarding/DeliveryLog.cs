using Microsoft.Extensions.Logging;
using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// Notes deliveries in the table <c>Deliveries</c>, after the attempt: nobody waits for a note but the message's deletion.
/// A note that fails is logged and changes nothing else, so it neither repeats a delivery nor loses one.
/// </summary>
/// <remarks>
/// What waits is in a partition of its own, so that it is found without reading the days. What the destination took at the
/// first attempt, as almost everything, costs one write.
/// </remarks>
public sealed partial class DeliveryLog(IStore store, TimeProvider clock, ILogger<DeliveryLog> logger)
{
    private readonly ITable _table = store.Table(Delivery.TableName);
    private readonly Deadline _deadline = new(TimeSpan.FromSeconds(5), clock);

    /// <summary>Notes that the destination has the event.</summary>
    internal Task NoteDeliveredAsync(ForwardMessage forward) => NoteAsync(forward, DeliveryState.Delivered, nextAttemptAt: null, fault: null);

    /// <summary>Notes that the event became a dead letter.</summary>
    internal Task NoteFailedAsync(ForwardMessage forward, string fault) => NoteAsync(forward, DeliveryState.Failed, nextAttemptAt: null, fault);

    /// <summary>Notes that another attempt follows. Before the queue shows the message, because the next attempt's note must come after this one.</summary>
    internal Task NoteWaitingAsync(ForwardMessage forward, TimeSpan delay, string? fault) =>
        NoteAsync(forward, DeliveryState.Waiting, clock.GetUtcNow() + delay, fault);

    /// <summary>Takes back that an attempt follows.</summary>
    internal async Task ForgetAsync(ForwardMessage forward, CancellationToken cancellation) =>
        await _table.DeleteAsync(Delivery.WaitingKey(Delivery.KeyOf(forward.Event, forward.Destination)), version: null, cancellation);

    /// <summary>The delivery of an event to a destination, wherever it is.</summary>
    /// <returns>Null when nothing is noted.</returns>
    /// <exception cref="StorageException">The table cannot be read.</exception>
    public async Task<Delivery?> FindAsync(EnvelopedEvent enveloped, string destination, CancellationToken cancellation)
    {
        var key = Delivery.KeyOf(enveloped, destination);
        var waiting = await _table.FindAsync(Delivery.WaitingKey(key), columns: null, cancellation);
        var ended = await _table.FindAsync(key, columns: null, cancellation);
        return Delivery.Newer(waiting is null ? null : Delivery.Of(waiting), ended is null ? null : Delivery.Of(ended));
    }

    /// <summary>Why a message of the queue is not sent any more; null when it is.</summary>
    internal async Task<string?> WhyVoidAsync(ForwardMessage forward, CancellationToken cancellation)
    {
        var key = Delivery.WaitingKey(Delivery.KeyOf(forward.Event, forward.Destination));
        var row = await _table.FindAsync(key, [nameof(Delivery.State), nameof(Delivery.Ticket)], cancellation);
        if (row?.Text(nameof(Delivery.State)) == DeliveryState.Erased)
        {
            // Nothing is kept of it.
            await _table.DeleteAsync(key, version: null, cancellation);
            return "it was erased while it waited";
        }

        return forward.Ticket is not null && row?.Text(nameof(Delivery.Ticket)) != forward.Ticket ? "another message of the backfill has it, or had" : null;
    }

    // Also when the app is stopping: the attempt was made.
    private async Task NoteAsync(ForwardMessage forward, string state, DateTimeOffset? nextAttemptAt, string? fault)
    {
        var delivery = new Delivery
        {
            Key = Delivery.KeyOf(forward.Event, forward.Destination),
            Destination = forward.Destination,
            EventId = forward.Event.Id,
            Kind = forward.Event.Kind,
            Conversation = forward.Event.Subject,
            ReceivedAt = forward.Event.Time,
            State = state,
            Attempts = forward.Attempts,
            NextAttemptAt = nextAttemptAt,
            Fault = fault,
            IsBackfill = forward.IsBackfill,
            Ticket = forward.Ticket,
            NotedAt = clock.GetUtcNow(),
        };
        try
        {
            await _deadline.RunAsync(
                async token =>
                {
                    await _table.UpsertAsync(delivery.ToRow(), token);
                    if (forward.IsFromQueue && state != DeliveryState.Waiting)
                    {
                        await _table.DeleteAsync(Delivery.WaitingKey(delivery.Key), version: null, token);
                    }
                },
                CancellationToken.None);
        }
        catch (Exception e) when (e is StorageException or TimeoutException)
        {
            Log.NotNoted(logger, e, forward.Event.Id, forward.Destination, state);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 72, Level = LogLevel.Warning, Message = "The delivery of event {EventId} to {Destination} is {State}, but the table Deliveries does not have it.")]
        public static partial void NotNoted(ILogger logger, Exception exception, string eventId, string destination, string state);
    }
}
