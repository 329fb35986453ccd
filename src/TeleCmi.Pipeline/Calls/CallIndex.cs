using TeleCmi.Events;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Calls;

/// <summary>
/// Says under which subject of the journal the notices of a leg or a click2call request stand, so that a call is found
/// from a detail record that does not name its conversation, without reading the day. Written only where calls are forwarded.
/// </summary>
public sealed class CallIndex(IStore store)
{
    /// <summary>The name of the table; its partitions are those of the journal.</summary>
    public const string TableName = "CallIndex";

    private const string Subject = "Subject";

    private readonly ITable _table = store.Table(TableName);

    /// <summary>Notes what an event says of its leg and its request.</summary>
    /// <exception cref="StorageException">It is not noted.</exception>
    public async Task NoteAsync(CallEvent callEvent, CancellationToken cancellation)
    {
        var notice = callEvent.Notice;
        foreach (var row in RowsOf(JournalKey.PartitionOf(notice.Time), notice.AppIdText, notice.Subject, notice.CmiUuid, notice.RequestId))
        {
            _ = await _table.TryInsertAsync(row, cancellation);
        }
    }

    /// <summary>The same for all that the journal has of a call.</summary>
    internal async Task NoteAsync(CallRecord call, CancellationToken cancellation)
    {
        var rows = call.Events.SelectMany(notice => RowsOf(notice.Key.Partition, notice.AppId, notice.ConversationId ?? notice.CmiUuid, notice.CmiUuid, notice.RequestId));
        foreach (var row in rows.DistinctBy(row => row.Key))
        {
            _ = await _table.TryInsertAsync(row, cancellation);
        }
    }

    /// <summary>The subjects that were noted for a leg or a request of an application.</summary>
    internal async Task<IReadOnlyList<string>> FindAsync(string partition, string? appId, string name, CancellationToken cancellation)
    {
        var key = KeyOf(appId, name);
        var query = new TableQuery { PartitionFrom = partition, PartitionTo = partition, RowFrom = $"{key}{JournalKey.Separator}", RowBefore = $"{key}{JournalKey.AfterSeparator}" };
        return await _table.RowsAsync(query, cancellation).Select(row => row.Text(Subject)).OfType<string>().ToListAsync(cancellation);
    }

    private static IEnumerable<TableRow> RowsOf(string partition, string? appId, string? subject, params string?[] names) =>
        names.OfType<string>().Where(name => name != subject).Select(name =>
            new TableRow(new RowKey(partition, $"{KeyOf(appId, name)}{JournalKey.Separator}{TableKey.Part(subject)}")) { [Subject] = subject });

    private static string KeyOf(string? appId, string name) => $"{TableKey.Part(appId)}{JournalKey.Separator}{TableKey.Part(name)}";
}
