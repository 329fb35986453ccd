using System.Text;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>Sends an event to one destination again, because a person says so: as it was kept, else as the journal has it.</summary>
public sealed class ForwardResend(IStore store, JournalReader journal, CallReader calls, DeadLetterStore deadLetters, ForwardQueue queue)
{
    private readonly ITable _claims = store.Table(ConversationClaim.TableName);

    /// <summary>Queues a delivery again; its dead letter goes once the queue has it.</summary>
    /// <param name="delivery">Which one.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <returns>Null when the queue has it; otherwise why it cannot be sent again.</returns>
    /// <exception cref="StorageException">Storage failed; done again, the same event is sent with the same <c>webhook-id</c>.</exception>
    public async Task<string?> ResendAsync(Delivery delivery, CancellationToken cancellation)
    {
        var letter = await deadLetters.FindAsync(ForwardDeadLetters.IdOf(delivery.Destination, delivery.EventId, delivery.ReceivedAt), cancellation);
        var envelope = letter?.Letter.Body;
        if (envelope is null && delivery.CallId is { } callId)
        {
            // Under the id that it was sent with.
            var call = (await calls.FindAsync(callId, cancellation)).Where(call => call.IsDecided)
                .SelectMany(call => call.Ids, (call, id) => call with { Id = id })
                .FirstOrDefault(call => CompletedCall.IdOf(call) == callId);
            if (call is not null && await IsReplacedAsync(delivery, call, cancellation))
            {
                return "A later revision of the call was sent: resend that one.";
            }

            envelope = call is null ? null : CompletedCall.Of(call, CompletedCall.DocumentOf(call) with { Revision = delivery.Revision }, traceParent: null).Envelope;
        }
        else if (envelope is null && await journal.FindAsync(delivery.JournalKey, cancellation) is { Event: { } journaled })
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
            // The queue has it: interrupted now, it would only be in both places.
            await deadLetters.RemoveAsync(letter, CancellationToken.None);
        }

        return null;
    }

    private async Task<bool> IsReplacedAsync(Delivery delivery, CallRecord call, CancellationToken cancellation) =>
        await CompletedCalls.FindClaimAsync(_claims, delivery.Destination, call, cancellation) is (_, { } claim)
        && claim.Number(CompletedCalls.Revision) > delivery.Revision;
}
