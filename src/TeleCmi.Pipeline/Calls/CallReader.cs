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
    /// <remarks>
    /// With each day, what was received near its midnights is read of the days beside it. Of one day's calls, however many days are read,
    /// the names are held, and a temporary file has their notices without the envelopes (docs/calls.md says how much that is).
    /// </remarks>
    /// <exception cref="StorageException">The journal cannot be read.</exception>
    public async IAsyncEnumerable<CallRecord> QueryAsync(CallFilter filter, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var last = filter.To ?? clock.Today();
        for (var day = last; day >= (filter.From ?? last); day = day.AddDays(-1))
        {
            using var grouping = new CallGrouping();
            await AddDayAsync(day, grouping, cancellation);
            var calls = CallsOf(day, grouping);
            for (var place = 0; place < calls.Length; place++)
            {
                var call = Reduce(calls[place]);

                // Whoever takes the calls one by one needs the room.
                calls[place] = null!;
                if (filter.Matches(call))
                {
                    yield return call;
                }
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
        var found = await NoticesAsync(new TableQuery { RowFrom = from, RowBefore = before }, cancellation).ToListAsync(cancellation);
        if (found.Count == 0)
        {
            var named = new TableQuery
            {
                Where = TableCondition.AnyOf(
                    TableCondition.Equal(JournalColumns.RequestId, name),
                    TableCondition.Equal(JournalColumns.EventId, name),
                    TableCondition.Equal(JournalColumns.CmiUuid, name)),
            };
            found = await NoticesAsync(named, cancellation).ToListAsync(cancellation);
        }

        if (found.Count == 0)
        {
            return [];
        }

        using var grouping = new CallGrouping();
        return [.. (await CallsAroundAsync(found.Select(notice => notice.Key), grouping, cancellation)).Select(Reduce)];
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
        using var grouping = new CallGrouping();
        var known = new HashSet<string>(StringComparer.Ordinal);
        var unread = new Queue<string>();
        Follow([CallNotice.Of(callEvent)]);
        while (unread.TryDequeue(out var name))
        {
            var (from, before) = JournalKey.RowsOf(name);
            var notices = new List<CallNotice>();
            foreach (var partition in partitions)
            {
                notices.AddRange(await NoticesAsync(PartitionOf(partition) with { RowFrom = from, RowBefore = before }, cancellation).ToListAsync(cancellation));
                (await _index.FindAsync(partition, callEvent.Notice.AppIdText, name, cancellation)).ToList().ForEach(Add);
            }

            await grouping.AddAsync(notices.ToAsyncEnumerable());
            Follow(notices.FindAll(notice => notice.AppId == callEvent.Notice.AppIdText));
        }

        return grouping.Calls()
            .Where(call => call.Notices.Any(notice => notice.Key == key))
            .Select(Reduce)
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
            using var grouping = new CallGrouping();
            found.UnionWith((await CallsAroundAsync(day, grouping, cancellation)).SelectMany(call => call.Notices).Select(notice => notice.Key));
        }

        return found;
    }

    // The rest of a call stands near what was found of it: detail records name no conversation.
    private async Task<IReadOnlyList<CallParts>> CallsAroundAsync(IEnumerable<RowKey> rows, CallGrouping grouping, CancellationToken cancellation)
    {
        var keys = rows.ToHashSet();
        DateOnly[] days = [.. keys.Select(key => UtcDay.TryParse(key.Partition, out var day) ? day : (DateOnly?)null).OfType<DateOnly>()];
        if (days.Length > 0)
        {
            await grouping.AddAsync(NoticesAsync(Around(days), cancellation));
        }

        if (keys.Any(key => key.Partition == JournalKey.Undated))
        {
            await grouping.AddAsync(NoticesAsync(PartitionOf(JournalKey.Undated), cancellation));
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

    private Task AddDayAsync(DateOnly day, CallGrouping grouping, CancellationToken cancellation) => Task.WhenAll(
        grouping.AddAsync(NoticesAsync(DayOf(day), cancellation)),
        grouping.AddAsync(EndOfDayBeforeAsync(day.AddDays(-1), cancellation)),
        grouping.AddAsync(StartOfDayAfterAsync(day.AddDays(1), cancellation)),
        grouping.AddAsync(UndatedAsync(day, cancellation)));

    private static CallParts[] CallsOf(DateOnly day, CallGrouping grouping)
    {
        // A call belongs to the day on which its first notice was received.
        var calls = grouping.Calls().Where(call => UtcDay.DateOf(call.FirstReceivedAt) == day).ToArray();
        Array.Sort(calls, static (left, right) => right.FirstReceivedAt.CompareTo(left.FirstReceivedAt) is not 0 and var newestFirst
            ? newestFirst
            : string.CompareOrdinal(left.Id, right.Id));
        return calls;
    }

    private CallRecord Reduce(CallParts call) => CallReducer.Reduce(call.Id, call.Notices, clock.GetUtcNow());

    private static TableQuery PartitionOf(string partition) => new() { PartitionFrom = partition, PartitionTo = partition };

    private static TableQuery DayOf(DateOnly day) => PartitionOf(UtcDay.Of(day));

    // A call of the next day may have begun here. What came much later than its own time may belong to a call that stands
    // earlier on this day, so then all of it is read: a correction that comes late, or a sender whose clock is hours slow.
    private IAsyncEnumerable<CallNotice> EndOfDayBeforeAsync(DateOnly day, CancellationToken cancellation)
    {
        var midnight = UtcDay.StartOf(day.AddDays(1));
        var earliest = midnight - CallReducer.LongestCall;
        return EdgeAsync(
            day,
            TableCondition.AtLeast(JournalColumns.ReceivedAt, earliest),
            TableCondition.Below(JournalColumns.ReceivedAt, earliest),
            row => row.Time(JournalColumns.ReceivedAt) >= midnight && row.Time(JournalColumns.EventTime) < earliest,
            cancellation);
    }

    // A call of the day before may end here. What came before its own time is of a sender whose clock is fast.
    private IAsyncEnumerable<CallNotice> StartOfDayAfterAsync(DateOnly day, CancellationToken cancellation)
    {
        var midnight = UtcDay.StartOf(day);
        var latest = midnight + CallReducer.LongestCall;
        return EdgeAsync(
            day,
            TableCondition.Below(JournalColumns.ReceivedAt, latest),
            TableCondition.AtLeast(JournalColumns.ReceivedAt, latest),
            row => row.Time(JournalColumns.ReceivedAt) < midnight,
            cancellation);
    }

    private async IAsyncEnumerable<CallNotice> EdgeAsync(
        DateOnly day, TableCondition nearMidnight, TableCondition theRest, Predicate<TableRow> isAstray, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var isRestNeeded = false;
        await foreach (var notice in NoticesAsync(DayOf(day) with { Where = nearMidnight }, cancellation, row => isRestNeeded |= isAstray(row)))
        {
            yield return notice;
        }

        if (isRestNeeded)
        {
            await foreach (var notice in NoticesAsync(DayOf(day) with { Where = theRest }, cancellation))
            {
                yield return notice;
            }
        }
    }

    // Notices without a time: those that were received on the day or beside it.
    private IAsyncEnumerable<CallNotice> UndatedAsync(DateOnly day, CancellationToken cancellation) => NoticesAsync(
        PartitionOf(JournalKey.Undated) with
        {
            Where = TableCondition.AllOf(
                TableCondition.AtLeast(JournalColumns.ReceivedAt, UtcDay.StartOf(day.AddDays(-1))),
                TableCondition.Below(JournalColumns.ReceivedAt, UtcDay.StartOf(day.AddDays(2)))),
        },
        cancellation);

    private async IAsyncEnumerable<CallNotice> NoticesAsync(TableQuery query, [EnumeratorCancellation] CancellationToken cancellation, Action<TableRow>? seen = null)
    {
        await foreach (var row in _journal.RowsAsync(query with { Columns = CallNotice.Columns }, cancellation))
        {
            seen?.Invoke(row);

            // A row of an older version has no columns of calls: its envelope has what they say.
            var isOlder = row.Text(JournalColumns.CmiUuid) is null && row.Text(JournalColumns.Status) is null;
            yield return CallNotice.Of(isOlder ? await _journal.FindAsync(row.Key, columns: null, cancellation) ?? row : row);
        }
    }
}
