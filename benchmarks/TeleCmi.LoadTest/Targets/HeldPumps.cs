using System.Diagnostics;
using System.Diagnostics.Metrics;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.LoadTest.Targets;

/// <summary>The LocalHost's queue pumps, held back until told: so that receiving and processing are measured apart, as they scale apart on Azure.</summary>
internal sealed class HeldPumps
{
    private const string PumpsName = "QueuePumps";

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private readonly ServiceDescriptor _pumps;

    /// <summary>Takes the pumps out of the services.</summary>
    public HeldPumps(IServiceCollection services)
    {
        _pumps = services.Single(service => service.ServiceType == typeof(IHostedService) && service.ImplementationType?.Name == PumpsName);
        services.Remove(_pumps);
    }

    /// <summary>Processes so many events, then what is left in the queue, and stops again.</summary>
    public async Task<Drained> RunAsync(IServiceProvider provider, int count)
    {
        var processed = 0;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, meters) =>
        {
            if (instrument.Meter.Name == TelemetryNames.Source && instrument.Name == TelemetryNames.EventsProcessed)
            {
                meters.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) =>
        {
            if (Interlocked.Increment(ref processed) == count)
            {
                done.SetResult();
            }
        });
        listener.Start();

        var began = Stopwatch.GetTimestamp();
        var pumps = (BackgroundService)ActivatorUtilities.CreateInstance(provider, _pumps.ImplementationType!);
        await pumps.StartAsync(CancellationToken.None);
        await done.Task;
        var drained = new Drained(count, Stopwatch.GetElapsedTime(began));

        // The queue may have more than was acknowledged: a send that storage carried out although its response came too late, or a try that is made again.
        var queue = provider.GetRequiredService<PipelineQueues>().Events;
        while (await queue.CountAsync(CancellationToken.None) > 0)
        {
            await Task.Delay(Poll);
        }

        await pumps.StopAsync(CancellationToken.None);
        pumps.Dispose();
        return drained;
    }
}
