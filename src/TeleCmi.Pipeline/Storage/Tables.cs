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
}
