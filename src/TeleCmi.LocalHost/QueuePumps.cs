using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LocalHost;

/// <summary>Processes the product's four queues, as the Functions app's queue triggers do.</summary>
internal sealed class QueuePumps(
    PipelineQueues queues,
    EventProcessor events,
    ForwardProcessor forwards,
    PoisonArchive archive,
    IOptions<LocalHostOptions> options,
    IHostApplicationLifetime lifetime,
    TimeProvider clock,
    ILogger<QueuePump> logger) : BackgroundService
{
    private readonly CancellationTokenSource _abandon = new();

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // Work in flight is finished, until the time for the stop has passed.
        await using var grace = cancellationToken.Register(_abandon.Cancel);
        await base.StopAsync(cancellationToken);
    }

    public override void Dispose()
    {
        // This ends what runs, and that must not find the other gone.
        base.Dispose();
        _abandon.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A sender waits for the address to open; the queues can wait until it has.
        using (var listening = CancellationTokenSource.CreateLinkedTokenSource(lifetime.ApplicationStarted, stoppingToken))
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, listening.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (stoppingToken.IsCancellationRequested)
        {
            // The start has failed, and nothing here lives any longer.
            return;
        }

        QueuePump[] pumps =
        [
            Pump(queues.Events, queues.EventsPoison, (message, token) => events.ProcessAsync(message.Body, token)),
            Pump(queues.Forwards, queues.ForwardsPoison, (message, token) => forwards.ProcessAsync(message.Body, message.InsertedOn, token)),
            Pump(queues.EventsPoison, poison: null, ArchiveAsync),
            Pump(queues.ForwardsPoison, poison: null, ArchiveAsync),
        ];
        await Task.WhenAll(pumps.Select(pump => pump.RunAsync(stoppingToken, _abandon.Token)));
    }

    private Task ArchiveAsync(ReceivedMessage message, CancellationToken cancellation) => archive.ArchiveAsync(message.Body, message.InsertedOn, cancellation);

    private QueuePump Pump(IMessageQueue queue, IMessageQueue? poison, Func<ReceivedMessage, CancellationToken, Task> process) =>
        new(queue, process, poison, options.Value, clock, logger);
}
