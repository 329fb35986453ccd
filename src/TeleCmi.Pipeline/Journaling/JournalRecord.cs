using System.Globalization;
using Azure.Data.Tables;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Journaling;

/// <summary>One row of the journal.</summary>
public sealed record JournalRecord
{
    /// <summary>Where it is.</summary>
    public required JournalKey Key { get; init; }

    /// <summary>The kind's name.</summary>
    public required string Kind { get; init; }

    /// <summary>The event's id.</summary>
    public required string EventId { get; init; }

    /// <summary><c>a</c> or <c>b</c>.</summary>
    public string? Leg { get; init; }

    /// <summary><c>agent</c> or <c>customer</c>.</summary>
    public string? AnsweredBy { get; init; }

    /// <summary>The agent.</summary>
    public string? User { get; init; }

    /// <summary>The number shown to the called party.</summary>
    public string? CallerId { get; init; }

    /// <summary>The called number.</summary>
    public string? To { get; init; }

    /// <summary>The account's application.</summary>
    public string? AppId { get; init; }

    /// <summary>The conversation.</summary>
    public string? ConversationId { get; init; }

    /// <summary>The click2call request.</summary>
    public string? RequestId { get; init; }

    /// <summary>The sender's time.</summary>
    public DateTimeOffset? EventTime { get; init; }

    /// <summary>When the first delivery reached the receiver.</summary>
    public DateTimeOffset? ReceivedAt { get; init; }

    /// <summary>When all work on the event was done; null until then.</summary>
    public DateTimeOffset? ProcessedAt { get; init; }

    /// <summary>Hash over the normalised fields.</summary>
    public string? ContentHash { get; init; }

    /// <summary>The envelope, as JSON.</summary>
    public required string Event { get; init; }

    /// <summary>Each handler's state.</summary>
    public required IReadOnlyDictionary<string, string> Handlers { get; init; }

    internal static JournalRecord Of(TableEntity row) => new()
    {
        Key = new JournalKey(row.PartitionKey, row.RowKey),
        Kind = row.GetString(JournalRow.Kind) ?? "",
        EventId = row.GetString(JournalRow.EventId) ?? "",
        Leg = row.GetString(JournalRow.Leg),
        AnsweredBy = row.GetString(JournalRow.AnsweredBy),
        User = row.GetString(JournalRow.User),
        CallerId = row.GetString(JournalRow.CallerId),
        To = row.GetString(JournalRow.To),
        AppId = row.GetString(JournalRow.AppId),
        ConversationId = row.GetString(JournalRow.ConversationId),
        RequestId = row.GetString(JournalRow.RequestId),
        EventTime = row.GetDateTimeOffset(JournalRow.EventTime),
        ReceivedAt = row.GetDateTimeOffset(JournalRow.ReceivedAt),
        ProcessedAt = row.GetDateTimeOffset(JournalRow.ProcessedAt),
        ContentHash = row.GetString(JournalRow.ContentHash),
        Event = row.GetString(JournalRow.Event) ?? "",
        Handlers = row
            .Where(column => column.Key.StartsWith(JournalRow.HandlerPrefix, StringComparison.Ordinal) && column.Value is string)
            .ToDictionary(column => column.Key[JournalRow.HandlerPrefix.Length..], column => (string)column.Value, StringComparer.Ordinal),
    };
}

/// <summary>Which rows of the journal; what is null does not matter.</summary>
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

    internal string? ToOData() => Tables.AllOf(
        From is { } from ? TableClient.CreateQueryFilter($"PartitionKey ge {DayOf(from)}") : null,
        To is { } to ? TableClient.CreateQueryFilter($"PartitionKey le {DayOf(to)}") : null,
        Kind is { } kind ? TableClient.CreateQueryFilter($"Kind eq {kind}") : null,
        Conversation is { } conversation ? RowsOf(conversation) : null,
        Agent is { } agent ? AgentIs(agent) : null,
        EventId is { } eventId ? TableClient.CreateQueryFilter($"EventId eq {eventId}") : null);

    private static string DayOf(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string RowsOf(string conversation)
    {
        var (from, to) = JournalKey.RowsOf(conversation);
        return TableClient.CreateQueryFilter($"RowKey ge {from} and RowKey lt {to}");
    }

    // The agent is written <agent>_<app>: everything between "202_" and the character after the underscore.
    private static string AgentIs(string agent) =>
        TableClient.CreateQueryFilter($"User eq {agent} or (User ge {agent + "_"} and User lt {agent + "`"})");
}
