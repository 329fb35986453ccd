using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// Lets one event of a conversation through to a destination. The row names that event, so the same event passes
/// again when its processing is repeated, and every other one of the conversation does not.
/// </summary>
public sealed class ConversationClaim(IStore store, TimeProvider clock)
{
    /// <summary>The name of the table.</summary>
    public const string TableName = "ForwardClaims";

    /// <summary>The column that says when the conversation was claimed.</summary>
    internal const string ClaimedAt = "ClaimedAt";

    private const string EventId = "EventId";

    private readonly ITable _table = store.Table(TableName);

    /// <summary>Claims a conversation for an event.</summary>
    /// <returns>False when another event has it.</returns>
    public async Task<bool> TryClaimAsync(string destination, CallEvent callEvent, CancellationToken cancellation)
    {
        // Without a conversation nothing says which events belong together.
        if (callEvent.Notice.ConversationKey is not { } conversation)
        {
            return true;
        }

        var key = KeyOf(destination, conversation);
        if (await _table.TryInsertAsync(new TableRow(key) { [EventId] = callEvent.Id, [ClaimedAt] = clock.GetUtcNow() }, cancellation) is not null)
        {
            return true;
        }

        return !await IsTakenAsync(destination, callEvent, cancellation);
    }

    /// <summary>Whether another event of the conversation has the claim; nothing is claimed.</summary>
    public async Task<bool> IsTakenAsync(string destination, CallEvent callEvent, CancellationToken cancellation) =>
        callEvent.Notice.ConversationKey is { } conversation
        && await _table.FindAsync(KeyOf(destination, conversation), [EventId], cancellation) is { } claimed
        && claimed.Text(EventId) != callEvent.Id;

    internal static RowKey KeyOf(string destination, string conversation) => new(TableKey.Part(destination), TableKey.Part(conversation));
}
