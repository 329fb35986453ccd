using System.Text;
using TeleCmi.Events;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>Sends an event to one destination again, because a person says so: as it was kept, else as the journal has it.</summary>
public sealed class ForwardResend(JournalReader journal, DeadLetterStore deadLetters, ForwardQueue queue)
{
    /// <summary>Queues a delivery again; its dead letter goes once the queue has it.</summary>
    /// <param name="delivery">Which one.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <returns>Null when the queue has it; otherwise why it cannot be sent again.</returns>
    /// <exception cref="StorageException">Storage failed; done again, the same event is sent with the same <c>webhook-id</c>.</exception>
    public async Task<string?> ResendAsync(Delivery delivery, CancellationToken cancellation)
    {
        var letter = await deadLetters.FindAsync(ForwardDeadLetters.IdOf(delivery.Destination, delivery.EventId, delivery.ReceivedAt), cancellation);
        var envelope = letter?.Letter.Body;
        if (envelope is null && await journal.FindAsync(delivery.JournalKey, cancellation) is { Event: { } journaled })
        {
            envelope = Encoding.UTF8.GetBytes(journaled);
        }

        if (envelope is not { } known)
        {
            return "Neither the journal nor DeadLetters has the event (any more).";
        }

        if (!EventEnvelope.TryReadAny(known, out var enveloped, out var fault))
        {
            return fault;
        }

        await queue.SendAsync(delivery.Destination, enveloped, cancellation);
        if (letter is not null)
        {
            // The queue has it: an interruption now would only leave the letter in both places.
            await deadLetters.RemoveAsync(letter, CancellationToken.None);
        }

        return null;
    }
}
