namespace TeleCmi.LoadTest.Load;

/// <summary>Latencies in order, in milliseconds.</summary>
internal sealed class Latencies
{
    private readonly double[] _sorted;

    private Latencies(double[] sorted) => _sorted = sorted;

    public static Latencies Of(IEnumerable<TimeSpan> latencies) => new([.. latencies.Select(latency => latency.TotalMilliseconds).Order()]);

    /// <summary>All of them together.</summary>
    public static Latencies Join(IEnumerable<Latencies> parts) => new([.. parts.SelectMany(part => part._sorted).Order()]);

    public double P50 => At(0.5);

    public double P95 => At(0.95);

    public double P99 => At(0.99);

    public double Max => At(1);

    /// <summary>The smallest latency that the given share of events did not exceed.</summary>
    public double At(double share) =>
        _sorted.Length == 0 ? double.NaN : _sorted[Math.Clamp((int)Math.Ceiling(share * _sorted.Length) - 1, 0, _sorted.Length - 1)];
}
