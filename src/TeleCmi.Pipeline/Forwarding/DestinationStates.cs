using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// How the destinations are: since when one fails, and whether it is disabled because it responded with 410. A row each, so
/// that every instance knows, also after a restart; written only when the state changes. Disabled holds for the address that
/// responded: another address in the settings begins anew, and so does <see cref="ResumeAsync"/>.
/// </summary>
public sealed partial class DestinationStates(IStore store, TimeProvider clock, ILogger<DestinationStates> logger)
{
    /// <summary>The name of the table.</summary>
    public const string TableName = "Destinations";

    /// <summary>How long a destination may fail before a person is needed, unless that person says otherwise.</summary>
    public static readonly TimeSpan LongFailing = TimeSpan.FromMinutes(15);

    private const string Partition = "destination";
    private const string Name = "Destination";
    private const string UrlHash = "UrlHash";
    private const string DisabledAt = "DisabledAt";
    private const string FailingSince = "FailingSince";
    private const string RecoveredAt = "RecoveredAt";
    private const string Fault = "Fault";

    private static readonly TimeSpan Trusted = TimeSpan.FromMinutes(1);

    private readonly ITable _table = store.Table(TableName);
    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a destination is disabled; storage is asked once a minute.</summary>
    public async Task<bool> IsDisabledAsync(ForwardDestination destination, CancellationToken cancellation)
    {
        if (_known.TryGetValue(destination.Name, out var known) && clock.GetElapsedTime(known.ReadAt) < Trusted)
        {
            return known.IsDisabled;
        }

        var row = await _table.FindAsync(KeyOf(destination.Name), columns: null, cancellation);
        var isDisabled = row?.Time(DisabledAt) is not null && row.Text(UrlHash) == HashOf(destination);
        _known[destination.Name] = new Known(isDisabled, row is not null && StateOf(row).FailingSince is not null, clock.GetTimestamp());
        return isDisabled;
    }

    /// <summary>Disables a destination.</summary>
    public async Task DisableAsync(ForwardDestination destination, CancellationToken cancellation)
    {
        await MergeAsync(new TableRow(KeyOf(destination.Name)) { [Name] = destination.Name, [UrlHash] = HashOf(destination), [DisabledAt] = clock.GetUtcNow() }, cancellation);
        _known[destination.Name] = new Known(IsDisabled: true, IsFailing: false, clock.GetTimestamp());
    }

    /// <summary>Notes that an attempt failed, or that one was delivered. What cannot be noted is logged: it neither repeats a delivery nor loses one.</summary>
    internal async Task NoteAsync(ForwardDestination destination, DeliveryResult result)
    {
        var isFailing = result.Outcome is DeliveryOutcome.Retry;
        if (!_known.TryGetValue(destination.Name, out var known) || known.IsFailing == isFailing)
        {
            return;
        }

        try
        {
            await MergeAsync(
                new TableRow(KeyOf(destination.Name)) { [Name] = destination.Name, [isFailing ? FailingSince : RecoveredAt] = clock.GetUtcNow(), [Fault] = isFailing ? result.Reason : null },
                CancellationToken.None);
            _known[destination.Name] = known with { IsFailing = isFailing };
        }
        catch (StorageException e)
        {
            Log.NotNoted(logger, e, destination.Name);
        }
    }

    /// <summary>Lets a destination be sent to again, by this process at once and by others within a minute; its failures are forgotten too.</summary>
    /// <returns>False when nothing was noted of it.</returns>
    public async Task<bool> ResumeAsync(string destinationName, CancellationToken cancellation)
    {
        _known.TryRemove(destinationName, out _);
        return await _table.DeleteAsync(KeyOf(destinationName), version: null, cancellation) is WriteOutcome.Written;
    }

    /// <summary>The destinations that are disabled or failing; one that never failed is not among them.</summary>
    /// <exception cref="StorageException">The table cannot be read.</exception>
    public async Task<IReadOnlyList<DestinationState>> ReadAsync(CancellationToken cancellation) =>
        await _table.RowsAsync(new TableQuery(), cancellation).Select(StateOf).Where(state => state.DisabledAt is not null || state.FailingSince is not null).ToListAsync(cancellation);

    private async Task MergeAsync(TableRow row, CancellationToken cancellation)
    {
        while (await _table.MergeAsync(row, version: null, cancellation) is WriteOutcome.Missing && await _table.TryInsertAsync(row, cancellation) is null)
        {
            // Another instance has made it in between.
        }
    }

    private static DestinationState StateOf(TableRow row) => new(
        row.Text(Name) ?? row.Key.Row,
        row.Time(DisabledAt),
        row.Time(RecoveredAt) >= row.Time(FailingSince) ? null : row.Time(FailingSince),
        row.Text(Fault));

    private static RowKey KeyOf(string name) => new(Partition, TableKey.Part(name.ToUpperInvariant()));

    // The address may hold a secret of the receiver's.
    private static string HashOf(ForwardDestination destination) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(destination.Url.AbsoluteUri)));

    private sealed record Known(bool IsDisabled, bool IsFailing, long ReadAt);

    private static partial class Log
    {
        [LoggerMessage(EventId = 70, Level = LogLevel.Warning, Message = "Whether destination {Destination} is failing could not be noted in the table Destinations.")]
        public static partial void NotNoted(ILogger logger, Exception exception, string destination);
    }
}

/// <summary>A destination that is disabled or failing.</summary>
/// <param name="Destination">Its name.</param>
/// <param name="DisabledAt">When it responded with 410; null: it did not.</param>
/// <param name="FailingSince">When the first attempt failed after which none was delivered; null: it is not failing.</param>
/// <param name="Fault">What was wrong then.</param>
public sealed record DestinationState(string Destination, DateTimeOffset? DisabledAt, DateTimeOffset? FailingSince, string? Fault);
