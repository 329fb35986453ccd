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
        foreach (var name in new[] { notice.CmiUuid, notice.RequestId }.OfType<string>().Where(name => name != notice.Subject))
        {
            var key = new RowKey(JournalKey.PartitionOf(notice.Time), $"{KeyOf(notice.AppIdText, name)}{JournalKey.Separator}{TableKey.Part(notice.Subject)}");
            _ = await _table.TryInsertAsync(new TableRow(key) { [Subject] = notice.Subject }, cancellation);
        }
    }

    /// <summary>The subjects that were noted for a leg or a request of an application.</summary>
    internal async Task<IReadOnlyList<string>> FindAsync(string partition, string? appId, string name, CancellationToken cancellation)
    {
        var key = KeyOf(appId, name);
        var query = new TableQuery { PartitionFrom = partition, PartitionTo = partition, RowFrom = $"{key}{JournalKey.Separator}", RowBefore = $"{key}{JournalKey.AfterSeparator}" };
        return await _table.RowsAsync(query, cancellation).Select(row => row.Text(Subject)).OfType<string>().ToListAsync(cancellation);
    }

    private static string KeyOf(string? appId, string name) => $"{TableKey.Part(appId)}{JournalKey.Separator}{TableKey.Part(name)}";
}
