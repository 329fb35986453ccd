using System.Runtime.CompilerServices;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>Reads the deliveries, for people: what waits, what a destination got, what became of a call's events.</summary>
public sealed class DeliveryReader(IStore store, TimeProvider clock)
{
    // An instance's clock may be behind, and the message may be in work just now.
    private static readonly TimeSpan Overdue = TimeSpan.FromMinutes(1);

    private readonly ITable _table = store.Table(Delivery.TableName);

    /// <summary>What waits for an attempt; cheap, whatever the number of those that have ended.</summary>
    /// <exception cref="StorageException">The table cannot be read.</exception>
    public async IAsyncEnumerable<Delivery> WaitingAsync(DeliveryFilter filter, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var query = new TableQuery
        {
            PartitionFrom = Delivery.WaitingPartition,
            PartitionTo = Delivery.WaitingPartition,
            Where = filter.OfDestination,
        };
        await foreach (var row in _table.RowsAsync(query, cancellation))
        {
            var delivery = Delivery.Of(row);
            if (delivery.State == DeliveryState.Waiting && filter.IncludesDay(delivery.Key.Partition) && await IsCurrentAsync(delivery, cancellation))
            {
                yield return delivery;
            }
        }
    }

    /// <summary>What has ended or waits, newest day first and in a day by receipt, newest first.</summary>
    /// <exception cref="StorageException">The table cannot be read.</exception>
    public async IAsyncEnumerable<Delivery> NewestAsync(DeliveryFilter filter, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var waiting = await WaitingAsync(filter, cancellation).ToLookupAsync(delivery => delivery.Key.Partition, cancellationToken: cancellation);
        var days = filter.State == DeliveryState.Waiting
            ? waiting.Select(day => day.Key).ToAsyncEnumerable()
            : DaysAsync(cancellation);
        var found = await days.ToHashSetAsync(cancellationToken: cancellation);
        found.UnionWith(waiting.Select(day => day.Key));
        foreach (var day in found.Where(filter.IncludesDay).OrderDescending(StringComparer.Ordinal))
        {
            var deliveries = waiting[day].ToDictionary(delivery => delivery.Key);
            if (filter.State != DeliveryState.Waiting)
            {
                var query = new TableQuery { PartitionFrom = day, PartitionTo = day, Where = filter.Condition };
                await foreach (var row in _table.RowsAsync(query, cancellation))
                {
                    deliveries[row.Key] = Delivery.Newer(deliveries.GetValueOrDefault(row.Key), Delivery.Of(row))!;
                }
            }

            foreach (var delivery in deliveries.Values.Where(filter.Matches).OrderByDescending(delivery => delivery.ReceivedAt).ThenBy(delivery => delivery.Key.Row, StringComparer.Ordinal))
            {
                yield return delivery;
            }
        }
    }

    /// <summary>What became of a call's events, and of the call where it was sent as one, oldest first.</summary>
    /// <param name="call">The call.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="StorageException">The table cannot be read.</exception>
    public async Task<IReadOnlyList<Delivery>> OfAsync(CallRecord call, CancellationToken cancellation)
    {
        var deliveries = await OfAsync(call.Events.Select(notice => notice.Key).Concat(CompletedCall.KeysOf(call)), cancellation);

        // Other applications may share the conversation's id.
        return [.. deliveries.Where(delivery => CompletedCall.IsOf(delivery, call) || call.Events.Any(notice => notice.Id == delivery.EventId))];
    }

    /// <summary>What became of the events of some conversations, oldest first.</summary>
    /// <param name="journalKeys">Keys of rows in the journal, such as one event's or those of a call; each stands for its whole conversation on its day.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="StorageException">The table cannot be read.</exception>
    public async Task<IReadOnlyList<Delivery>> OfAsync(IEnumerable<RowKey> journalKeys, CancellationToken cancellation)
    {
        var deliveries = new Dictionary<RowKey, Delivery>();
        var ranges = journalKeys.Select(key => key with { Row = key.Row[..(key.Row.IndexOf(JournalKey.Separator, StringComparison.Ordinal) + 1)] }).ToHashSet();
        foreach (var range in ranges.Concat(ranges.Select(Delivery.WaitingKey)).Distinct())
        {
            var query = new TableQuery
            {
                PartitionFrom = range.Partition,
                PartitionTo = range.Partition,
                RowFrom = range.Row,
                RowBefore = $"{range.Row[..^1]}{JournalKey.AfterSeparator}",
            };
            await foreach (var row in _table.RowsAsync(query, cancellation))
            {
                var delivery = Delivery.Of(row);
                if (delivery.State != DeliveryState.Erased && ranges.Any(wanted => wanted.Partition == delivery.Key.Partition))
                {
                    deliveries[delivery.Key] = Delivery.Newer(deliveries.GetValueOrDefault(delivery.Key), delivery)!;
                }
            }
        }

        return [.. deliveries.Values.OrderBy(delivery => delivery.ReceivedAt).ThenBy(delivery => delivery.Key.Row, StringComparer.Ordinal)];
    }

    // The first row of each partition leads to the next one, so a day costs one small request.
    private async IAsyncEnumerable<string> DaysAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var from = "";
        while (true)
        {
            string? day = null;
            string? continuation = null;
            do
            {
                var page = await _table.ReadPageAsync(
                    new TableQuery { PartitionFrom = from, PartitionTo = JournalKey.Undated, Columns = [nameof(Delivery.State)], PageSize = 1 }, continuation, cancellation);
                day = page.Rows.Count > 0 ? page.Rows[0].Key.Partition : null;
                continuation = page.Continuation;
            }
            while (day is null && continuation is not null);

            if (day is null)
            {
                yield break;
            }

            yield return day;
            from = $"{day}!";
        }
    }

    // A note that failed may have left it here: what is overdue is compared with what its day says.
    private async Task<bool> IsCurrentAsync(Delivery waiting, CancellationToken cancellation) =>
        waiting.NextAttemptAt > clock.GetUtcNow() - Overdue
        || await _table.FindAsync(waiting.Key, [nameof(Delivery.NotedAt)], cancellation) is not { } ended
        || !(ended.Time(nameof(Delivery.NotedAt)) >= waiting.NotedAt);
}

/// <summary>Which deliveries; null means any.</summary>
public sealed record DeliveryFilter
{
    /// <summary>The first UTC day of the event's own time.</summary>
    public DateOnly? From { get; init; }

    /// <summary>The last UTC day of the event's own time, included; events without a time come after every day.</summary>
    public DateOnly? To { get; init; }

    /// <summary>The destination's name.</summary>
    public string? Destination { get; init; }

    /// <summary>One of <see cref="DeliveryState"/>.</summary>
    public string? State { get; init; }

    /// <summary>Whether a delivery is one of them.</summary>
    public bool Matches(Delivery delivery) =>
        IncludesDay(delivery.Key.Partition)
        && (Destination is null || string.Equals(delivery.Destination, Destination, StringComparison.Ordinal))
        && (State is null || delivery.State == State);

    internal TableCondition? OfDestination => Destination is null ? null : TableCondition.Equal(nameof(Delivery.Destination), Destination);

    internal TableCondition? Condition => TableCondition.AllOf(OfDestination, State is null ? null : TableCondition.Equal(nameof(Delivery.State), State));

    internal bool IncludesDay(string day) =>
        (From is not { } from || string.CompareOrdinal(day, UtcDay.Of(from)) >= 0) && (To is not { } to || string.CompareOrdinal(day, UtcDay.Of(to)) <= 0);
}
