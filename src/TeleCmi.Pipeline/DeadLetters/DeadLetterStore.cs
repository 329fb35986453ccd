using System.Globalization;
using Azure.Data.Tables;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.DeadLetters;

/// <summary>The table of dead letters: a partition per UTC day of receipt, rows in order of time. Nothing in it expires.</summary>
public sealed class DeadLetterStore(StorageClients clients, TeleCmiMetrics metrics)
{
    /// <summary>The table.</summary>
    public const string TableName = "DeadLetters";

    private readonly TableClient _table = clients.Table(TableName);

    /// <summary>Keeps a dead letter; keeping the same one again changes nothing.</summary>
    public async Task KeepAsync(DeadLetter letter, CancellationToken cancellation)
    {
        var receivedAt = letter.ReceivedAt.UtcDateTime;
        var row = new TableEntity(
            receivedAt.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            $"{receivedAt.ToString("HHmmssfff", CultureInfo.InvariantCulture)}-{letter.Discriminator}")
        {
            ["Reason"] = letter.Reason,
            ["Kind"] = letter.Kind,
            ["EventId"] = letter.EventId,
            ["ReceivedAt"] = letter.ReceivedAt,
            ["Error"] = letter.Error,
            ["Body"] = letter.Body.ToArray(),
        };

        if (await _table.TryInsertAsync(row, cancellation))
        {
            metrics.DeadLettered(letter.Reason, letter.Kind);
        }
    }
}
