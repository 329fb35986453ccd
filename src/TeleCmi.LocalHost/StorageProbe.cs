using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Sqlite;

namespace TeleCmi.LocalHost;

/// <summary>Tries storage at start: a file that is no store of ours stops it; what may pass is said at once, not with the first event.</summary>
internal sealed partial class StorageProbe(IStore store, PipelineQueues queues, ILogger<StorageProbe> logger) : BackgroundService
{
    private Task _opening = Task.CompletedTask;

    /// <summary>Opens the embedded store's file beside the rest of the start, of which it is a good part.</summary>
    public void Begin()
    {
        if (store is SqliteStore)
        {
            _opening = Task.Run(() => queues.Events.CountAsync(CancellationToken.None));
        }
    }

    /// <inheritdoc/>
    /// <exception cref="StorageException">The embedded store's file cannot be used.</exception>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await store.CheckAsync(stoppingToken);
        }
        catch (Exception) when (stoppingToken.IsCancellationRequested)
        {
            // Nobody waits for it any more; to the host it would be a failure.
        }
        catch (Exception e)
        {
            // Whatever it is: a probe that failed would end the host.
            Log.NotReady(logger, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 111, Level = LogLevel.Error, Message = "{Fault} Until that works, the response to every event is 503.")]
        public static partial void NotReady(ILogger logger, string fault);
    }
}
