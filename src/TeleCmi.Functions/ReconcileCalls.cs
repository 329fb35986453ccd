using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Hosting;
using TeleCmi.Pipeline.Reconciling;

namespace TeleCmi.Functions;

/// <summary>Compares the journal's calls with TeleCMI's reports, on a schedule; without the settings of the reports it does nothing.</summary>
public sealed class ReconcileCalls(ReconcileRun run, IHostApplicationLifetime lifetime)
{
    /// <summary>Runs once; what it did not finish the next run does.</summary>
    [Function(nameof(ReconcileCalls))]
    public async Task RunAsync([TimerTrigger($"%{TriggerSettings.ReconcileScheduleSetting}%")] TimerInfo timer, CancellationToken cancellation)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lifetime.ApplicationStopping);
        await run.RunAsync(stopping.Token);
    }
}
