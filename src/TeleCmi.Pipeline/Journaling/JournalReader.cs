using System.Runtime.CompilerServices;
using Azure.Data.Tables;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Journaling;

/// <summary>Reads the journal, for people: by day, kind, conversation or agent.</summary>
public sealed class JournalReader(StorageClients clients, TimeProvider clock)
{
    private const int LongestStepBack = 31;

    private readonly TableClient _table = clients.Table(Journal.TableName);

    /// <summary>Walks the rows that match: by day, within a day by conversation.</summary>
    public async IAsyncEnumerable<JournalRecord> QueryAsync(JournalFilter filter, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var row in _table.RowsAsync(filter.ToOData(), columns: null, clock, cancellation))
        {
            yield return JournalRecord.Of(row);
        }
    }

    /// <summary>When the receiver got the newest event that has been processed.</summary>
    /// <returns>Null when the journal is empty.</returns>
    /// <remarks>
    /// Days are stepped back from tomorrow's (the sender's clock may be ahead), so that a large journal is not read as a
    /// whole; only when a month has nothing is the rest looked at.
    /// </remarks>
    public async Task<DateTimeOffset?> LastReceivedAsync(CancellationToken cancellation)
    {
        var today = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        for (var daysAgo = -1; daysAgo <= LongestStepBack; daysAgo++)
        {
            var day = today.AddDays(-daysAgo);
            if (await LastReceivedAsync(new JournalFilter { From = day, To = day }, cancellation) is { } found)
            {
                return found;
            }
        }

        return await LastReceivedAsync(new JournalFilter(), cancellation);
    }

    private async Task<DateTimeOffset?> LastReceivedAsync(JournalFilter filter, CancellationToken cancellation)
    {
        DateTimeOffset? last = null;
        await foreach (var row in _table.RowsAsync(filter.ToOData(), [JournalRow.ReceivedAt], clock, cancellation))
        {
            if (row.GetDateTimeOffset(JournalRow.ReceivedAt) is { } receivedAt && (last is null || receivedAt > last))
            {
                last = receivedAt;
            }
        }

        return last;
    }
}
