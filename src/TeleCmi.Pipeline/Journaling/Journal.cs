using Azure;
using Azure.Data.Tables;
using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Journaling;

/// <summary>
/// The journal of processed events, one row per event. A new event costs one insert; only when the row is already there
/// is it read, to tell a duplicate from an unfinished try or another content under the same id.
/// </summary>
public sealed class Journal(StorageClients clients, TimeProvider clock)
{
    /// <summary>The table.</summary>
    public const string TableName = "CallEvents";

    private readonly Lazy<TableClient> _table = new(() => clients.Table(TableName));

    /// <summary>Writes an event down, or finds that it already is.</summary>
    /// <param name="callEvent">The event.</param>
    /// <param name="handlers">The handlers that have work to do for a new event.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public async Task<JournalEntry> RecordAsync(CallEvent callEvent, IReadOnlyCollection<string> handlers, CancellationToken cancellation)
    {
        var key = JournalKey.Of(callEvent);
        var row = JournalRow.Of(callEvent, key);
        foreach (var handler in handlers)
        {
            row[JournalRow.HandlerPrefix + handler] = JournalRow.Pending;
        }

        if (handlers.Count == 0)
        {
            row[JournalRow.ProcessedAt] = clock.GetUtcNow();
        }

        if (await _table.Value.TryInsertAsync(row, cancellation))
        {
            return new JournalEntry(key, JournalOutcome.Journaled, [.. handlers], callEvent.ReceivedAt);
        }

        TableEntity existing = await _table.Value.GetEntityAsync<TableEntity>(key.Partition, key.Row, cancellationToken: cancellation);
        if (existing.GetString(JournalRow.ContentHash) != callEvent.Notice.ContentHash)
        {
            return await RecordVariantAsync(callEvent, key.Variant(callEvent.Notice.ContentHash), cancellation);
        }

        string[] unfinished = [.. handlers.Where(handler => existing.GetString(JournalRow.HandlerPrefix + handler) is JournalRow.Pending or JournalRow.Failed)];
        var firstReceivedAt = existing.GetDateTimeOffset(JournalRow.ReceivedAt) ?? callEvent.ReceivedAt;
        var outcome = unfinished.Length > 0 || firstReceivedAt == callEvent.ReceivedAt ? JournalOutcome.Resumed : JournalOutcome.Duplicate;
        return new JournalEntry(key, outcome, unfinished, firstReceivedAt);
    }

    /// <summary>Notes how the handlers ended.</summary>
    /// <param name="entry">The event's entry.</param>
    /// <param name="states">Each handler that ran, and <see cref="JournalRow.Done"/> or <see cref="JournalRow.Failed"/>.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public async Task NoteHandlersAsync(JournalEntry entry, IReadOnlyCollection<KeyValuePair<string, string>> states, CancellationToken cancellation)
    {
        var row = new TableEntity(entry.Key.Partition, entry.Key.Row);
        foreach (var (handler, state) in states)
        {
            row[JournalRow.HandlerPrefix + handler] = state;
        }

        if (states.All(handler => handler.Value == JournalRow.Done))
        {
            row[JournalRow.ProcessedAt] = clock.GetUtcNow();
        }

        await _table.Value.UpdateEntityAsync(row, ETag.All, TableUpdateMode.Merge, cancellation);
    }

    /// <summary>How far the work on an event has come.</summary>
    /// <returns>Null when the journal does not have it.</returns>
    public async Task<JournalProgress?> ProgressOfAsync(CallEvent callEvent, CancellationToken cancellation)
    {
        var key = JournalKey.Of(callEvent);
        var contentHash = callEvent.Notice.ContentHash;
        return ProgressOf(await FindAsync(key, cancellation), contentHash)
            ?? ProgressOf(await FindAsync(key.Variant(contentHash), cancellation), contentHash);
    }

    private static JournalProgress? ProgressOf(TableEntity? row, string contentHash) =>
        row?.GetString(JournalRow.ContentHash) == contentHash && row.GetDateTimeOffset(JournalRow.ReceivedAt) is { } receivedAt
            ? new JournalProgress(receivedAt, IsFinished: row.GetDateTimeOffset(JournalRow.ProcessedAt) is not null)
            : null;

    private async Task<JournalEntry> RecordVariantAsync(CallEvent callEvent, JournalKey key, CancellationToken cancellation)
    {
        // Kept and reported, but not handled: the handlers had this event already.
        var row = JournalRow.Of(callEvent, key);
        row[JournalRow.ProcessedAt] = clock.GetUtcNow();
        var isNew = await _table.Value.TryInsertAsync(row, cancellation);
        return new JournalEntry(key, isNew ? JournalOutcome.Variant : JournalOutcome.Duplicate, [], callEvent.ReceivedAt);
    }

    private async Task<TableEntity?> FindAsync(JournalKey key, CancellationToken cancellation)
    {
        var row = await _table.Value.GetEntityIfExistsAsync<TableEntity>(key.Partition, key.Row, cancellationToken: cancellation);
        return row.HasValue ? row.Value : null;
    }
}

/// <summary>What the journal had to say to an event.</summary>
public enum JournalOutcome
{
    /// <summary>New: written now.</summary>
    Journaled,

    /// <summary>Written by an earlier try of the same message, or with work left to do.</summary>
    Resumed,

    /// <summary>TeleCMI sent it again, and all is done.</summary>
    Duplicate,

    /// <summary>The same id with another content: kept beside the first.</summary>
    Variant,
}

/// <summary>An event's place in the journal.</summary>
/// <param name="Key">Where it is.</param>
/// <param name="Outcome">Whether it is new.</param>
/// <param name="Unfinished">The handlers that have to run.</param>
/// <param name="FirstReceivedAt">When the event's first delivery reached the receiver.</param>
public sealed record JournalEntry(JournalKey Key, JournalOutcome Outcome, IReadOnlyList<string> Unfinished, DateTimeOffset FirstReceivedAt);

/// <summary>How far the work on an event has come.</summary>
/// <param name="FirstReceivedAt">When its first delivery reached the receiver.</param>
/// <param name="IsFinished">Whether all work is done.</param>
public sealed record JournalProgress(DateTimeOffset FirstReceivedAt, bool IsFinished);
