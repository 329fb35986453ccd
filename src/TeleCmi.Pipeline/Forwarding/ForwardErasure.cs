using System.Text;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>Deletes for good what there is of some events beside the journal: deliveries, claims on conversations, dead letters; and what waits is not sent any more.</summary>
public sealed class ForwardErasure(IStore store, JournalReader journal, DeliveryReader deliveries, DeadLetterStore deadLetters)
{
    private readonly ITable _deliveries = store.Table(Delivery.TableName);
    private readonly ITable _claims = store.Table(ConversationClaim.TableName);

    /// <summary>Deletes it, while the journal still has the events. Can break off and be done again.</summary>
    /// <param name="journalKeys">The events' rows in the journal.</param>
    /// <param name="number">A phone number whose dead letters go too, also those that were never read as an event; null: none.</param>
    /// <param name="cancellation">Ends it; what is deleted is deleted.</param>
    /// <exception cref="StorageException">Storage failed.</exception>
    public async Task<ErasedForwards> EraseAsync(IReadOnlyCollection<RowKey> journalKeys, string? number, CancellationToken cancellation)
    {
        var (erasedDeliveries, ids) = (0, new HashSet<string>(StringComparer.Ordinal));
        foreach (var key in journalKeys)
        {
            if (await journal.FindAsync(key, cancellation) is not { Event: { } envelope } || !EventEnvelope.TryRead(Encoding.UTF8.GetBytes(envelope), out var callEvent, out _))
            {
                continue;
            }

            ids.Add(callEvent.Id);

            // What a destination got, or is to get, of the whole call tells no less than its events.
            foreach (var delivery in (await deliveries.OfAsync([key], cancellation)).Where(delivery => delivery.EventId == callEvent.Id || delivery.Kind == CompletedCall.Kind))
            {
                ids.Add(delivery.EventId);
                await EraseAsync(delivery, callEvent.Notice.ConversationKey, cancellation);
                erasedDeliveries++;
            }
        }

        return new ErasedForwards(erasedDeliveries, await EraseDeadLettersAsync(ids, number, cancellation));
    }

    private async Task EraseAsync(Delivery delivery, string? conversation, CancellationToken cancellation)
    {
        if (delivery.State == DeliveryState.Waiting)
        {
            // Nobody can take one hidden message from a queue: the mark keeps it from being sent.
            await _deliveries.UpsertAsync(
                new TableRow(Delivery.WaitingKey(delivery.Key)) { [nameof(Delivery.State)] = DeliveryState.Erased, [nameof(Delivery.NotedAt)] = delivery.NotedAt }, cancellation);
        }

        await _deliveries.DeleteAsync(delivery.Key, version: null, cancellation);
        if (conversation is not null)
        {
            await _claims.DeleteAsync(ConversationClaim.KeyOf(delivery.Destination, conversation), version: null, cancellation);
        }
    }

    private async Task<int> EraseDeadLettersAsync(HashSet<string> eventIds, string? number, CancellationToken cancellation)
    {
        var digits = number is null ? null : PhoneNumber.Digits(number);
        var erased = 0;
        await foreach (var letter in deadLetters.QueryAsync(new DeadLetterFilter(), withBodies: digits is not null, cancellation))
        {
            var isWanted = (letter.Letter.EventId is { } id && eventIds.Contains(id))
                || (digits is not null && Encoding.UTF8.GetString(letter.Letter.Body.Span).Contains(digits, StringComparison.Ordinal));
            if (isWanted && await deadLetters.RemoveAsync(letter, cancellation))
            {
                erased++;
            }
        }

        return erased;
    }
}

/// <summary>What was deleted beside the journal.</summary>
/// <param name="Deliveries">How many deliveries.</param>
/// <param name="DeadLetters">How many dead letters.</param>
public sealed record ErasedForwards(int Deliveries, int DeadLetters);
