using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Journaling;

/// <summary>
/// The journal of processed events, one row per event. A new event costs one insert, which also claims the event's
/// handlers for the delivery that made it; only when the row is already there is it read.
/// </summary>
public sealed class Journal(IStore store, TimeProvider clock)
{
    /// <summary>The name of the journal's table.</summary>
    public const string TableName = "CallEvents";

    private const int LongestFailure = 1024;

    private readonly ITable _table = store.Table(TableName);

    /// <summary>Writes an event into the journal, or finds it there.</summary>
    /// <param name="callEvent">The event.</param>
    /// <param name="handlers">The handlers that have work to do for a new event.</param>
    /// <param name="claim">For how long this delivery alone may run the handlers.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <exception cref="StorageException">The journal does not have it.</exception>
    public async Task<JournalEntry> RecordAsync(CallEvent callEvent, IReadOnlyCollection<string> handlers, TimeSpan claim, CancellationToken cancellation)
    {
        var key = JournalKey.Of(callEvent);
        var row = JournalColumns.RowOf(callEvent, key);
        foreach (var handler in handlers)
        {
            row[JournalColumns.HandlerPrefix + handler] = HandlerState.Pending;
        }

        // Only where something could happen twice; an event that nobody handles still costs one insert.
        if (handlers.Count > 0 && JournalKey.OfReconstructed(callEvent) is { } reconstructed
            && await _table.FindAsync(reconstructed, columns: null, cancellation) is { } earlier)
        {
            return await ResumeAsync(callEvent, earlier, handlers, claim, cancellation);
        }

        row[handlers.Count == 0 ? JournalColumns.ProcessedAt : JournalColumns.ClaimedUntil] = handlers.Count == 0 ? clock.GetUtcNow() : clock.GetUtcNow() + claim;

        // The message is deleted later, so it comes again if the row is lost.
        while (await _table.TryClaimAsync(row, cancellation) is null)
        {
            if (await _table.FindAsync(key, columns: null, cancellation) is { } existing)
            {
                return await ResumeAsync(callEvent, existing, handlers, claim, cancellation);
            }

            // Deleted in between, so it is new.
        }

        return new JournalEntry(key, key, JournalOutcome.Journaled, [.. handlers], callEvent.ReceivedAt);
    }

    /// <summary>Notes how the handlers ended, and releases the claim.</summary>
    /// <param name="entry">The event's entry.</param>
    /// <param name="states">Each handler that ran and its <see cref="HandlerState"/>.</param>
    /// <param name="failure">What the last failure was, if there was one.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <remarks>A row that was deleted meanwhile stays deleted.</remarks>
    public async Task NoteHandlersAsync(
        JournalEntry entry, IReadOnlyCollection<KeyValuePair<string, string>> states, Exception? failure, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var isFinished = states.All(handler => handler.Value == HandlerState.Done);
        var row = End(entry.ClaimKey);
        row[JournalColumns.ClaimedUntil] = now;
        foreach (var (handler, state) in states)
        {
            row[JournalColumns.HandlerPrefix + handler] = state;
        }

        await _table.MergeAsync(row, version: null, cancellation);
        if (entry.Key != entry.ClaimKey)
        {
            await _table.MergeAsync(End(entry.Key), version: null, cancellation);
        }

        TableRow End(RowKey key) => new(key)
        {
            [JournalColumns.ProcessedAt] = isFinished ? now : null,
            [JournalColumns.LastFailure] = failure is null ? null : Describe(failure),
        };
    }

    /// <summary>How far the processing of an event has come.</summary>
    /// <returns>Null when the journal does not have it.</returns>
    public async Task<JournalProgress?> ProgressOfAsync(CallEvent callEvent, CancellationToken cancellation)
    {
        var key = JournalKey.Of(callEvent);
        var contentHash = callEvent.Notice.ContentHash;
        return ProgressOf(await FindAsync(key), contentHash) ?? ProgressOf(await FindAsync(JournalKey.Variant(key, contentHash)), contentHash);

        Task<TableRow?> FindAsync(RowKey row) => _table.FindAsync(
            row, [JournalColumns.ContentHash, JournalColumns.ReceivedAt, JournalColumns.ProcessedAt, JournalColumns.LastFailure], cancellation);
    }

    private static JournalProgress? ProgressOf(TableRow? row, string contentHash) =>
        row?.Text(JournalColumns.ContentHash) == contentHash && row.Time(JournalColumns.ReceivedAt) is { } receivedAt
            ? new JournalProgress(receivedAt, IsFinished: row.Time(JournalColumns.ProcessedAt) is not null, row.Text(JournalColumns.LastFailure))
            : null;

    private async Task<JournalEntry> ResumeAsync(
        CallEvent callEvent, TableRow first, IReadOnlyCollection<string> handlers, TimeSpan claim, CancellationToken cancellation)
    {
        string[] unfinished = [.. handlers.Where(handler => first.Text(JournalColumns.HandlerPrefix + handler) is HandlerState.Pending or HandlerState.Failed)];
        if (unfinished.Length > 0 && !await TryTakeOverAsync(first, claim, cancellation))
        {
            return new JournalEntry(first.Key, first.Key, JournalOutcome.Claimed, [], callEvent.ReceivedAt);
        }

        if (first.Text(JournalColumns.ContentHash) != callEvent.Notice.ContentHash)
        {
            return await RecordVariantAsync(callEvent, first, unfinished, cancellation);
        }

        var firstReceivedAt = first.Time(JournalColumns.ReceivedAt) ?? callEvent.ReceivedAt;
        var outcome = unfinished.Length > 0 || firstReceivedAt == callEvent.ReceivedAt ? JournalOutcome.Resumed : JournalOutcome.Duplicate;
        return new JournalEntry(first.Key, first.Key, outcome, unfinished, firstReceivedAt);
    }

    // If several deliveries find the claim expired, the row's version lets only one take it over.
    private async Task<bool> TryTakeOverAsync(TableRow row, TimeSpan claim, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        return !(row.Time(JournalColumns.ClaimedUntil) > now)
            && await _table.MergeAsync(new TableRow(row.Key) { [JournalColumns.ClaimedUntil] = now + claim }, row.Version, cancellation) is WriteOutcome.Written;
    }

    // Kept beside the first. The handlers that the first one never finished run with what came last; their states stay in the first row.
    private async Task<JournalEntry> RecordVariantAsync(CallEvent callEvent, TableRow first, string[] unfinished, CancellationToken cancellation)
    {
        var row = JournalColumns.RowOf(callEvent, JournalKey.Variant(first.Key, callEvent.Notice.ContentHash));
        row[JournalColumns.ProcessedAt] = unfinished.Length == 0 ? clock.GetUtcNow() : null;
        if (await _table.TryInsertAsync(row, cancellation) is not null)
        {
            return new JournalEntry(row.Key, first.Key, JournalOutcome.Variant, unfinished, callEvent.ReceivedAt);
        }

        var existing = await _table.FindAsync(row.Key, [JournalColumns.ReceivedAt, JournalColumns.ProcessedAt], cancellation);
        if (existing is not null && existing.Time(JournalColumns.ProcessedAt) is null && first.Time(JournalColumns.ProcessedAt) is { } finished)
        {
            // Meanwhile a delivery of the first one has run the handlers.
            await _table.MergeAsync(new TableRow(row.Key) { [JournalColumns.ProcessedAt] = finished }, version: null, cancellation);
        }

        return new JournalEntry(
            row.Key,
            first.Key,
            unfinished.Length > 0 ? JournalOutcome.Resumed : JournalOutcome.Duplicate,
            unfinished,
            existing?.Time(JournalColumns.ReceivedAt) ?? callEvent.ReceivedAt);
    }

    private static string Describe(Exception failure)
    {
        var text = $"{failure.GetType().Name}: {failure.Message}";
        return text.Length <= LongestFailure ? text : text[..LongestFailure];
    }
}

/// <summary>What the journal makes of a delivery.</summary>
public enum JournalOutcome
{
    /// <summary>New: written now.</summary>
    Journaled,

    /// <summary>Written by an earlier try of the same message, or with work left to do.</summary>
    Resumed,

    /// <summary>TeleCMI sent it again, and all is done.</summary>
    Duplicate,

    /// <summary>The same id with other content: kept beside the first.</summary>
    Variant,

    /// <summary>Another delivery of the event runs its handlers at this moment.</summary>
    Claimed,
}

/// <summary>The names of the outcomes in telemetry.</summary>
public static class JournalOutcomes
{
    /// <summary>The outcome's name, such as <c>journaled</c>.</summary>
    public static string Name(this JournalOutcome outcome) => outcome switch
    {
        JournalOutcome.Journaled => "journaled",
        JournalOutcome.Resumed => "resumed",
        JournalOutcome.Duplicate => "duplicate",
        JournalOutcome.Variant => "variant",
        JournalOutcome.Claimed => "claimed",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "Not an outcome."),
    };
}

/// <summary>An event's place in the journal.</summary>
/// <param name="Key">Where it is.</param>
/// <param name="ClaimKey">Which row has the handlers' states: the first one with this id.</param>
/// <param name="Outcome">Whether it is new.</param>
/// <param name="Unfinished">The handlers that have to run.</param>
/// <param name="FirstReceivedAt">When the event's first delivery reached the receiver.</param>
public sealed record JournalEntry(RowKey Key, RowKey ClaimKey, JournalOutcome Outcome, IReadOnlyList<string> Unfinished, DateTimeOffset FirstReceivedAt);

/// <summary>How far the processing of an event has come.</summary>
/// <param name="FirstReceivedAt">When its first delivery reached the receiver.</param>
/// <param name="IsFinished">Whether all work is done.</param>
/// <param name="LastFailure">The type and message of the last failure of a handler.</param>
public sealed record JournalProgress(DateTimeOffset FirstReceivedAt, bool IsFinished, string? LastFailure);
