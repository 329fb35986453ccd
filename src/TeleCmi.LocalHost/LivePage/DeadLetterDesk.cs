using TeleCmi.Pipeline.DeadLetters;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>Dead letters, for a person to decide on.</summary>
internal sealed class DeadLetterDesk(DeadLetterStore store, DeadLetterReplay replay)
{
    private const int MostShown = 50;

    public async Task<DeadLettersView> ListAsync(CancellationToken cancellation)
    {
        var letters = new List<DeadLetterView>();
        await foreach (var stored in store.QueryAsync(new DeadLetterFilter(), cancellation))
        {
            if (letters.Count == MostShown)
            {
                return new DeadLettersView(letters, HasMore: true);
            }

            letters.Add(ToView(stored));
        }

        return new DeadLettersView(letters, HasMore: false);
    }

    /// <summary>Sends one through the queue again.</summary>
    /// <returns>Null when it is not there any more.</returns>
    public async Task<DoneView?> ReplayAsync(DeadLetterOrder order, CancellationToken cancellation)
    {
        if (await FindAsync(order, cancellation) is not { } stored)
        {
            return null;
        }

        var result = await replay.ReplayAsync(stored, cancellation);
        return new DoneView(result.Outcome is not ReplayOutcome.Stays, result.Fault);
    }

    /// <summary>Removes one for good.</summary>
    /// <returns>Null when it is not there any more.</returns>
    public async Task<DoneView?> DiscardAsync(DeadLetterOrder order, CancellationToken cancellation)
    {
        if (await FindAsync(order, cancellation) is not { } stored)
        {
            return null;
        }

        return await store.RemoveAsync(stored, cancellation)
            ? new DoneView(Done: true, Message: null)
            : new DoneView(Done: false, "It has come back in the meantime and stays.");
    }

    private async Task<StoredDeadLetter?> FindAsync(DeadLetterOrder order, CancellationToken cancellation) =>
        DeadLetterId.TryParse(order.Id, out var id) ? await store.FindAsync(id, cancellation) : null;

    private static DeadLetterView ToView(StoredDeadLetter stored)
    {
        var (body, isBase64) = JourneyDetails.ToText(stored.Letter.Body.Span);
        return new DeadLetterView(
            stored.Id.ToString(), stored.Letter.Reason, stored.Letter.Kind, stored.Letter.EventId, stored.Letter.ReceivedAt, stored.Letter.Error, body, isBase64);
    }
}
