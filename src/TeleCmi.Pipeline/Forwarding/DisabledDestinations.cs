using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// The destinations that responded with 410: a row each, so that every instance stays away, also after a restart. The row
/// holds for the address that responded; another address in the settings begins anew, and so does <see cref="ResumeAsync"/>.
/// </summary>
public sealed class DisabledDestinations(IStore store, TimeProvider clock)
{
    /// <summary>The name of the table.</summary>
    public const string TableName = "DisabledDestinations";

    private const string Partition = "disabled";
    private const string UrlHash = "UrlHash";

    private static readonly TimeSpan Trusted = TimeSpan.FromMinutes(1);

    private readonly ITable _table = store.Table(TableName);
    private readonly ConcurrentDictionary<string, (bool Disabled, long ReadAt)> _known = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a destination is disabled; storage is asked once a minute.</summary>
    public async Task<bool> IsDisabledAsync(ForwardDestination destination, CancellationToken cancellation)
    {
        if (_known.TryGetValue(destination.Name, out var known) && clock.GetElapsedTime(known.ReadAt) < Trusted)
        {
            return known.Disabled;
        }

        var row = await _table.FindAsync(KeyOf(destination.Name), [UrlHash], cancellation);
        var isDisabled = row?.Text(UrlHash) == HashOf(destination);
        _known[destination.Name] = (isDisabled, clock.GetTimestamp());
        return isDisabled;
    }

    /// <summary>Disables a destination.</summary>
    public async Task DisableAsync(ForwardDestination destination, CancellationToken cancellation)
    {
        await _table.UpsertAsync(
            new TableRow(KeyOf(destination.Name))
            {
                ["Destination"] = destination.Name,
                [UrlHash] = HashOf(destination),
                ["DisabledAt"] = clock.GetUtcNow(),
            },
            cancellation);
        _known[destination.Name] = (true, clock.GetTimestamp());
    }

    /// <summary>Lets a destination be sent to again, by this process at once and by others within a minute.</summary>
    /// <returns>False when it was not disabled.</returns>
    public async Task<bool> ResumeAsync(string destinationName, CancellationToken cancellation)
    {
        _known.TryRemove(destinationName, out _);
        return await _table.DeleteAsync(KeyOf(destinationName), version: null, cancellation) is WriteOutcome.Written;
    }

    private static RowKey KeyOf(string name) => new(Partition, TableKey.Part(name.ToUpperInvariant()));

    // The address may hold a secret of the receiver's.
    private static string HashOf(ForwardDestination destination) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(destination.Url.AbsoluteUri)));
}
