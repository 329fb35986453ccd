using System.Runtime.CompilerServices;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Journaling;

/// <summary>Reads the journal, for people: by day, kind, conversation or agent.</summary>
public sealed class JournalReader(IStore store, TimeProvider clock)
{
    private const int LongestStepBack = 31;
    private const int LongestStretch = 64;

    private readonly ITable _table = store.Table(Journal.TableName);

    /// <summary>Walks the rows that match: by day, within a day by conversation.</summary>
    /// <exception cref="StorageException">The journal cannot be read.</exception>
    public async IAsyncEnumerable<JournalRow> QueryAsync(JournalFilter filter, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var row in _table.RowsAsync(filter.ToQuery(), cancellation))
        {
            if (filter.Matches(row))
            {
                yield return JournalRow.Of(row);
            }
        }
    }

    /// <summary>The newest rows that match, newest first and without their envelopes: by the event's own time, without one by its receipt.</summary>
    /// <param name="filter">Which rows.</param>
    /// <param name="most">The most rows; no more are held in memory.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <remarks>Tables have no descending order: ever longer stretches of days are read backwards until no earlier one can have a newer row.</remarks>
    /// <exception cref="StorageException">The journal cannot be read.</exception>
    public async Task<IReadOnlyList<JournalRow>> ReadNewestAsync(JournalFilter filter, int most, CancellationToken cancellation)
    {
        var newest = new PriorityQueue<JournalRow, JournalRow>(OldestFirst);
        var last = clock.Today().AddDays(1);
        if (filter.To is { } to && to <= last)
        {
            last = to;
        }
        else
        {
            // Events whose sender's clock was wrong, and those without a time.
            var after = last.AddDays(1);
            await KeepAsync(filter with { From = filter.From > after ? filter.From : after });
        }

        for (var length = 2; filter.From is not { } least || last >= least; length *= 2)
        {
            DateOnly? first = length <= LongestStretch && last.DayNumber >= length ? last.AddDays(1 - length) : null;
            first = first is null || filter.From > first ? filter.From : first;
            await KeepAsync(filter with { From = first, To = last });
            if (first is not { } begin || begin == filter.From || (newest.Count == most && TimeOf(newest.Peek()) >= UtcDay.StartOf(begin)))
            {
                break;
            }

            last = begin.AddDays(-1);
        }

        var rows = new JournalRow[newest.Count];
        for (var place = rows.Length - 1; place >= 0; place--)
        {
            rows[place] = newest.Dequeue();
        }

        return rows;

        async Task KeepAsync(JournalFilter stretch)
        {
            await foreach (var row in QueryAsync(stretch, cancellation))
            {
                var kept = row with { Event = null };
                if (newest.Count < most)
                {
                    newest.Enqueue(kept, kept);
                }
                else
                {
                    newest.EnqueueDequeue(kept, kept);
                }
            }
        }
    }

    /// <summary>Reads one page of a day.</summary>
    /// <param name="partition">A UTC day, or <see cref="JournalKey.Undated"/>.</param>
    /// <param name="size">The most rows.</param>
    /// <param name="continuation">Where the page before ended; null: the first page.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <returns>The rows without their envelopes, and where the next page begins.</returns>
    public async Task<(IReadOnlyList<JournalRow> Rows, string? Continuation)> ReadPageAsync(
        string partition, int size, string? continuation, CancellationToken cancellation)
    {
        var page = await _table.ReadPageAsync(
            new TableQuery { PartitionFrom = partition, PartitionTo = partition, Columns = WithoutEnvelope, PageSize = size }, continuation, cancellation);
        return ([.. page.Rows.Select(JournalRow.Of)], page.Continuation);
    }

    /// <summary>Reads one row.</summary>
    /// <returns>Null when it is not there.</returns>
    public async Task<JournalRow?> FindAsync(RowKey key, CancellationToken cancellation) =>
        await _table.FindAsync(key, columns: null, cancellation) is { } row ? JournalRow.Of(row) : null;

    /// <summary>When the receiver got the newest event that has been processed.</summary>
    /// <returns>Null when the journal is empty.</returns>
    /// <remarks>
    /// Days are read backwards from tomorrow's, so that a large journal is not read as a whole. The sender's clock decides an
    /// event's day and ours its receipt: with clocks that differ by a day at most, no earlier day can have a later receipt
    /// than the one found. Only when a month has nothing is the rest read.
    /// </remarks>
    public async Task<DateTimeOffset?> LastReceivedAsync(CancellationToken cancellation)
    {
        var today = clock.Today();
        DateTimeOffset? last = null;
        for (var daysAgo = -1; daysAgo <= LongestStepBack; daysAgo++)
        {
            var day = today.AddDays(-daysAgo);
            if (last >= UtcDay.StartOf(day.AddDays(2)))
            {
                return last;
            }

            last = Later(last, await LastReceivedAsync(new JournalFilter { From = day, To = day }, cancellation));
        }

        return last ?? await LastReceivedAsync(new JournalFilter(), cancellation);
    }

    private async Task<DateTimeOffset?> LastReceivedAsync(JournalFilter filter, CancellationToken cancellation)
    {
        DateTimeOffset? last = null;
        await foreach (var row in _table.RowsAsync(filter.ToQuery() with { Columns = [JournalColumns.ReceivedAt] }, cancellation))
        {
            last = Later(last, row.Time(JournalColumns.ReceivedAt));
        }

        return last;
    }

    private static readonly Comparer<JournalRow> OldestFirst = Comparer<JournalRow>.Create((left, right) =>
        TimeOf(left).CompareTo(TimeOf(right)) is not 0 and var byTime ? byTime
        : Nullable.Compare(left.ReceivedAt, right.ReceivedAt) is not 0 and var byReceipt ? byReceipt
        : string.CompareOrdinal(right.Key.Row, left.Key.Row));

    private static DateTimeOffset TimeOf(JournalRow row) => row.EventTime ?? row.ReceivedAt ?? DateTimeOffset.MinValue;

    private static DateTimeOffset? Later(DateTimeOffset? left, DateTimeOffset? right) => left is null || right > left ? right ?? left : left;

    private static readonly string[] WithoutEnvelope =
    [
        JournalColumns.Kind, JournalColumns.EventId, JournalColumns.Leg, JournalColumns.AnsweredBy, JournalColumns.User, JournalColumns.CallerId,
        JournalColumns.To, JournalColumns.AppId, JournalColumns.ConversationId, JournalColumns.RequestId, JournalColumns.EventTime,
        JournalColumns.ReceivedAt, JournalColumns.ProcessedAt, JournalColumns.ContentHash,
    ];
}
