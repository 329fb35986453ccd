using System.Diagnostics;
using System.Diagnostics.Metrics;
using TeleCmi.LocalHost;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.LoadTest.Targets;

/// <summary>The LocalHost's queue pumps, held back until told: so that receiving and processing are measured apart, as they scale apart on Azure.</summary>
internal sealed class HeldPumps
{
    private readonly ServiceDescriptor[] _pumps;

    /// <summary>Takes the pumps out of the services.</summary>
    public HeldPumps(IServiceCollection services)
    {
        _pumps = [.. services.Where(service => service.ServiceType == typeof(IHostedService) && service.ImplementationFactory is not null)];
        foreach (var pump in _pumps)
        {
            services.Remove(pump);
        }
    }

    /// <summary>Processes so many events and stops again.</summary>
    public async Task<Drained> RunAsync(IServiceProvider provider, int count)
    {
        var (processed, duplicates) = (0, 0);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, meters) =>
        {
            if (instrument.Meter.Name == TelemetryNames.Source && instrument.Name == TelemetryNames.EventsProcessed)
            {
                meters.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            if (tags.Contains(new KeyValuePair<string, object?>(TelemetryNames.Outcome, "duplicate")))
            {
                Interlocked.Increment(ref duplicates);
            }

            if (Interlocked.Increment(ref processed) == count)
            {
                done.SetResult();
            }
        });
        listener.Start();

        var began = Stopwatch.GetTimestamp();
        QueuePump[] pumps = [.. _pumps.Select(pump => pump.ImplementationFactory!(provider)).OfType<QueuePump>()];
        foreach (var pump in pumps)
        {
            await pump.StartAsync(CancellationToken.None);
        }

        await done.Task;
        foreach (var pump in pumps)
        {
            await pump.StopAsync(CancellationToken.None);
            pump.Dispose();
        }

        return new Drained(processed, duplicates, Stopwatch.GetElapsedTime(began));
    }
}
