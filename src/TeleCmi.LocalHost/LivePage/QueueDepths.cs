using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>Looks how full the queues are, as long as somebody watches.</summary>
internal sealed partial class QueueDepths(LiveHub hub, QueueStates states, TimeProvider clock, ILogger<QueueDepths> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private volatile IReadOnlyList<QueueView> _latest = [];

    /// <summary>The last look.</summary>
    public IReadOnlyList<QueueView> Latest => _latest;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            if (hub.IsWatched)
            {
                await LookAsync(stoppingToken);
            }

            await Task.Delay(Interval, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LookAsync(CancellationToken stopping)
    {
        try
        {
            _latest = [.. (await states.GetAsync(stopping)).Select(queue => new QueueView(queue.Name, queue.IsPoison, queue.Messages))];
        }
        catch (Exception e)
        {
            // Only a look: whatever came of it, the next one is 2 s away.
            _latest = [.. _latest.Select(queue => queue with { Depth = null })];
            Log.Unknown(logger, e);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 120, Level = LogLevel.Debug, Message = "How full the queues are is not known.")]
        public static partial void Unknown(ILogger logger, Exception exception);
    }
}
