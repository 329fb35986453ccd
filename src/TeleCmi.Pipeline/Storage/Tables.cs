using System.Runtime.CompilerServices;
using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;

namespace TeleCmi.Pipeline.Storage;

/// <summary>Table requests as this product makes them: no look-ups on the way, a missing table is made when storage says so.</summary>
internal static class Tables
{
    /// <summary>Inserts a row.</summary>
    /// <returns>False when a row with that key is there already.</returns>
    public static async Task<bool> TryInsertAsync(this TableClient table, TableEntity row, CancellationToken cancellation)
    {
        try
        {
            await table.AddEntityAsync(row, cancellation);
            return true;
        }
        catch (RequestFailedException e) when (e.ErrorCode == TableErrorCode.EntityAlreadyExists)
        {
            return false;
        }
        catch (RequestFailedException e) when (e.ErrorCode == TableErrorCode.TableNotFound)
        {
            await table.CreateIfNotExistsAsync(cancellation);
            return await table.TryInsertAsync(row, cancellation);
        }
    }

    /// <summary>Walks the rows that match, page by page, each with its own deadline; a table that is not there yet has none.</summary>
    /// <exception cref="TimeoutException">A page did not come in time.</exception>
    public static async IAsyncEnumerable<TableEntity> RowsAsync(
        this TableClient table,
        string? filter,
        IEnumerable<string>? columns,
        TimeProvider clock,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        await using var pages = table.QueryAsync<TableEntity>(filter, maxPerPage: null, columns, linked.Token).AsPages().GetAsyncEnumerator(linked.Token);
        while (await NextAsync())
        {
            foreach (var row in pages.Current.Values)
            {
                yield return row;
            }
        }

        async Task<bool> NextAsync()
        {
            timeout.CancelAfter(Deadline.OfStorage);
            try
            {
                return await pages.MoveNextAsync();
            }
            catch (RequestFailedException e) when (e.ErrorCode == TableErrorCode.TableNotFound)
            {
                return false;
            }
            catch (OperationCanceledException e) when (timeout.IsCancellationRequested && !cancellation.IsCancellationRequested)
            {
                throw new TimeoutException($"No answer within {Deadline.OfStorage}.", e);
            }
            finally
            {
                timeout.CancelAfter(Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Reads one row.</summary>
    /// <returns>Null when it, or the table, is not there.</returns>
    public static async Task<TableEntity?> FindAsync(this TableClient table, string partition, string row, CancellationToken cancellation)
    {
        var found = await table.GetEntityIfExistsAsync<TableEntity>(partition, row, cancellationToken: cancellation);
        return found.HasValue ? found.Value : null;
    }

    /// <summary>Joins the conditions that are there.</summary>
    /// <returns>Null when there is none: everything.</returns>
    public static string? AllOf(params IEnumerable<string?> conditions) =>
        string.Join(" and ", conditions.OfType<string>().Select(condition => $"({condition})")) is { Length: > 0 } filter ? filter : null;
}
