using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;

namespace TeleCmi.Pipeline.Storage;

/// <summary>An Azure Storage queue: one request per message; the queue is made when storage says that it is missing.</summary>
/// <param name="queue">A client that writes Base64.</param>
public sealed class StorageQueue(QueueClient queue) : IEventQueue
{
    private static readonly TimeSpan NeverExpires = TimeSpan.FromSeconds(-1);

    /// <inheritdoc/>
    public Task EnqueueAsync(ReadOnlyMemory<byte> envelope, CancellationToken cancellation) =>
        EnqueueAsync(envelope, TimeSpan.Zero, cancellation);

    /// <summary>Puts a message into the queue that nobody sees until the delay is over.</summary>
    /// <exception cref="RequestFailedException">Storage refused it.</exception>
    public async Task EnqueueAsync(ReadOnlyMemory<byte> message, TimeSpan delay, CancellationToken cancellation)
    {
        var body = BinaryData.FromBytes(message);
        var visibilityTimeout = delay > TimeSpan.Zero ? delay : (TimeSpan?)null;
        try
        {
            await queue.SendMessageAsync(body, visibilityTimeout, NeverExpires, cancellation);
        }
        catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound)
        {
            await queue.CreateIfNotExistsAsync(cancellationToken: cancellation);
            await queue.SendMessageAsync(body, visibilityTimeout, NeverExpires, cancellation);
        }
    }
}
