using System.Runtime.CompilerServices;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>Deletes for good what is older than a day: journal, deliveries, dead letters and the claims on conversations. Can break off and be done again.</summary>
public sealed class Purge(IStore store)
{
    // Whose partitions are days.
    private static readonly string[] ByDay = [Journal.TableName, CallIndex.TableName, Delivery.TableName, DeadLetterStore.TableName];

    /// <summary>Deletes everything before a day, oldest day first.</summary>
    /// <param name="before">The first UTC day that stays.</param>
    /// <param name="isDryRun">Whether to count only.</param>
    /// <param name="cancellation">Ends it; what is deleted is deleted.</param>
    /// <returns>Each table's days with their number of rows, as they are done.</returns>
    /// <exception cref="StorageException">Storage failed.</exception>
    public async IAsyncEnumerable<PurgedDay> RunAsync(DateOnly before, bool isDryRun, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var moment = UtcDay.StartOf(before);
        foreach (var table in ByDay)
        {
            var days = new TableQuery { PartitionTo = UtcDay.Of(before.AddDays(-1)), Columns = [] };
            await foreach (var day in DeleteAsync(table, days, row => row.Key.Partition, isDryRun, cancellation))
            {
                yield return day;
            }
        }

        // Events without a usable time are as old as their receipt.
        foreach (var table in new[] { Journal.TableName, Delivery.TableName })
        {
            var undated = new TableQuery
            {
                PartitionFrom = JournalKey.Undated,
                PartitionTo = JournalKey.Undated,
                Where = TableCondition.Below(JournalColumns.ReceivedAt, moment),
                Columns = [],
            };
            await foreach (var day in DeleteAsync(table, undated, row => row.Key.Partition, isDryRun, cancellation))
            {
                yield return day;
            }
        }

        var claims = new TableQuery { Where = TableCondition.Below(ConversationClaim.ClaimedAt, moment), Columns = [ConversationClaim.ClaimedAt] };
        await foreach (var day in DeleteAsync(ConversationClaim.TableName, claims, row => UtcDay.Of(row.Time(ConversationClaim.ClaimedAt)!.Value), isDryRun, cancellation))
        {
            yield return day;
        }
    }

    private async IAsyncEnumerable<PurgedDay> DeleteAsync(
        string name, TableQuery query, Func<TableRow, string> dayOf, bool isDryRun, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var table = store.Table(name);
        PurgedDay? current = null;
        await foreach (var row in table.RowsAsync(query, cancellation))
        {
            var day = dayOf(row);
            if (current is not null && current.Day != day)
            {
                yield return current;
                current = null;
            }

            if (!isDryRun)
            {
                await table.DeleteAsync(row.Key, version: null, cancellation);
            }

            current = new PurgedDay(name, day, (current?.Rows ?? 0) + 1);
        }

        if (current is not null)
        {
            yield return current;
        }
    }
}

/// <summary>What was deleted of one table's day.</summary>
/// <param name="Table">The table.</param>
/// <param name="Day">The UTC day (yyyy-MM-dd), or <c>undated</c>.</param>
/// <param name="Rows">How many rows.</param>
public sealed record PurgedDay(string Table, string Day, int Rows);
