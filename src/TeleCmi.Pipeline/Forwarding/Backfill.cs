using System.Runtime.CompilerServices;
using System.Text;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// Sends a destination what the journal has and it never got, through the queue of forwards, so that the receiver delivers it as
/// everything else. Can break off anywhere and be done again: each event is sent once.
/// </summary>
/// <remarks>
/// An event is noted as a delivery that waits, with a ticket, then queued with the same ticket, then noted as due. A run that finds one noted and not due
/// gives it a new ticket and queues it again; should the queue have the older message after all, that one has the wrong ticket and is dropped.
/// A call needs no such note: a check is queued, and the call is claimed by the check that sends it.
/// </remarks>
public sealed class Backfill(IStore store, JournalReader journal, CallReader calls, CallIndex index, ConversationClaim claims, PipelineQueues queues, TimeProvider clock)
{
    private const int QueuedAtOnce = 8;

    private static readonly TimeSpan MostCatchingUp = TimeSpan.FromSeconds(1);

    private readonly ITable _deliveries = store.Table(Delivery.TableName);
    private readonly ITable _claims = store.Table(ConversationClaim.TableName);

    /// <summary>What there is of the days, oldest first, and how it stands with the destination. Of each day the ids are held in memory, for calls the calls.</summary>
    /// <param name="destination">The destination.</param>
    /// <param name="filter">Which events or calls.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="StorageException">Storage cannot be read.</exception>
    public async IAsyncEnumerable<BackfillItem> FindAsync(DestinationFilter destination, BackfillFilter filter, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var waiting = await StatesAsync(destination, Delivery.WaitingPartition, cancellation);
        for (var day = filter.From; day <= filter.To; day = day.AddDays(1))
        {
            var items = destination.SendsCalls ? CallsAsync(destination, filter, day, waiting, cancellation) : EventsAsync(destination, filter, day, waiting, cancellation);
            await foreach (var item in items)
            {
                yield return item;
            }
        }
    }

    /// <summary>Queues what is to be sent.</summary>
    /// <param name="destination">The destination.</param>
    /// <param name="filter">Which events or calls.</param>
    /// <param name="perSecond">The most that are queued in a second.</param>
    /// <param name="queued">Is told of each one that the queue has, by several threads.</param>
    /// <param name="cancellation">Ends it; what is queued is queued.</param>
    /// <exception cref="StorageException">Storage failed; done again, nothing is sent twice.</exception>
    public Task RunAsync(DestinationFilter destination, BackfillFilter filter, int perSecond, Action queued, CancellationToken cancellation) => Parallel.ForEachAsync(
        PacedAsync(FindAsync(destination, filter, cancellation).Where(item => item.State is BackfillState.ToSend), perSecond, cancellation),
        new ParallelOptions { MaxDegreeOfParallelism = QueuedAtOnce, CancellationToken = cancellation },
        async (item, token) =>
        {
            if (await (item.Call is { } call ? TryQueueAsync(destination, call, token) : TryQueueAsync(destination, item.Key, token)))
            {
                queued();
            }
        });

    private async IAsyncEnumerable<BackfillItem> PacedAsync(IAsyncEnumerable<BackfillItem> items, int perSecond, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var next = clock.GetUtcNow();
        await foreach (var item in items.WithCancellation(cancellation))
        {
            var now = clock.GetUtcNow();
            if (next > now)
            {
                await Task.Delay(next - now, clock, cancellation);
            }

            // What storage delayed is caught up with, but never as a burst.
            next = (next > now - MostCatchingUp ? next : now - MostCatchingUp) + (TimeSpan.FromSeconds(1) / perSecond);
            yield return item;
        }
    }

    private async IAsyncEnumerable<BackfillItem> EventsAsync(
        DestinationFilter destination, BackfillFilter filter, DateOnly day, Dictionary<string, BackfillState> waiting, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var ended = await StatesAsync(destination, UtcDay.Of(day), cancellation);
        var (seen, unsent) = (new HashSet<string>(StringComparer.Ordinal), new List<BackfillItem>());
        await foreach (var row in journal.QueryAsync(new JournalFilter { From = day, To = day, Kind = filter.Kind?.Name(), Agent = filter.Agent }, cancellation))
        {
            // A variant has its first one's id, as a detail record has that was made of a report.
            if (row.Event is not { } envelope || !EventEnvelope.TryRead(Encoding.UTF8.GetBytes(envelope), out var callEvent, out _) || !filter.Matches(callEvent) || !seen.Add(callEvent.Id))
            {
                continue;
            }

            var state = StateOf(row, callEvent);
            var item = new BackfillItem(state, callEvent.ReceivedAt, callEvent.Id) { Key = row.Key };
            if (state is not BackfillState.ToSend)
            {
                yield return item;
            }
            else if (destination.OncePerConversation && await claims.IsTakenAsync(destination.Destination, callEvent, cancellation))
            {
                yield return item with { State = BackfillState.Superseded };
            }
            else
            {
                unsent.Add(item with { Conversation = destination.OncePerConversation ? callEvent.Notice.ConversationKey : null });
            }
        }

        var conversations = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in unsent.OrderBy(item => item.At).ThenBy(item => item.Key.Row, StringComparer.Ordinal))
        {
            yield return item.Conversation is null || conversations.Add(item.Conversation) ? item : item with { State = BackfillState.Superseded };
        }

        BackfillState StateOf(JournalRow row, CallEvent callEvent) =>
            waiting.TryGetValue(callEvent.Id, out var state) || ended.TryGetValue(callEvent.Id, out state) ? state
            : row.Handlers.TryGetValue(destination.Handler, out var handler) ? (handler == HandlerState.Done ? BackfillState.Delivered : BackfillState.Waiting)
            : destination.RefusalOf(callEvent) is null ? BackfillState.ToSend
            : BackfillState.FilteredOut;
    }

    private async IAsyncEnumerable<BackfillItem> CallsAsync(
        DestinationFilter destination, BackfillFilter filter, DateOnly day, Dictionary<string, BackfillState> waiting, [EnumeratorCancellation] CancellationToken cancellation)
    {
        // A call's delivery is in the day of its end.
        var ended = await StatesAsync(destination, UtcDay.Of(day), cancellation);
        var later = await StatesAsync(destination, UtcDay.Of(day.AddDays(1)), cancellation);
        var found = await calls.QueryAsync(filter.OfCalls(day), cancellation).Where(filter.Matches).ToListAsync(cancellation);
        found.Reverse();
        foreach (var call in found)
        {
            var state = !call.IsDecided ? BackfillState.NotEnded
                : await CompletedCalls.FindClaimAsync(_claims, destination.Destination, call, cancellation) is (var id, not null) ? StateOf(CompletedCall.IdOf(call with { Id = id }))
                : destination.RefusalOf(call) is null ? BackfillState.ToSend
                : BackfillState.FilteredOut;
            yield return new BackfillItem(state, call.StartedAt, call.Id) { Call = call };
        }

        BackfillState StateOf(string id) =>
            waiting.TryGetValue(id, out var state) || later.TryGetValue(id, out state) || ended.TryGetValue(id, out state) ? state : BackfillState.Delivered;
    }

    // By the id of the event, or of the call.
    private async Task<Dictionary<string, BackfillState>> StatesAsync(DestinationFilter destination, string partition, CancellationToken cancellation)
    {
        var query = new TableQuery
        {
            PartitionFrom = partition,
            PartitionTo = partition,
            Where = TableCondition.Equal(nameof(Delivery.Destination), destination.Destination),
            Columns = [nameof(Delivery.EventId), nameof(Delivery.Kind), nameof(Delivery.State), nameof(Delivery.NextAttemptAt), nameof(Delivery.Ticket)],
        };
        var states = new Dictionary<string, BackfillState>(StringComparer.Ordinal);
        await foreach (var row in _deliveries.RowsAsync(query, cancellation))
        {
            var delivery = Delivery.Of(row);
            if (delivery.State != DeliveryState.Erased && !IsUnqueued(delivery))
            {
                states[delivery.CallId ?? delivery.EventId] = delivery.State switch
                {
                    DeliveryState.Waiting => BackfillState.Waiting,
                    DeliveryState.Failed => BackfillState.Failed,
                    _ => BackfillState.Delivered,
                };
            }
        }

        return states;
    }

    private async Task<bool> TryQueueAsync(DestinationFilter destination, RowKey journalKey, CancellationToken cancellation)
    {
        if (await ReadAsync(journalKey, cancellation) is not { } enveloped)
        {
            return false;
        }

        var now = clock.GetUtcNow();
        var delivery = new Delivery
        {
            Key = Delivery.KeyOf(enveloped, destination.Destination),
            Destination = destination.Destination,
            EventId = enveloped.Id,
            Kind = enveloped.Kind,
            Conversation = enveloped.Subject,
            ReceivedAt = enveloped.Time,
            State = DeliveryState.Waiting,
            Attempts = [],
            IsBackfill = true,
            Ticket = $"{Guid.NewGuid():N}",
            NotedAt = now,
        };
        if (await _deliveries.FindAsync(delivery.Key, [], cancellation) is not null || await NoteAsync(delivery.ToRow(), cancellation) is not { } noted)
        {
            return false;
        }

        var message = new ForwardMessage { Destination = destination.Destination, QueuedAt = now, IsBackfill = true, Ticket = delivery.Ticket, Event = enveloped };
        await queues.Forwards.SendAsync(message.ToUtf8(), TimeSpan.Zero, cancellation);

        // Unless the receiver has noted more by now.
        await _deliveries.MergeAsync(new TableRow(Delivery.WaitingKey(delivery.Key)) { [nameof(Delivery.NextAttemptAt)] = now }, noted, cancellation);
        return true;
    }

    // A run that broke off after its note may not have queued it: its note goes, and its message, should there be one, with it.
    private async Task<string?> NoteAsync(TableRow row, CancellationToken cancellation)
    {
        if (await _deliveries.TryInsertAsync(row, cancellation) is { } version)
        {
            return version;
        }

        return await _deliveries.FindAsync(row.Key, columns: null, cancellation) is { } earlier
            && IsUnqueued(Delivery.Of(earlier))
            && await _deliveries.DeleteAsync(row.Key, earlier.Version, cancellation) is WriteOutcome.Written
            ? await _deliveries.TryInsertAsync(row, cancellation)
            : null;
    }

    private static bool IsUnqueued(Delivery delivery) => delivery is { State: DeliveryState.Waiting, Ticket: not null, NextAttemptAt: null };

    private async Task<bool> TryQueueAsync(DestinationFilter destination, CallRecord call, CancellationToken cancellation)
    {
        if (await ReadAsync(call.Events[^1].Key, cancellation) is not { } enveloped)
        {
            return false;
        }

        // The check finds the call's notices by it; where no calls were forwarded, nobody wrote it.
        await index.NoteAsync(call, cancellation);
        var check = new ForwardMessage { Destination = destination.Destination, QueuedAt = clock.GetUtcNow(), IsBackfill = true, Check = $"{Guid.NewGuid():N}", Event = enveloped };
        await queues.Forwards.SendAsync(check.ToUtf8(), TimeSpan.Zero, cancellation);
        return true;
    }

    private async Task<EnvelopedEvent?> ReadAsync(RowKey journalKey, CancellationToken cancellation) =>
        await journal.FindAsync(journalKey, cancellation) is { Event: { } envelope } && EventEnvelope.TryRead(Encoding.UTF8.GetBytes(envelope), out var callEvent, out _)
            ? EnvelopedEvent.Of(callEvent)
            : null;
}

/// <summary>How something stands with a destination.</summary>
public enum BackfillState
{
    /// <summary>The destination never got it, and nothing is on its way.</summary>
    ToSend,

    /// <summary>The destination has it.</summary>
    Delivered,

    /// <summary>It is on its way.</summary>
    Waiting,

    /// <summary>Given up; <c>telecmi forward resend</c> sends it again.</summary>
    Failed,

    /// <summary>The destination's filters refuse it.</summary>
    FilteredOut,

    /// <summary>With once per conversation: another event of the conversation is sent, or was.</summary>
    Superseded,

    /// <summary>A call that has not ended, as far as the journal says.</summary>
    NotEnded,
}

/// <summary>An event or a call, and how it stands with a destination.</summary>
/// <param name="State">How.</param>
/// <param name="At">When the event was received, or the call's first one.</param>
/// <param name="Id">Its id.</param>
public sealed record BackfillItem(BackfillState State, DateTimeOffset At, string Id)
{
    internal RowKey Key { get; init; } = new("", "");

    internal string? Conversation { get; init; }

    internal CallRecord? Call { get; init; }
}

/// <summary>Which events or calls; null means any.</summary>
public sealed record BackfillFilter
{
    /// <summary>The first UTC day: of an event its own time's, of a call the receipt of its first event.</summary>
    public required DateOnly From { get; init; }

    /// <summary>The last one, included.</summary>
    public required DateOnly To { get; init; }

    /// <inheritdoc cref="CallFilter.Agent"/>
    public string? Agent { get; init; }

    /// <inheritdoc cref="CallFilter.Number"/>
    public string? Number { get; init; }

    /// <summary>The team, with the application (<c>Sales_2222223</c>) or without.</summary>
    public string? Team { get; init; }

    /// <summary>Which way the call went.</summary>
    public CallDirection? Direction { get; init; }

    /// <summary>The event's kind; of a call, that of one of its events.</summary>
    public EventKind? Kind { get; init; }

    /// <summary>Of calls: how it ended.</summary>
    public CallOutcome? Outcome { get; init; }

    internal bool Matches(CallEvent callEvent) =>
        IsOfTeam(callEvent.Notice.Team)
        && (Direction is null || EventParties.DirectionOf(callEvent.Kind) == Direction)
        && (Number is null || PhoneNumber.IsSame(EventParties.CustomerOf(callEvent.Notice), Number));

    internal bool Matches(CallRecord call) => IsOfTeam(call.Team);

    internal CallFilter OfCalls(DateOnly day) => new() { From = day, To = day, Agent = Agent, Number = Number, Direction = Direction, Kind = Kind, Outcome = Outcome };

    private bool IsOfTeam(string? team) => Team is null || (team is not null && DestinationFilter.IsNamed(team, Team));
}
