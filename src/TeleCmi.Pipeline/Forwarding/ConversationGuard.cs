using Azure.Data.Tables;
using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// Lets one event of a conversation through to a destination. The row names that event, so the same event passes
/// again when its processing is repeated, and every other one of the conversation does not.
/// </summary>
internal sealed class ConversationGuard(StorageClients clients)
{
    public const string TableName = "ForwardGuards";

    private const string EventId = "EventId";

    private readonly Lazy<TableClient> _table = new(() => clients.Table(TableName));

    /// <summary>Claims a conversation for an event.</summary>
    /// <returns>False when another event has it.</returns>
    public async Task<bool> TryClaimAsync(string destination, CallEvent callEvent, CancellationToken cancellation)
    {
        // Without either, nothing says which events belong together.
        if ((callEvent.Notice.ConversationUuid ?? callEvent.Notice.RequestId) is not { } conversation)
        {
            return true;
        }

        var row = new TableEntity(destination, IdempotencyKey.EncodePart(conversation).Replace('%', '=')) { [EventId] = callEvent.Id };
        if (await _table.Value.TryInsertAsync(row, cancellation))
        {
            return true;
        }

        var claimed = await _table.Value.GetEntityIfExistsAsync<TableEntity>(row.PartitionKey, row.RowKey, [EventId], cancellation);
        return claimed is not { HasValue: true, Value: { } first } || first.GetString(EventId) == callEvent.Id;
    }
}
