using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.DeadLetters;

/// <summary>Where a dead letter is; as text <c>day/row</c>, which is how a person names it.</summary>
/// <param name="Key">The UTC day of receipt; in it the time of day and what tells it from others.</param>
public sealed record DeadLetterId(RowKey Key)
{
    private const char Separator = '/';

    /// <summary>Where this dead letter belongs: the same place whenever the same thing is kept.</summary>
    public static DeadLetterId Of(DeadLetter letter) => Of(letter.ReceivedAt, letter.Discriminator);

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out DeadLetterId? id)
    {
        id = text?.Split(Separator) is [{ Length: > 0 } partition, { Length: > 0 } row] ? new DeadLetterId(new RowKey(partition, row)) : null;
        return id is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Key.Partition}{Separator}{Key.Row}";

    internal static DeadLetterId OfPoison(CallEvent callEvent, DateTimeOffset firstReceivedAt) => Of(firstReceivedAt, DeadLetter.DiscriminatorOf(callEvent));

    internal static DeadLetterId Of(DateTimeOffset receivedAt, string discriminator) => new(new RowKey(
        UtcDay.Of(receivedAt), $"{receivedAt.UtcDateTime.ToString("HHmmssfff", CultureInfo.InvariantCulture)}-{discriminator}"));
}

/// <summary>A dead letter as the table has it.</summary>
/// <param name="Id">Where it is.</param>
/// <param name="Letter">What was kept; without its body where only a list was read.</param>
/// <param name="Bytes">The size of its body.</param>
/// <param name="Version">The row's version: removing takes no other.</param>
public sealed record StoredDeadLetter(DeadLetterId Id, DeadLetter Letter, int Bytes, string? Version);

/// <summary>How many dead letters there are.</summary>
/// <param name="ByReason">For each reason that occurs.</param>
/// <param name="Oldest">When the oldest was received.</param>
public sealed record DeadLetterCount(IReadOnlyDictionary<string, int> ByReason, DateTimeOffset? Oldest)
{
    /// <summary>Of all reasons.</summary>
    public int Total => ByReason.Values.Sum();
}

/// <summary>Which dead letters; null means any.</summary>
public sealed record DeadLetterFilter
{
    /// <summary>The first UTC day of receipt.</summary>
    public DateOnly? From { get; init; }

    /// <summary>The last UTC day of receipt, included.</summary>
    public DateOnly? To { get; init; }

    /// <summary>One of <see cref="DeadLetterReason"/>.</summary>
    public string? Reason { get; init; }

    /// <summary>The kind's name.</summary>
    public string? Kind { get; init; }

    internal TableQuery ToQuery() => new()
    {
        PartitionFrom = From is { } from ? UtcDay.Of(from) : null,
        PartitionTo = To is { } to ? UtcDay.Of(to) : null,
        Where = TableCondition.AllOf(
            Reason is null ? null : TableCondition.Equal(nameof(DeadLetter.Reason), Reason),
            Kind is null ? null : TableCondition.Equal(nameof(DeadLetter.Kind), Kind)),
    };
}
