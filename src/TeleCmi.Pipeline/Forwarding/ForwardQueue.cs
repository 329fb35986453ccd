using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>The queue of calls that have to be made, one message per event and destination.</summary>
public sealed class ForwardQueue(StorageQueue queue, TimeProvider clock)
{
    /// <summary>Hands an event on to one destination; when the task completes, that is durable.</summary>
    /// <param name="destination">The destination's name.</param>
    /// <param name="envelope">The event's envelope: UTF-8 JSON.</param>
    /// <param name="cancellation">Ends the attempt; whether the queue has it is then unknown.</param>
    public Task EnqueueAsync(string destination, ReadOnlyMemory<byte> envelope, CancellationToken cancellation) =>
        queue.EnqueueAsync(ForwardMessage.Write(destination, attempt: 1, deferrals: 0, clock.GetUtcNow(), envelope), cancellation);

    /// <summary>Puts a call back, to be made later.</summary>
    internal Task PutBackAsync(ForwardMessage message, TimeSpan delay, CancellationToken cancellation) =>
        queue.EnqueueAsync(message.ToUtf8(), delay, cancellation);
}
