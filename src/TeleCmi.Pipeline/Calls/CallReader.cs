using System.Runtime.CompilerServices;
using TeleCmi.Events;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Calls;

/// <summary>Reads calls from the journal. A call's rows stand in the partitions of the day before, of and after it.</summary>
public sealed class CallReader(IStore store, TimeProvider clock)
{
    private readonly ITable _journal = store.Table(Journal.TableName);
    private readonly CallIndex _index = new(store);

    /// <summary>The calls that match, newest first.</summary>
    /// <param name="filter">Which calls.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <remarks>A day's notices are held in memory without their envelopes, some 1 KB for each call; never more than three days at once.</remarks>
    /// <exception cref="StorageException">The journal cannot be read.</exception>
    public async IAsyncEnumerable<CallRecord> QueryAsync(CallFilter filter, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var last = filter.To ?? clock.Today();
        var days = new Dictionary<string, List<CallNotice>>(StringComparer.Ordinal);
        for (var day = last; day >= (filter.From ?? last); day = day.AddDays(-1))
        {
            string[] partitions = [UtcDay.Of(day.AddDays(-1)), UtcDay.Of(day), UtcDay.Of(day.AddDays(1)), JournalKey.Undated];
            foreach (var old in days.Keys.Except(partitions, StringComparer.Ordinal).ToArray())
            {
                days.Remove(old);
            }

            var grouping = new CallGrouping();
            foreach (var partition in partitions)
            {
                if (!days.TryGetValue(partition, out var notices))
                {
                    days[partition] = notices = await ReadAsync(new TableQuery { PartitionFrom = partition, PartitionTo = partition }, cancellation);
                }

                notices.ForEach(grouping.Add);
            }

            // A call belongs to the day on which its first notice was received.
            var calls = grouping.Calls()
                .Where(call => UtcDay.DateOf(call.Notices.Min(notice => notice.ReceivedAt)) == day)
                .Select(call => CallReducer.Reduce(call.Id, call.Notices, clock.GetUtcNow()))
                .Where(filter.Matches)
                .OrderByDescending(call => call.StartedAt)
                .ThenBy(call => call.Id, StringComparer.Ordinal);
            foreach (var call in calls)
            {
                yield return call;
            }
        }
    }

    /// <summary>Finds one call by its conversation, its click2call request, the id of one of its events, or its own id.</summary>
    /// <param name="id">Which one.</param>
    /// <param name="cancellation">Ends the search.</param>
    /// <returns>The calls; several when applications share an id, none when there is no such call.</returns>
    public async Task<IReadOnlyList<CallRecord>> FindAsync(string id, CancellationToken cancellation)
    {
        var name = NameOf(id);
        var (from, before) = JournalKey.RowsOf(name);
        var found = await ReadAsync(new TableQuery { RowFrom = from, RowBefore = before }, cancellation);
        if (found.Count == 0)
        {
            found = await ReadAsync(
                new TableQuery
                {
                    Where = TableCondition.AnyOf(
                        TableCondition.Equal(JournalColumns.RequestId, name),
                        TableCondition.Equal(JournalColumns.EventId, name),
                        TableCondition.Equal(JournalColumns.CmiUuid, name)),
                },
                cancellation);
        }

        if (found.Count == 0)
        {
            return [];
        }

        return
        [
            .. (await CallsAroundAsync(found.Select(notice => notice.Key), cancellation))
                .Select(call => CallReducer.Reduce(call.Id, call.Notices, clock.GetUtcNow())),
        ];
    }

    /// <summary>The call that an event of the journal belongs to, read by its keys alone: it costs the same on the fullest day.</summary>
    /// <param name="callEvent">The event, which the <see cref="CallIndex"/> has.</param>
    /// <param name="cancellation">Ends the search.</param>
    /// <returns>Null when the journal does not have the event (any more).</returns>
    /// <exception cref="StorageException">The journal cannot be read.</exception>
    internal async Task<CallRecord?> FindCallOfAsync(CallEvent callEvent, CancellationToken cancellation)
    {
        var key = JournalKey.Of(callEvent);
        var time = callEvent.Notice.Time ?? callEvent.ReceivedAt;
        string[] partitions =
        [
            .. new[] { time - CallReducer.LongestCall, time, time + CallReducer.LongestCall }.Select(UtcDay.Of).Append(JournalKey.Undated).Distinct(StringComparer.Ordinal),
        ];
        var grouping = new CallGrouping();
        var known = new HashSet<string>(StringComparer.Ordinal);
        var unread = new Queue<string>();
        Follow([CallNotice.Of(callEvent)]);
        while (unread.TryDequeue(out var name))
        {
            var (from, before) = JournalKey.RowsOf(name);
            var notices = new List<CallNotice>();
            foreach (var partition in partitions)
            {
                notices.AddRange(await ReadAsync(new TableQuery { PartitionFrom = partition, PartitionTo = partition, RowFrom = from, RowBefore = before }, cancellation));
                (await _index.FindAsync(partition, callEvent.Notice.AppIdText, name, cancellation)).ToList().ForEach(Add);
            }

            notices.ForEach(grouping.Add);
            Follow(notices.FindAll(notice => notice.AppId == callEvent.Notice.AppIdText));
        }

        return grouping.Calls()
            .Where(call => call.Notices.Any(notice => notice.Key == key))
            .Select(call => CallReducer.Reduce(call.Id, call.Notices, clock.GetUtcNow()))
            .SingleOrDefault();

        void Follow(List<CallNotice> notices)
        {
            // A leg whose detail record names the conversation has none elsewhere: a ring group has many legs.
            var finished = notices.Where(notice => notice.IsCdr && notice.ConversationId is not null).Select(notice => notice.CmiUuid).ToHashSet(StringComparer.Ordinal);
            foreach (var notice in notices)
            {
                Add(notice.ConversationId);
                Add(notice.RequestId);
                Add(finished.Contains(notice.CmiUuid) ? null : notice.CmiUuid);
            }
        }

        void Add(string? name)
        {
            if (name is not null && known.Add(name))
            {
                unread.Enqueue(name);
            }
        }
    }

    /// <summary>The rows of every call that has one of these rows.</summary>
    internal async Task<IReadOnlyCollection<RowKey>> FindWholeCallsAsync(IReadOnlyCollection<RowKey> rows, CancellationToken cancellation)
    {
        var found = new HashSet<RowKey>();
        foreach (var day in rows.GroupBy(row => row.Partition, StringComparer.Ordinal))
        {
            found.UnionWith((await CallsAroundAsync(day, cancellation)).SelectMany(call => call.Notices).Select(notice => notice.Key));
        }

        return found;
    }

    // The rest of a call stands near what was found of it: detail records name no conversation.
    private async Task<IReadOnlyList<(string Id, IReadOnlyList<CallNotice> Notices)>> CallsAroundAsync(IEnumerable<RowKey> rows, CancellationToken cancellation)
    {
        var keys = rows.ToHashSet();
        DateOnly[] days = [.. keys.Select(key => UtcDay.TryParse(key.Partition, out var day) ? day : (DateOnly?)null).OfType<DateOnly>()];
        var grouping = new CallGrouping();
        if (days.Length > 0)
        {
            (await ReadAsync(Around(days), cancellation)).ForEach(grouping.Add);
        }

        if (keys.Any(key => key.Partition == JournalKey.Undated))
        {
            (await ReadAsync(new TableQuery { PartitionFrom = JournalKey.Undated, PartitionTo = JournalKey.Undated }, cancellation)).ForEach(grouping.Add);
        }

        return [.. grouping.Calls().Where(call => call.Notices.Any(notice => keys.Contains(notice.Key)))];
    }

    private static TableQuery Around(DateOnly[] days) =>
        new() { PartitionFrom = UtcDay.Of(days.Min().AddDays(-1)), PartitionTo = UtcDay.Of(days.Max().AddDays(1)) };

    // 2223343:call:<conversation>, request~<request> and unjoined~<leg> are how a record names itself.
    private static string NameOf(string id)
    {
        var name = id.Split(CallRecord.IdSeparator, 2) is [_, var rest] ? rest : id;
        return name.Split('~', 2) is ["request" or "unjoined", var inner] ? inner : name;
    }

    private async Task<List<CallNotice>> ReadAsync(TableQuery query, CancellationToken cancellation)
    {
        var notices = new List<CallNotice>();
        await foreach (var row in _journal.RowsAsync(query with { Columns = CallNotice.Columns }, cancellation))
        {
            // A row of an older version has no columns of calls: its envelope has what they say.
            var isOlder = row.Text(JournalColumns.CmiUuid) is null && row.Text(JournalColumns.Status) is null;
            notices.Add(CallNotice.Of(isOlder ? await _journal.FindAsync(row.Key, columns: null, cancellation) ?? row : row));
        }

        return notices;
    }
}
