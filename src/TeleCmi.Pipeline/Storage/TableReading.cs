using System.Runtime.CompilerServices;

namespace TeleCmi.Pipeline.Storage;

/// <summary>Reading whole ranges of a table.</summary>
public static class TableReading
{
    /// <summary>Walks the rows that match, page by page, each with the store's own deadline.</summary>
    /// <exception cref="StorageException">A page did not come.</exception>
    public static async IAsyncEnumerable<TableRow> RowsAsync(this ITable table, TableQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        string? continuation = null;
        do
        {
            var page = await table.ReadPageAsync(query, continuation, cancellation);
            foreach (var row in page.Rows)
            {
                yield return row;
            }

            continuation = page.Continuation;
        }
        while (continuation is not null);
    }
}
