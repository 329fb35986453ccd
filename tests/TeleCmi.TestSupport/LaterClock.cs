namespace TeleCmi.TestSupport;

/// <summary>The real time, and so much more.</summary>
public sealed class LaterClock(TimeSpan by) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + by;
}
