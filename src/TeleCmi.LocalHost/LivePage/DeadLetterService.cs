using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Receiving;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>Dead letters, for a person to decide on: equal ones as one group.</summary>
internal sealed class DeadLetterService(DeadLetterStore store, DeadLetterReplay replay)
{
    private const int MostShown = 500;

    public async Task<DeadLettersView> ListAsync(CancellationToken cancellation)
    {
        var letters = await store.QueryAsync(new DeadLetterFilter(), withBodies: false, cancellation).Take(MostShown).ToListAsync(cancellation);
        var groups = letters
            .GroupBy(stored => (stored.Letter.Reason, stored.Letter.Kind, stored.Letter.Destination, stored.Letter.Error))
            .Select(group => new DeadLetterGroupView(
                group.Key.Reason,
                group.Key.Kind,
                group.Key.Destination,
                group.Key.Error,
                [.. group.Select(stored => new DeadLetterView(stored.Id.ToString(), stored.Letter.EventId, stored.Letter.ReceivedAt))]));

        // Only if there are more, reading them all is the way to count them.
        return new DeadLettersView([.. groups], letters.Count < MostShown ? letters.Count : (await store.CountAsync(cancellation)).Total);
    }

    /// <summary>Reads its body.</summary>
    /// <returns>Null when it is not there any more.</returns>
    public async Task<BodyView?> FindBodyAsync(string id, CancellationToken cancellation) =>
        await FindAsync(id, cancellation) is { } stored ? BodyView.Of(stored.Letter.Body.Span) : null;

    /// <summary>Sends them through the queue again.</summary>
    public Task<DoneView> ReplayAsync(IEnumerable<string> ids, CancellationToken cancellation) =>
        ForEachAsync(ids, async stored => (await replay.ReplayAsync(stored, cancellation)).Fault, cancellation);

    /// <summary>Removes them for good.</summary>
    public Task<DoneView> DiscardAsync(IEnumerable<string> ids, CancellationToken cancellation) =>
        ForEachAsync(
            ids, async stored => await store.RemoveAsync(stored, cancellation) ? null : "It has come back in the meantime and stays.", cancellation);

    private async Task<DoneView> ForEachAsync(IEnumerable<string> ids, Func<StoredDeadLetter, Task<string?>> decide, CancellationToken cancellation)
    {
        var faults = new List<string?>();
        foreach (var id in ids)
        {
            faults.Add(await FindAsync(id, cancellation) is { } stored ? await decide(stored) : "It is not there any more.");
        }

        return new DoneView(faults.Count(fault => fault is null), [.. faults.OfType<string>().Distinct(StringComparer.Ordinal)]);
    }

    private async Task<StoredDeadLetter?> FindAsync(string id, CancellationToken cancellation) =>
        DeadLetterId.TryParse(id, out var parsed) ? await store.FindAsync(parsed, cancellation) : null;
}
