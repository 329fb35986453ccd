using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// The destinations that answered 410: a row each, so that every instance stays away, also after a restart. The row
/// holds for the address that answered; another address in the settings begins anew, and so does removing the row.
/// </summary>
public sealed class StoppedDestinations(StorageClients clients, TimeProvider clock)
{
    /// <summary>The table.</summary>
    public const string TableName = "ForwardStops";

    private const string Partition = "stopped";
    private const string UrlHash = "UrlHash";
    private const string StoppedAt = "StoppedAt";

    private static readonly TimeSpan Trusted = TimeSpan.FromMinutes(1);

    private readonly Lazy<TableClient> _table = new(() => clients.Table(TableName));
    private readonly ConcurrentDictionary<string, (bool Stopped, long LookedAt)> _known = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a destination is stopped; storage is asked once a minute.</summary>
    public async Task<bool> IsStoppedAsync(ForwardDestination destination, CancellationToken cancellation)
    {
        if (_known.TryGetValue(destination.Name, out var known) && clock.GetElapsedTime(known.LookedAt) < Trusted)
        {
            return known.Stopped;
        }

        var row = await _table.Value.GetEntityIfExistsAsync<TableEntity>(Partition, KeyOf(destination.Name), [UrlHash], cancellation);
        var stopped = row is { HasValue: true, Value: { } stop } && stop.GetString(UrlHash) == HashOf(destination);
        _known[destination.Name] = (stopped, clock.GetTimestamp());
        return stopped;
    }

    /// <summary>Stops a destination.</summary>
    public async Task StopAsync(ForwardDestination destination, CancellationToken cancellation)
    {
        var row = new TableEntity(Partition, KeyOf(destination.Name))
        {
            ["Destination"] = destination.Name,
            [UrlHash] = HashOf(destination),
            [StoppedAt] = clock.GetUtcNow(),
        };
        try
        {
            await _table.Value.UpsertEntityAsync(row, TableUpdateMode.Replace, cancellation);
        }
        catch (RequestFailedException e) when (e.ErrorCode == TableErrorCode.TableNotFound)
        {
            await _table.Value.CreateIfNotExistsAsync(cancellation);
            await _table.Value.UpsertEntityAsync(row, TableUpdateMode.Replace, cancellation);
        }

        _known[destination.Name] = (true, clock.GetTimestamp());
    }

    /// <summary>Lets a destination be called again, by this process at once and by others within a minute.</summary>
    /// <returns>False when it was not stopped.</returns>
    public async Task<bool> ResumeAsync(string destinationName, CancellationToken cancellation)
    {
        _known.TryRemove(destinationName, out _);
        var row = await _table.Value.GetEntityIfExistsAsync<TableEntity>(Partition, KeyOf(destinationName), [UrlHash], cancellation);
        if (!row.HasValue)
        {
            return false;
        }

        await _table.Value.DeleteEntityAsync(Partition, KeyOf(destinationName), ETag.All, cancellation);
        return true;
    }

    private static string KeyOf(string name) => name.ToUpperInvariant();

    // The address may hold a secret of the receiver's.
    private static string HashOf(ForwardDestination destination) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(destination.Url.AbsoluteUri)));
}
