using System.Runtime.CompilerServices;
using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.DeadLetters;

/// <summary>The table of dead letters: a partition per UTC day of receipt, rows in order of time. Nothing in it expires.</summary>
public sealed class DeadLetterStore(IStore store, TeleCmiMetrics metrics)
{
    /// <summary>The name of the table.</summary>
    public const string TableName = "DeadLetters";

    private static readonly string[] WithoutBody =
    [
        nameof(DeadLetter.Reason), nameof(DeadLetter.Kind), nameof(DeadLetter.EventId), nameof(DeadLetter.ReceivedAt), nameof(DeadLetter.Error),
        nameof(DeadLetter.Destination), nameof(DeadLetter.Status), nameof(StoredDeadLetter.Bytes),
    ];

    private readonly ITable _table = store.Table(TableName);

    /// <summary>Keeps a dead letter; the same one is kept once, however often it comes.</summary>
    /// <exception cref="StorageException">It is not kept.</exception>
    public async Task KeepAsync(DeadLetter letter, CancellationToken cancellation)
    {
        var row = new TableRow(DeadLetterId.Of(letter).Key)
        {
            [nameof(DeadLetter.Reason)] = letter.Reason,
            [nameof(DeadLetter.Kind)] = letter.Kind,
            [nameof(DeadLetter.EventId)] = letter.EventId,
            [nameof(DeadLetter.ReceivedAt)] = letter.ReceivedAt,
            [nameof(DeadLetter.Error)] = letter.Error,
            [nameof(DeadLetter.Body)] = letter.Body.ToArray(),
            [nameof(DeadLetter.Destination)] = letter.Destination,
            [nameof(DeadLetter.Status)] = letter.Status,
            [nameof(DeadLetter.ResponseBody)] = letter.ResponseBody,
            [nameof(StoredDeadLetter.Bytes)] = letter.Body.Length,
        };

        if (await _table.TryInsertAsync(row, cancellation) is not null)
        {
            metrics.DeadLettered(letter.Reason, letter.Kind);
            return;
        }

        // It came back while a replay has not removed its row yet: the new version makes that removal fail.
        await _table.UpsertAsync(row, cancellation);
    }

    /// <summary>Walks the dead letters that match, oldest first.</summary>
    /// <param name="filter">Which ones.</param>
    /// <param name="withBodies">Whether to read their bodies too.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public async IAsyncEnumerable<StoredDeadLetter> QueryAsync(
        DeadLetterFilter filter, bool withBodies, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var row in _table.RowsAsync(filter.ToQuery() with { Columns = withBodies ? null : WithoutBody }, cancellation))
        {
            yield return Read(row);
        }
    }

    /// <summary>Counts them by reason, without reading their bodies.</summary>
    public async Task<DeadLetterCount> CountAsync(CancellationToken cancellation)
    {
        var byReason = new SortedDictionary<string, int>(StringComparer.Ordinal);
        DateTimeOffset? oldest = null;
        var query = new TableQuery { Columns = [nameof(DeadLetter.Reason), nameof(DeadLetter.ReceivedAt)] };
        await foreach (var row in _table.RowsAsync(query, cancellation))
        {
            var reason = row.Text(nameof(DeadLetter.Reason)) ?? "";
            byReason[reason] = byReason.GetValueOrDefault(reason) + 1;
            oldest ??= row.Time(nameof(DeadLetter.ReceivedAt));
        }

        return new DeadLetterCount(byReason, oldest);
    }

    /// <summary>Reads one with its body.</summary>
    /// <returns>Null when it is not there (any more).</returns>
    public async Task<StoredDeadLetter?> FindAsync(DeadLetterId id, CancellationToken cancellation) =>
        await _table.FindAsync(id.Key, columns: null, cancellation) is { } row ? Read(row) : null;

    /// <summary>Removes one for good, unless it was kept again since it was read.</summary>
    /// <returns>Whether it is gone; false when it came back in the meantime and stays.</returns>
    public async Task<bool> RemoveAsync(StoredDeadLetter letter, CancellationToken cancellation) =>
        await _table.DeleteAsync(letter.Id.Key, letter.Version, cancellation) is not WriteOutcome.Changed;

    /// <summary>Removes what was kept of an event whose work is done after all, by another delivery.</summary>
    public Task WithdrawAsync(CallEvent callEvent, DateTimeOffset firstReceivedAt, CancellationToken cancellation) =>
        _table.DeleteAsync(DeadLetterId.OfPoison(callEvent, firstReceivedAt).Key, version: null, cancellation);

    private static StoredDeadLetter Read(TableRow row)
    {
        var id = new DeadLetterId(row.Key);
        var body = row.Bytes(nameof(DeadLetter.Body)) ?? [];
        return new StoredDeadLetter(
            id,
            new DeadLetter
            {
                Reason = row.Text(nameof(DeadLetter.Reason)) ?? "",
                Kind = row.Text(nameof(DeadLetter.Kind)),
                EventId = row.Text(nameof(DeadLetter.EventId)),
                ReceivedAt = row.Time(nameof(DeadLetter.ReceivedAt)) ?? default,
                Error = row.Text(nameof(DeadLetter.Error)) ?? "",
                Body = body,
                Destination = row.Text(nameof(DeadLetter.Destination)),
                Status = (int?)row.Number(nameof(DeadLetter.Status)),
                ResponseBody = row.Text(nameof(DeadLetter.ResponseBody)),
                Discriminator = id.Key.Row[(id.Key.Row.IndexOf('-', StringComparison.Ordinal) + 1)..],
            },
            (int)(row.Number(nameof(StoredDeadLetter.Bytes)) ?? body.Length),
            row.Version);
    }
}
