using TeleCmi.Pipeline.Journaling;

namespace TeleCmi.Cli.Output;

/// <summary>The columns of a journal row, in the order they are shown and exported.</summary>
internal static class JournalColumns
{
    public static readonly string[] Names =
    [
        "day", "eventId", "kind", "leg", "answeredBy", "user", "callerId", "to", "appId", "conversationId", "requestId",
        "eventTime", "receivedAt", "processedAt", "contentHash", "handlers",
    ];

    public static IEnumerable<(string Name, string? Value)> Of(JournalRecord record) => Names.Zip(
    [
        record.Key.Partition,
        record.EventId,
        record.Kind,
        record.Leg,
        record.AnsweredBy,
        record.User,
        record.CallerId,
        record.To,
        record.AppId,
        record.ConversationId,
        record.RequestId,
        Times.Of(record.EventTime),
        Times.Of(record.ReceivedAt),
        Times.Of(record.ProcessedAt),
        record.ContentHash,
        record.Handlers.Count == 0 ? null : string.Join(' ', record.Handlers.Select(handler => $"{handler.Key}:{handler.Value}")),
    ]);
}
