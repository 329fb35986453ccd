using System.Text;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>Tells why an event of the journal, or its call, would or would not be sent to a destination. Sends and changes nothing.</summary>
public sealed class ForwardCheck(JournalReader journal, CallReader calls, DeliveryReader deliveries, DestinationStates states, ConversationClaim claims)
{
    /// <summary>Judges an event for some destinations.</summary>
    /// <param name="eventId">The event's id.</param>
    /// <param name="destinations">The destinations.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <returns>A verdict for each; null when the journal does not have the event.</returns>
    /// <exception cref="StorageException">Storage cannot be read.</exception>
    public async Task<IReadOnlyList<ForwardVerdict>?> JudgeAsync(string eventId, IEnumerable<DestinationFilter> destinations, CancellationToken cancellation)
    {
        var (call, key) = (await calls.FindAsync(eventId, cancellation))
            .SelectMany(call => call.Events, (call, notice) => (Call: call, Notice: notice))
            .Where(found => found.Notice.Id == eventId)
            .OrderBy(found => found.Notice.Key.Row, StringComparer.Ordinal)
            .Select(found => (found.Call, found.Notice.Key))
            .FirstOrDefault();
        if (call is null || await journal.FindAsync(key, cancellation) is not { Event: { } envelope } || !EventEnvelope.TryRead(Encoding.UTF8.GetBytes(envelope), out var callEvent, out _))
        {
            return null;
        }

        var known = await deliveries.OfAsync(call, cancellation);
        var disabled = (await states.ReadAsync(cancellation)).Where(state => state.DisabledAt is not null).ToList();
        var verdicts = new List<ForwardVerdict>();
        foreach (var destination in destinations)
        {
            var id = destination.SendsCalls ? CompletedCall.IdOf(call) : callEvent.Id;
            var refusal = destination.SendsCalls ? destination.RefusalOf(call) : destination.RefusalOf(callEvent);
            var why = destination.SendsCalls && !call.IsDecided ? "The call has not ended, as far as the journal says; it is sent when it has."
                : refusal is { } refused ? refused.Sentence
                : destination.OncePerConversation && await claims.IsTakenAsync(destination.Destination, callEvent, cancellation) ? "Another event of the conversation was sent, or is."
                : disabled.Exists(state => state.Destination.Equals(destination.Destination, StringComparison.OrdinalIgnoreCase))
                    ? $"The destination is disabled by a 410; telecmi forward resume --name {destination.Destination} ends that."
                : null;
            verdicts.Add(new ForwardVerdict(
                destination.Destination,
                destination.SendsCalls,
                id,
                WouldBeSent: why is null,
                why ?? "It matches.",
                known.Where(delivery => delivery.Destination == destination.Destination && (destination.SendsCalls ? CompletedCall.IsOf(delivery, call) : delivery.EventId == id)).MaxBy(delivery => delivery.Revision)));
        }

        return verdicts;
    }
}

/// <summary>Whether something would be sent to a destination, if it came now.</summary>
/// <param name="Destination">The destination's name.</param>
/// <param name="SendsCalls">Whether that gets calls, so the event's call was judged.</param>
/// <param name="Id">The event's id, or the call's.</param>
/// <param name="WouldBeSent">Whether it would be sent.</param>
/// <param name="Why">Why, or why not, in a sentence.</param>
/// <param name="Delivery">What became of it there; null: nothing is noted.</param>
public sealed record ForwardVerdict(string Destination, bool SendsCalls, string Id, bool WouldBeSent, string Why, Delivery? Delivery);
