using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>The queue of events that wait for an attempt at a destination, one message per event and destination.</summary>
public sealed class ForwardQueue(PipelineQueues queues, TimeProvider clock)
{
    /// <summary>Queues an event for one destination, to be attempted at once.</summary>
    /// <param name="destination">The destination's name.</param>
    /// <param name="envelope">The event's envelope: UTF-8 JSON.</param>
    /// <param name="cancellation">Ends the attempt; whether the queue has it is then unknown.</param>
    public Task SendAsync(string destination, ReadOnlyMemory<byte> envelope, CancellationToken cancellation) =>
        queues.Forwards.SendAsync(ForwardMessage.Write(destination, attempt: 1, deferrals: 0, clock.GetUtcNow(), envelope), TimeSpan.Zero, cancellation);

    internal Task SendAsync(ForwardMessage message, TimeSpan delay, CancellationToken cancellation) =>
        queues.Forwards.SendAsync(message.ToUtf8(), delay, cancellation);
}
