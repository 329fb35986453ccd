using System.Globalization;
using TeleCmi.Events;

namespace TeleCmi.Pipeline.Journaling;

/// <summary>
/// Where an event stands in the journal: a partition per UTC day of the event's own time (the same for every resend),
/// and in it a row per subject and id, so that one call's whole journey is one range of rows.
/// </summary>
/// <remarks>
/// Subject and id are opaque text from outside: they are encoded so that none can break a key (/ \ # ? and control
/// characters are not allowed), leave its range, or pass the limit of 512 characters.
/// </remarks>
/// <param name="Partition">The PartitionKey: <c>yyyy-MM-dd</c>, or <c>undated</c>.</param>
/// <param name="Row">The RowKey: <c>subject|id</c>.</param>
public sealed record JournalKey(string Partition, string Row)
{
    /// <summary>The partition of events without a usable time.</summary>
    public const string Undated = "undated";

    private const char Separator = '|';

    // The next character after the separator: ends the range of a subject's rows.
    private const char AfterSeparator = '}';

    /// <summary>The key of an event.</summary>
    public static JournalKey Of(CallEvent callEvent) => new(
        PartitionOf(callEvent.Notice.Time),
        $"{Encode(callEvent.Notice.Subject)}{Separator}{callEvent.Id.Replace('%', '=')}");

    /// <summary>The partition of the events of a day.</summary>
    public static string PartitionOf(DateTimeOffset? time) =>
        time?.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? Undated;

    /// <summary>The rows of one subject: from the first (included) to the second (not included).</summary>
    public static (string From, string To) RowsOf(string subject)
    {
        var encoded = Encode(subject);
        return ($"{encoded}{Separator}", $"{encoded}{AfterSeparator}");
    }

    /// <summary>The key of another content under the same id.</summary>
    public JournalKey Variant(string contentHash) => this with { Row = $"{Row}{Separator}{contentHash.AsSpan(0, 16)}" };

    private static string Encode(string? subject) => subject is null ? "-" : IdempotencyKey.EncodePart(subject).Replace('%', '=');
}
