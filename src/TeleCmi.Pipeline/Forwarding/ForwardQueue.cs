using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>The queue of events that wait for an attempt at a destination, one message per event and destination.</summary>
public sealed class ForwardQueue(PipelineQueues queues, DeliveryLog log, TimeProvider clock)
{
    /// <summary>Queues an event for one destination, to be attempted at once, whatever became of it before.</summary>
    /// <param name="destination">The destination's name.</param>
    /// <param name="enveloped">The event.</param>
    /// <param name="cancellation">Ends the attempt; whether the queue has it is then unknown.</param>
    /// <exception cref="StorageException">The queue does not have it, as far as is known.</exception>
    public async Task SendAsync(string destination, EnvelopedEvent enveloped, CancellationToken cancellation)
    {
        var before = await log.FindAsync(enveloped, destination, cancellation);
        var forward = new ForwardMessage { Destination = destination, QueuedAt = clock.GetUtcNow(), Attempts = before?.Attempts ?? [], IsBackfill = before?.IsBackfill == true, Event = enveloped };
        await SendAsync(forward, TimeSpan.Zero, fault: null, cancellation);
    }

    /// <summary>Queues the check of a call, which is no delivery yet.</summary>
    internal Task SendCheckAsync(ForwardMessage check, TimeSpan delay, CancellationToken cancellation) =>
        queues.Forwards.SendAsync(check.ToUtf8(), delay, cancellation);

    internal async Task SendAsync(ForwardMessage message, TimeSpan delay, string? fault, CancellationToken cancellation)
    {
        await log.NoteWaitingAsync(message, delay, fault);
        await queues.Forwards.SendAsync(message.ToUtf8(), delay, cancellation);
    }
}
