using System.Runtime.CompilerServices;
using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.DeadLetters;

/// <summary>The table of dead letters: a partition per UTC day of receipt, rows in order of time. Nothing in it expires.</summary>
public sealed class DeadLetterStore(StorageClients clients, TeleCmiMetrics metrics, TimeProvider clock)
{
    /// <summary>The table.</summary>
    public const string TableName = "DeadLetters";

    private readonly Lazy<TableClient> _table = new(() => clients.Table(TableName));

    /// <summary>Keeps a dead letter; the same one is kept once, however often it comes.</summary>
    public async Task KeepAsync(DeadLetter letter, CancellationToken cancellation)
    {
        var id = DeadLetterId.Of(letter);
        var row = new TableEntity(id.Partition, id.Row)
        {
            [nameof(DeadLetter.Reason)] = letter.Reason,
            [nameof(DeadLetter.Kind)] = letter.Kind,
            [nameof(DeadLetter.EventId)] = letter.EventId,
            [nameof(DeadLetter.ReceivedAt)] = letter.ReceivedAt,
            [nameof(DeadLetter.Error)] = letter.Error,
            [nameof(DeadLetter.Body)] = letter.Body.ToArray(),
            [nameof(DeadLetter.Destination)] = letter.Destination,
            [nameof(DeadLetter.Status)] = letter.Status,
            [nameof(DeadLetter.Answer)] = letter.Answer,
        };

        if (await _table.Value.TryInsertAsync(row, cancellation))
        {
            metrics.DeadLettered(letter.Reason, letter.Kind);
            return;
        }

        // Back from a replay that has not removed its row yet: a new version of the row keeps that removal from taking it.
        await _table.Value.UpsertEntityAsync(row, TableUpdateMode.Replace, cancellation);
    }

    /// <summary>Walks the dead letters that match, oldest first.</summary>
    public async IAsyncEnumerable<StoredDeadLetter> QueryAsync(DeadLetterFilter filter, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var row in _table.Value.RowsAsync(filter.ToOData(), columns: null, clock, cancellation))
        {
            yield return Read(row);
        }
    }

    /// <summary>Counts them by reason, without reading their bodies.</summary>
    public async Task<DeadLetterCount> CountAsync(CancellationToken cancellation)
    {
        var byReason = new SortedDictionary<string, int>(StringComparer.Ordinal);
        DateTimeOffset? oldest = null;
        await foreach (var row in _table.Value.RowsAsync(filter: null, [nameof(DeadLetter.Reason), nameof(DeadLetter.ReceivedAt)], clock, cancellation))
        {
            var reason = row.GetString(nameof(DeadLetter.Reason)) ?? "";
            byReason[reason] = byReason.GetValueOrDefault(reason) + 1;
            oldest ??= row.GetDateTimeOffset(nameof(DeadLetter.ReceivedAt));
        }

        return new DeadLetterCount(byReason, oldest);
    }

    /// <summary>Finds one.</summary>
    /// <returns>Null when it is not there (any more).</returns>
    public Task<StoredDeadLetter?> FindAsync(DeadLetterId id, CancellationToken cancellation) => Deadline.RunAsync(
        async deadline => await _table.Value.FindAsync(id.Partition, id.Row, deadline) is { } row ? Read(row) : null,
        Deadline.OfStorage,
        clock,
        cancellation);

    /// <summary>Removes one for good, unless it was kept again since it was read.</summary>
    /// <returns>Whether it is gone; false when it came back in the meantime and stays.</returns>
    public Task<bool> RemoveAsync(StoredDeadLetter letter, CancellationToken cancellation) => Deadline.RunAsync(
        async deadline =>
        {
            try
            {
                await _table.Value.DeleteEntityAsync(letter.Id.Partition, letter.Id.Row, letter.Version, deadline);
                return true;
            }
            catch (RequestFailedException e) when (e.ErrorCode == TableErrorCode.UpdateConditionNotSatisfied)
            {
                return false;
            }
        },
        Deadline.OfStorage,
        clock,
        cancellation);

    /// <summary>Takes back what was kept of an event that has come to its end after all, by another delivery.</summary>
    internal async Task WithdrawAsync(CallEvent callEvent, DateTimeOffset firstReceivedAt, CancellationToken cancellation)
    {
        var id = DeadLetterId.OfPoison(callEvent, firstReceivedAt);
        await _table.Value.DeleteEntityAsync(id.Partition, id.Row, ETag.All, cancellation);
    }

    private static StoredDeadLetter Read(TableEntity row)
    {
        var id = new DeadLetterId(row.PartitionKey, row.RowKey);
        return new StoredDeadLetter(
            id,
            new DeadLetter
            {
                Reason = row.GetString(nameof(DeadLetter.Reason)) ?? "",
                Kind = row.GetString(nameof(DeadLetter.Kind)),
                EventId = row.GetString(nameof(DeadLetter.EventId)),
                ReceivedAt = row.GetDateTimeOffset(nameof(DeadLetter.ReceivedAt)) ?? row.Timestamp ?? default,
                Error = row.GetString(nameof(DeadLetter.Error)) ?? "",
                Body = row.GetBinary(nameof(DeadLetter.Body)) ?? [],
                Destination = row.GetString(nameof(DeadLetter.Destination)),
                Status = row.GetInt32(nameof(DeadLetter.Status)),
                Answer = row.GetString(nameof(DeadLetter.Answer)),
                Discriminator = id.Row[(id.Row.IndexOf('-', StringComparison.Ordinal) + 1)..],
            },
            row.ETag);
    }
}
