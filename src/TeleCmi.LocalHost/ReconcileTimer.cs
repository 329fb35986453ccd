using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Reconciling;

namespace TeleCmi.LocalHost;

/// <summary>Compares the journal's calls with TeleCMI's reports now and then, as the Functions app's timer does.</summary>
internal sealed partial class ReconcileTimer(ReconcileRun run, IOptions<LocalHostOptions> options, TimeProvider clock, ILogger<ReconcileTimer> logger) : BackgroundService
{
    // After the start, when what was received before has been processed.
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!run.IsOn)
        {
            return;
        }

        try
        {
            for (var delay = FirstDelay; ; delay = options.Value.ReconcileInterval)
            {
                await Task.Delay(delay, clock, stoppingToken);
                await RunAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    // What could not be read now is read next time; and whatever goes wrong, a timer that failed would end the host.
    private async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            await run.RunAsync(cancellation);
        }
        catch (Exception e) when (!(e is OperationCanceledException && cancellation.IsCancellationRequested))
        {
            Log.Failed(logger, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 112, Level = LogLevel.Error, Message = "Calls were not compared with TeleCMI's reports: {Fault}")]
        public static partial void Failed(ILogger logger, string fault);
    }
}
