namespace TeleCmi.Pipeline.Storage;

/// <summary>The durable queue between receiving and processing.</summary>
public interface IEventQueue
{
    /// <summary>Puts an envelope into the queue. When the task completes, the message is durable.</summary>
    /// <param name="envelope">UTF-8 JSON; may be reused by the caller when the task has completed.</param>
    /// <param name="cancellation">Ends the attempt; whether the message was stored is then unknown.</param>
    Task EnqueueAsync(ReadOnlyMemory<byte> envelope, CancellationToken cancellation);
}
