using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Storage;

namespace OwnHost;

/// <summary>
/// Processes what the webhook put into the queue, one event after another. What a busy host needs besides: several at once, a longer
/// visibility timeout for slow handlers, and the queue of forwards (as the LocalHost's QueuePump does).
/// </summary>
public sealed class QueueWorker(PipelineQueues queues, EventProcessor processor, PoisonArchive archive, ILogger<QueueWorker> logger) : BackgroundService
{
    private static readonly TimeSpan VisibilityTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan PollingInterval = TimeSpan.FromMilliseconds(200);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(PollingInterval);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var message in await queues.Events.ReceiveAsync(PipelineQueues.BatchSize, VisibilityTimeout, stoppingToken))
            {
                await WorkAsync(message, stoppingToken);
            }
        }
    }

    private async Task WorkAsync(ReceivedMessage message, CancellationToken stopping)
    {
        try
        {
            if (message.DequeueCount > PipelineQueues.MaxDequeueCount)
            {
                await archive.ArchiveAsync(message.Body, message.InsertedOn, stopping);
            }
            else
            {
                await processor.ProcessAsync(message.Body, stopping);
            }

            await queues.Events.DeleteAsync(message, stopping);
        }
        catch (Exception e) when (!stopping.IsCancellationRequested)
        {
            logger.LogWarning(e, "Message {Id} comes again when its visibility timeout is over", message.Id);
        }
    }
}
