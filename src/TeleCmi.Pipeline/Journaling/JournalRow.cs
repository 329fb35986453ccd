using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Journaling;

/// <summary>One row of the journal, its columns as <see cref="JournalColumns"/> describes them.</summary>
public sealed record JournalRow
{
    /// <summary>Where it is.</summary>
    public required RowKey Key { get; init; }

    /// <inheritdoc cref="JournalColumns.Kind"/>
    public required string Kind { get; init; }

    /// <inheritdoc cref="JournalColumns.EventId"/>
    public required string EventId { get; init; }

    /// <inheritdoc cref="JournalColumns.Leg"/>
    public string? Leg { get; init; }

    /// <inheritdoc cref="JournalColumns.AnsweredBy"/>
    public string? AnsweredBy { get; init; }

    /// <inheritdoc cref="JournalColumns.User"/>
    public string? User { get; init; }

    /// <inheritdoc cref="JournalColumns.CallerId"/>
    public string? CallerId { get; init; }

    /// <inheritdoc cref="JournalColumns.To"/>
    public string? To { get; init; }

    /// <inheritdoc cref="JournalColumns.AppId"/>
    public string? AppId { get; init; }

    /// <inheritdoc cref="JournalColumns.ConversationId"/>
    public string? ConversationId { get; init; }

    /// <inheritdoc cref="JournalColumns.RequestId"/>
    public string? RequestId { get; init; }

    /// <inheritdoc cref="JournalColumns.EventTime"/>
    public DateTimeOffset? EventTime { get; init; }

    /// <inheritdoc cref="JournalColumns.ReceivedAt"/>
    public DateTimeOffset? ReceivedAt { get; init; }

    /// <inheritdoc cref="JournalColumns.ProcessedAt"/>
    public DateTimeOffset? ProcessedAt { get; init; }

    /// <inheritdoc cref="JournalColumns.LastFailure"/>
    public string? LastFailure { get; init; }

    /// <inheritdoc cref="JournalColumns.ContentHash"/>
    public string? ContentHash { get; init; }

    /// <inheritdoc cref="JournalColumns.Event"/>
    public string? Event { get; init; }

    /// <summary>Each handler's state (<see cref="HandlerState"/>).</summary>
    public required IReadOnlyDictionary<string, string> Handlers { get; init; }

    internal static JournalRow Of(TableRow row) => new()
    {
        Key = row.Key,
        Kind = row.Text(JournalColumns.Kind) ?? "",
        EventId = row.Text(JournalColumns.EventId) ?? "",
        Leg = row.Text(JournalColumns.Leg),
        AnsweredBy = row.Text(JournalColumns.AnsweredBy),
        User = row.Text(JournalColumns.User),
        CallerId = row.Text(JournalColumns.CallerId),
        To = row.Text(JournalColumns.To),
        AppId = row.Text(JournalColumns.AppId),
        ConversationId = row.Text(JournalColumns.ConversationId),
        RequestId = row.Text(JournalColumns.RequestId),
        EventTime = row.Time(JournalColumns.EventTime),
        ReceivedAt = row.Time(JournalColumns.ReceivedAt),
        ProcessedAt = row.Time(JournalColumns.ProcessedAt),
        LastFailure = row.Text(JournalColumns.LastFailure),
        ContentHash = row.Text(JournalColumns.ContentHash),
        Event = row.Text(JournalColumns.Event),
        Handlers = row
            .Where(column => column.Key.StartsWith(JournalColumns.HandlerPrefix, StringComparison.Ordinal) && column.Value is string)
            .ToDictionary(column => column.Key[JournalColumns.HandlerPrefix.Length..], column => (string)column.Value, StringComparer.Ordinal),
    };
}

/// <summary>Which rows of the journal; null means any.</summary>
public sealed record JournalFilter
{
    /// <summary>The first UTC day of the event's own time.</summary>
    public DateOnly? From { get; init; }

    /// <summary>The last UTC day of the event's own time, included; events without a time come after every day.</summary>
    public DateOnly? To { get; init; }

    /// <summary>The kind's name.</summary>
    public string? Kind { get; init; }

    /// <summary>The conversation; for events without one, the leg.</summary>
    public string? Conversation { get; init; }

    /// <summary>The agent, with the application (<c>202_2222223</c>) or without (<c>202</c>).</summary>
    public string? Agent { get; init; }

    /// <summary>The event's id.</summary>
    public string? EventId { get; init; }

    /// <summary>What else a row must be; null: nothing.</summary>
    public Func<TableRow, bool>? IsWanted { get; init; }

    // No table can compare the end of a text.
    internal bool Matches(TableRow row) => IsWanted?.Invoke(row) ?? true;

    internal TableQuery ToQuery()
    {
        (string? From, string? Before) rows = Conversation is { } conversation ? JournalKey.RowsOf(conversation) : (null, null);
        return new TableQuery
        {
            PartitionFrom = From is { } from ? UtcDay.Of(from) : null,
            PartitionTo = To is { } to ? UtcDay.Of(to) : null,
            RowFrom = rows.From,
            RowBefore = rows.Before,
            Where = TableCondition.AllOf(
                Kind is null ? null : TableCondition.Equal(JournalColumns.Kind, Kind),
                Agent is null ? null : TableCondition.AnyOf(
                    TableCondition.Equal(JournalColumns.User, Agent),
                    TableCondition.StartsWith(JournalColumns.User, $"{Agent}_")),
                EventId is null ? null : TableCondition.Equal(JournalColumns.EventId, EventId)),
        };
    }
}
