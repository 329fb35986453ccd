using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.LocalHost;

/// <summary>
/// What the Functions host does for a queue trigger, on one machine: receives messages, hides each while it is worked on,
/// deletes it afterwards; a failed one comes again after a delay, and what failed too often goes to the poison queue.
/// </summary>
/// <param name="queue">The queue.</param>
/// <param name="process">The work on one message.</param>
/// <param name="poison">Where messages go that failed too often; null: they are tried for ever.</param>
/// <param name="options">Delays and time-outs.</param>
/// <param name="clock">The time.</param>
/// <param name="logger">The log.</param>
public sealed partial class QueuePump(
    IMessageQueue queue,
    Func<ReceivedMessage, CancellationToken, Task> process,
    IMessageQueue? poison,
    LocalHostOptions options,
    TimeProvider clock,
    ILogger<QueuePump> logger)
{
    private static readonly TimeSpan FirstInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>Works until it is stopped, and then finishes what is in flight.</summary>
    /// <param name="stopping">Ends the receiving.</param>
    /// <param name="abandon">Ends the work in flight; its messages come again.</param>
    public async Task RunAsync(CancellationToken stopping, CancellationToken abandon)
    {
        using var slots = new SemaphoreSlim(PipelineQueues.MaxInFlight);
        var interval = FirstInterval;
        var isReachable = true;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var received = await ReceiveAsync(slots, stopping, abandon);
                interval = received > 0 ? FirstInterval : Longer(interval);
                if (!isReachable)
                {
                    Log.Reachable(logger, queue.Name);
                    isReachable = true;
                }

                if (received > 0)
                {
                    continue;
                }
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                // Whatever it is: a pump that ended would end the host.
                if (isReachable)
                {
                    Log.Unreachable(logger, queue.Name, LogText.OfCause(e));
                    isReachable = false;
                }

                interval = Longer(interval);
            }

            await WaitAsync(interval, isReachable, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        for (var ended = 0; ended < PipelineQueues.MaxInFlight; ended++)
        {
            await slots.WaitAsync(CancellationToken.None);
        }
    }

    private Task WaitAsync(TimeSpan interval, bool isReachable, CancellationToken stopping) => isReachable && queue is IMessageSignal signal
        ? signal.WaitForMessageAsync(options.MaxPollingInterval, stopping)
        : Task.Delay(interval, clock, stopping);

    private TimeSpan Longer(TimeSpan interval) => interval * 2 < options.MaxPollingInterval ? interval * 2 : options.MaxPollingInterval;

    private async Task<int> ReceiveAsync(SemaphoreSlim slots, CancellationToken stopping, CancellationToken abandon)
    {
        await slots.WaitAsync(stopping);
        var free = 1;
        while (free < PipelineQueues.BatchSize && await slots.WaitAsync(TimeSpan.Zero, CancellationToken.None))
        {
            free++;
        }

        IReadOnlyList<ReceivedMessage> messages = [];
        try
        {
            // Not cut short by a stop: the messages would stay hidden although nobody works on them.
            messages = await queue.ReceiveAsync(free, options.VisibilityTimeout, CancellationToken.None);
        }
        finally
        {
            if (free > messages.Count)
            {
                slots.Release(free - messages.Count);
            }
        }

        foreach (var message in messages)
        {
            _ = WorkAsync(message, slots, abandon);
        }

        return messages.Count;
    }

    // Never throws: whatever goes wrong, the message comes again when its visibility timeout is over.
    private async Task WorkAsync(ReceivedMessage message, SemaphoreSlim slots, CancellationToken abandon)
    {
        await Task.Yield();
        var visibility = new MessageVisibility(queue, message, options.VisibilityTimeout, clock, logger);
        try
        {
            await using (visibility)
            {
                if (poison is null || message.DequeueCount <= PipelineQueues.MaxDequeueCount)
                {
                    await process(message, abandon);
                }
                else
                {
                    await poison.SendAsync(message.Body, TimeSpan.Zero, abandon);
                }
            }

            await visibility.DeleteAsync();
        }
        catch (Exception e)
        {
            await PutBackAsync(message, visibility, e, abandon);
        }
        finally
        {
            slots.Release();
        }
    }

    private async Task PutBackAsync(ReceivedMessage message, MessageVisibility visibility, Exception failure, CancellationToken abandon)
    {
        Log.TryFailed(logger, failure, message.Id, message.DequeueCount);
        try
        {
            if (poison is not null && message.DequeueCount >= PipelineQueues.MaxDequeueCount)
            {
                await poison.SendAsync(message.Body, TimeSpan.Zero, abandon);
                await visibility.DeleteAsync();
            }
            else
            {
                await visibility.ReturnAsync(options.RetryDelay);
            }
        }
        catch (Exception e)
        {
            Log.NotReturned(logger, e, message.Id);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 100, Level = LogLevel.Warning, Message = "Queue {Queue} cannot be read ({Fault}); it is tried again.")]
        public static partial void Unreachable(ILogger logger, string queue, string fault);

        [LoggerMessage(EventId = 101, Level = LogLevel.Information, Message = "Queue {Queue} can be read again.")]
        public static partial void Reachable(ILogger logger, string queue);

        [LoggerMessage(EventId = 102, Level = LogLevel.Debug, Message = "Message {MessageId} failed at try {Try}.")]
        public static partial void TryFailed(ILogger logger, Exception exception, string messageId, long @try);

        [LoggerMessage(EventId = 103, Level = LogLevel.Warning, Message = "Message {MessageId} could not be put back; it comes again when its visibility timeout is over.")]
        public static partial void NotReturned(ILogger logger, Exception exception, string messageId);
    }
}
