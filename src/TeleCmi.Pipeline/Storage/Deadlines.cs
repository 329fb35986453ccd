using Polly;

namespace TeleCmi.Pipeline.Storage;

/// <summary>Bounds in time.</summary>
public static class Deadlines
{
    /// <summary>A pipeline that cancels its work at the deadline and then throws <see cref="Polly.Timeout.TimeoutRejectedException"/>.</summary>
    public static ResiliencePipeline Deadline(this TimeProvider clock, TimeSpan deadline) =>
        new ResiliencePipelineBuilder { TimeProvider = clock }.AddTimeout(deadline).Build();
}
