namespace TeleCmi.Pipeline.Storage;

/// <summary>A queue that delivers at least once. A receipt is void once its message is visible again.</summary>
public interface IMessageQueue
{
    /// <summary>The most bytes that a message may have: what an Azure Storage queue takes in Base64.</summary>
    const int MaxMessageBytes = 48 * 1024;

    /// <summary>The most messages that can be received or peeked at once.</summary>
    const int MaxBatch = 32;

    /// <summary>The queue's name.</summary>
    string Name { get; }

    /// <summary>Puts a message into the queue. When the task completes, the message is durable.</summary>
    /// <param name="body">May be reused by the caller when the task has completed.</param>
    /// <param name="delay">How long nobody sees it; zero or less: it is visible at once. It never expires.</param>
    /// <param name="cancellation">Ends the attempt; whether the message was stored is then unknown.</param>
    /// <exception cref="StorageException">It was not stored, as far as is known.</exception>
    Task SendAsync(ReadOnlyMemory<byte> body, TimeSpan delay, CancellationToken cancellation);

    /// <summary>Takes up to <paramref name="count"/> visible messages, oldest first as far as possible, and hides them from others.</summary>
    /// <param name="count">From 1 to <see cref="MaxBatch"/>.</param>
    /// <param name="visibilityTimeout">How long they stay hidden, at least 1 s.</param>
    /// <param name="cancellation">Ends the attempt; messages may stay hidden for the visibility timeout.</param>
    Task<IReadOnlyList<ReceivedMessage>> ReceiveAsync(int count, TimeSpan visibilityTimeout, CancellationToken cancellation);

    /// <summary>Hides a received message for another while, counted from now; zero: it is visible at once.</summary>
    /// <returns>The message with its new receipt; null when the receipt was void.</returns>
    Task<ReceivedMessage?> ExtendAsync(ReceivedMessage message, TimeSpan visibilityTimeout, CancellationToken cancellation);

    /// <summary>Removes a received message for good.</summary>
    /// <returns>False when the receipt was void: the message is gone already or was delivered again.</returns>
    Task<bool> DeleteAsync(ReceivedMessage message, CancellationToken cancellation);

    /// <summary>Returns up to <paramref name="count"/> visible messages without taking them.</summary>
    Task<IReadOnlyList<PeekedMessage>> PeekAsync(int count, CancellationToken cancellation);

    /// <summary>About how many messages there are, hidden ones included.</summary>
    Task<int> CountAsync(CancellationToken cancellation);
}

/// <summary>A message that was taken from a queue.</summary>
/// <param name="Id">The message's id.</param>
/// <param name="Receipt">What entitles to extend or delete it.</param>
/// <param name="Body">What was sent; bytes that are not in the queue's encoding come as they are.</param>
/// <param name="InsertedOn">When the queue got it, UTC.</param>
/// <param name="DequeueCount">How often it has been received, this time included.</param>
public sealed record ReceivedMessage(string Id, string Receipt, ReadOnlyMemory<byte> Body, DateTimeOffset InsertedOn, long DequeueCount);

/// <summary>A message that was only peeked at.</summary>
/// <param name="Body">What was sent; bytes that are not in the queue's encoding come as they are.</param>
/// <param name="InsertedOn">When the queue got it, UTC.</param>
/// <param name="DequeueCount">How often it has been received.</param>
public sealed record PeekedMessage(ReadOnlyMemory<byte> Body, DateTimeOffset InsertedOn, long DequeueCount);
