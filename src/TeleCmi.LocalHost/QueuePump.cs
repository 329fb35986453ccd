using System.Buffers;
using System.Buffers.Text;
using System.Collections.Concurrent;
using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.LocalHost;

/// <summary>
/// What the Functions host does for a queue trigger, on one machine: takes messages, hides each while it is worked on,
/// deletes it afterwards; a failed one comes again after a pause, and what failed too often goes to the poison queue.
/// </summary>
/// <param name="queue">The queue, not decoded by the client: with one message that is not Base64 it would give none.</param>
/// <param name="process">The work on one message: its body, decoded, and when the queue got it.</param>
/// <param name="poison">Where messages go after five tries; null: they are tried for ever.</param>
/// <param name="options">Pauses and leases.</param>
/// <param name="clock">The time.</param>
/// <param name="logger">The log.</param>
public sealed partial class QueuePump(
    QueueClient queue,
    Func<ReadOnlyMemory<byte>, DateTimeOffset?, CancellationToken, Task> process,
    StorageQueue? poison,
    LocalHostOptions options,
    TimeProvider clock,
    ILogger<QueuePump> logger) : BackgroundService
{
    /// <summary>How often a message is tried; host.json says the same for Azure.</summary>
    public const int MaxDequeueCount = 5;

    private const int BatchSize = 16;
    private const int MaxInFlight = BatchSize + (BatchSize / 2);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan StorageDeadline = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<Task, bool> _inFlight = new();
    private readonly SemaphoreSlim _slots = new(MaxInFlight);
    private readonly CancellationTokenSource _abandon = new();

    /// <summary>How long after its start it looks at the queue for the first time.</summary>
    public TimeSpan StartAfter { get; init; }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // Work in flight is finished, until the time for the stop has passed.
        await using var grace = cancellationToken.Register(_abandon.Cancel);
        await base.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _slots.Dispose();
        _abandon.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = FirstPause;
        var reachable = true;
        await Task.Delay(StartAfter, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var taken = await TakeAsync(stoppingToken);
                pause = taken > 0 ? FirstPause : Longer(pause);
                if (!reachable)
                {
                    Log.Reachable(logger, queue.Name);
                    reachable = true;
                }

                if (taken > 0)
                {
                    continue;
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                // A reply can break anywhere, in more ways than the SDK tells apart; a pump that ended would end the host.
                if (reachable)
                {
                    Log.Unreachable(logger, queue.Name, LogText.OfCause(e));
                    reachable = false;
                }

                pause = Longer(pause);
            }

            await Task.Delay(pause, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await Task.WhenAll(_inFlight.Keys);
    }

    private TimeSpan Longer(TimeSpan pause) => pause * 2 < options.MaxPollingInterval ? pause * 2 : options.MaxPollingInterval;

    private async Task<int> TakeAsync(CancellationToken stopping)
    {
        await _slots.WaitAsync(stopping);
        var free = 1;
        while (free < BatchSize && await _slots.WaitAsync(TimeSpan.Zero, stopping))
        {
            free++;
        }

        QueueMessage[] messages = [];
        try
        {
            messages = await ReceiveAsync(free);
        }
        finally
        {
            if (free > messages.Length)
            {
                _slots.Release(free - messages.Length);
            }
        }

        foreach (var message in messages)
        {
            var work = WorkAsync(message);
            _inFlight.TryAdd(work, true);
            _ = work.ContinueWith(
                finished =>
                {
                    _inFlight.TryRemove(finished, out _);
                    _slots.Release();
                },
                CancellationToken.None,
                TaskContinuationOptions.None,
                TaskScheduler.Default);
        }

        return messages.Length;
    }

    // Not cut short by a stop: the messages would stay hidden until their lease is over, though nobody works on them.
    private async Task<QueueMessage[]> ReceiveAsync(int count)
    {
        try
        {
            using var deadline = new CancellationTokenSource(StorageDeadline, clock);
            return await queue.ReceiveMessagesAsync(count, options.Lease, deadline.Token);
        }
        catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound)
        {
            return [];
        }
    }

    // Never throws: whatever goes wrong, the message comes again when its lease is over.
    private async Task WorkAsync(QueueMessage message)
    {
        await Task.Yield();
        var lease = new MessageLease(queue, message, options.Lease, clock, logger);
        try
        {
            await using (lease)
            {
                if (poison is not null && message.DequeueCount > MaxDequeueCount)
                {
                    await GiveUpAsync(message, lease);
                    return;
                }

                await process(BodyOf(message), message.InsertedOn, _abandon.Token);
            }

            await lease.DeleteAsync();
        }
        catch (Exception e)
        {
            await PutBackAsync(message, lease, e);
        }
    }

    private async Task PutBackAsync(QueueMessage message, MessageLease lease, Exception failure)
    {
        Log.TryFailed(logger, failure, message.MessageId, message.DequeueCount);
        try
        {
            if (poison is not null && message.DequeueCount >= MaxDequeueCount)
            {
                await GiveUpAsync(message, lease);
            }
            else
            {
                await lease.ReturnAsync(options.RetryPause);
            }
        }
        catch (Exception e)
        {
            Log.NotReturned(logger, e, message.MessageId);
        }
    }

    private async Task GiveUpAsync(QueueMessage message, MessageLease lease)
    {
        await poison!.EnqueueAsync(BodyOf(message), _abandon.Token);
        await lease.DeleteAsync();
    }

    // What is not Base64 is none of ours; it takes the way of every message that cannot be processed.
    private static ReadOnlyMemory<byte> BodyOf(QueueMessage message)
    {
        var text = message.Body.ToMemory();
        var decoded = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        return Base64.DecodeFromUtf8(text.Span, decoded, out _, out var length) is OperationStatus.Done ? decoded.AsMemory(0, length) : text;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 100, Level = LogLevel.Warning, Message = "Queue {Queue} cannot be read ({Fault}); trying on.")]
        public static partial void Unreachable(ILogger logger, string queue, string fault);

        [LoggerMessage(EventId = 101, Level = LogLevel.Information, Message = "Queue {Queue} can be read again.")]
        public static partial void Reachable(ILogger logger, string queue);

        [LoggerMessage(EventId = 102, Level = LogLevel.Debug, Message = "Message {MessageId} failed at try {Try}.")]
        public static partial void TryFailed(ILogger logger, Exception exception, string messageId, long @try);

        [LoggerMessage(EventId = 103, Level = LogLevel.Warning, Message = "Message {MessageId} could not be put back; it comes again when its lease is over.")]
        public static partial void NotReturned(ILogger logger, Exception exception, string messageId);
    }
}
