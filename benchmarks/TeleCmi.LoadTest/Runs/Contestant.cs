using TeleCmi.LoadTest.Load;
using TeleCmi.LoadTest.Targets;

namespace TeleCmi.LoadTest.Runs;

/// <summary>One of those that are measured side by side.</summary>
/// <param name="Name">Its name in tables and legends.</param>
/// <param name="Sender">Makes one sender.</param>
/// <param name="ProcessorTime">What its process has used so far.</param>
internal sealed record Contestant(string Name, Func<ISender> Sender, Func<TimeSpan> ProcessorTime)
{
    /// <summary>What its process has allocated so far, where it can tell.</summary>
    public Func<Task<long>>? AllocatedBytes { get; init; }

    /// <summary>Takes so many events out of the queue again.</summary>
    public Func<int, Task<Drained>>? Drain { get; init; }

    /// <summary>Whether its throughput at saturation is measured.</summary>
    public bool IsSaturated { get; init; }
}
