using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Azure;
using Azure.Data.Tables;
using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.DeadLetters;

/// <summary>Where a dead letter lies; as text <c>day/row</c>, which is how a person names it.</summary>
/// <param name="Partition">The UTC day of receipt.</param>
/// <param name="Row">Time of day and what tells it from others.</param>
public sealed record DeadLetterId(string Partition, string Row)
{
    private const char Separator = '/';

    /// <summary>Where this letter belongs: the same place whenever the same thing is kept.</summary>
    public static DeadLetterId Of(DeadLetter letter) => Of(letter.ReceivedAt, letter.Discriminator);

    /// <summary>Where an event is kept that failed too often.</summary>
    internal static DeadLetterId OfPoison(CallEvent callEvent, DateTimeOffset firstReceivedAt) => Of(firstReceivedAt, PoisonArchive.DiscriminatorOf(callEvent));

    private static DeadLetterId Of(DateTimeOffset receivedAt, string discriminator) => new(
        receivedAt.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        $"{receivedAt.UtcDateTime.ToString("HHmmssfff", CultureInfo.InvariantCulture)}-{discriminator}");

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out DeadLetterId? id)
    {
        id = text?.Split(Separator) is [{ Length: > 0 } partition, { Length: > 0 } row] ? new DeadLetterId(partition, row) : null;
        return id is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Partition}{Separator}{Row}";
}

/// <summary>A dead letter as it lies in the table.</summary>
/// <param name="Id">Where.</param>
/// <param name="Letter">What.</param>
/// <param name="Version">Which version of the row: removing takes no other.</param>
public sealed record StoredDeadLetter(DeadLetterId Id, DeadLetter Letter, ETag Version);

/// <summary>How many dead letters there are.</summary>
/// <param name="ByReason">For each reason that occurs.</param>
/// <param name="Oldest">When the oldest was received.</param>
public sealed record DeadLetterCount(IReadOnlyDictionary<string, int> ByReason, DateTimeOffset? Oldest)
{
    /// <summary>Of all reasons.</summary>
    public int Total => ByReason.Values.Sum();
}

/// <summary>Which dead letters; what is null does not matter.</summary>
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

    internal string? ToOData() => Tables.AllOf(
        From is { } from ? TableClient.CreateQueryFilter($"PartitionKey ge {from.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}") : null,
        To is { } to ? TableClient.CreateQueryFilter($"PartitionKey le {to.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}") : null,
        Reason is { } reason ? TableClient.CreateQueryFilter($"Reason eq {reason}") : null,
        Kind is { } kind ? TableClient.CreateQueryFilter($"Kind eq {kind}") : null);
}
