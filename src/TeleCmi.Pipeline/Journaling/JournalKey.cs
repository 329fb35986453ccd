using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Journaling;

/// <summary>
/// Where an event stands in the journal: a partition per UTC day of the event's own time (the same for every delivery),
/// and in it a row per subject and id, so that one conversation is one range of rows.
/// </summary>
public static class JournalKey
{
    /// <summary>The partition of events without a usable time; it comes after every day.</summary>
    public const string Undated = "undated";

    /// <summary>Between the parts of a row's key.</summary>
    internal const char Separator = '|';

    /// <summary>The next character after the separator: ends the range of the rows that begin with the same parts.</summary>
    internal const char AfterSeparator = '}';

    private const int VariantHashLength = 16;

    /// <summary>The key of an event.</summary>
    public static RowKey Of(CallEvent callEvent) => Of(callEvent.Notice.Time, callEvent.Notice.Subject, callEvent.Id);

    /// <summary>The key of a notice's event.</summary>
    public static RowKey Of(Notice notice) => Of(notice.Time, notice.Subject, notice.Id);

    /// <summary>The partition of the events of a moment.</summary>
    public static string PartitionOf(DateTimeOffset? time) => time is { } moment ? UtcDay.Of(moment) : Undated;

    /// <summary>The rows of one subject: from the first (included) to the second (not included).</summary>
    public static (string From, string Before) RowsOf(string subject) =>
        ($"{TableKey.Part(subject)}{Separator}", $"{TableKey.Part(subject)}{AfterSeparator}");

    /// <summary>
    /// Where a detail record would stand that was reconstructed before the original came: a call report does not name the
    /// conversation, so its subject is the leg. Null when that is the original's own place.
    /// </summary>
    internal static RowKey? OfReconstructed(CallEvent callEvent) =>
        callEvent.Notice is { Type: "cdr", ConversationUuid: { } conversation, CmiUuid: { } leg } notice && leg != conversation
            ? Of(notice.Time, leg, callEvent.Id)
            : null;

    internal static RowKey Variant(RowKey key, string contentHash) => key with { Row = $"{key.Row}{Separator}{contentHash.AsSpan(0, VariantHashLength)}" };

    internal static RowKey Of(DateTimeOffset? time, string? subject, string id) => new(PartitionOf(time), $"{TableKey.Part(subject)}{Separator}{TableKey.Id(id)}");
}
