using Microsoft.Extensions.Options;

namespace TeleCmi.Pipeline.Storage;

/// <summary>The product's four queues, and how they are processed on every host.</summary>
public sealed class PipelineQueues(IStore store, IOptions<QueueOptions> options)
{
    /// <summary>How many messages are received at once (host.json: <c>batchSize</c>).</summary>
    public const int BatchSize = 16;

    /// <summary>How many may still be in work when the next batch is received (host.json: <c>newBatchThreshold</c>, for one core).</summary>
    public const int NewBatchThreshold = 8;

    /// <summary>How often a message is tried before it goes to the poison queue (host.json: <c>maxDequeueCount</c>).</summary>
    public const int MaxDequeueCount = 5;

    /// <summary>How long a failed message waits before the next try (host.json: <c>visibilityTimeout</c>; the LocalHost's default).</summary>
    public static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(30);

    /// <summary>How long a visible message may wait before a person is needed, unless that person says otherwise.</summary>
    public static readonly TimeSpan LongWaiting = TimeSpan.FromMinutes(5);

    /// <summary>How many messages of one queue are in work at once, per instance.</summary>
    public const int MaxInFlight = BatchSize + NewBatchThreshold;

    /// <summary>Accepted events.</summary>
    public IMessageQueue Events { get; } = store.Queue(options.Value.Events);

    /// <summary>Events that failed too often.</summary>
    public IMessageQueue EventsPoison { get; } = store.Queue(options.Value.Events + QueueOptions.PoisonSuffix);

    /// <summary>Events on their way to destinations.</summary>
    public IMessageQueue Forwards { get; } = store.Queue(options.Value.Forwards);

    /// <summary>Forwards that broke off too often.</summary>
    public IMessageQueue ForwardsPoison { get; } = store.Queue(options.Value.Forwards + QueueOptions.PoisonSuffix);

    /// <summary>Tells how full every queue is.</summary>
    /// <exception cref="StorageException">A queue cannot be read.</exception>
    public async Task<IReadOnlyList<QueueState>> GetStatesAsync(CancellationToken cancellation) =>
    [
        await StateOfAsync(Events, isPoison: false, cancellation),
        await StateOfAsync(EventsPoison, isPoison: true, cancellation),
        // A forward that waits for its next attempt is sent long before it can be seen: its age says nothing.
        await StateOfAsync(Forwards, isPoison: false, cancellation) with { OldestVisible = null },
        await StateOfAsync(ForwardsPoison, isPoison: true, cancellation),
    ];

    private static async Task<QueueState> StateOfAsync(IMessageQueue queue, bool isPoison, CancellationToken cancellation)
    {
        var messages = await queue.CountAsync(cancellation);
        var front = messages == 0 ? [] : await queue.PeekAsync(IMessageQueue.MaxBatch, cancellation);
        return new QueueState(queue.Name, isPoison, messages, front.Count == 0 ? null : front.Min(message => message.InsertedOn));
    }
}

/// <summary>How full a queue is.</summary>
/// <param name="Name">The queue's name.</param>
/// <param name="IsPoison">Whether it holds what failed too often.</param>
/// <param name="Messages">About how many messages there are.</param>
/// <param name="OldestVisible">When the oldest of the first visible messages was sent; null when none is visible.</param>
public sealed record QueueState(string Name, bool IsPoison, int Messages, DateTimeOffset? OldestVisible);
