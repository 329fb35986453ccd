using TeleCmi.LoadTest.Load;

namespace TeleCmi.LoadTest.Runs;

/// <summary>All that was measured, and the ratios that matter.</summary>
internal sealed record ComparisonResult(
    Plan Plan, IReadOnlyList<SaturationTurn> Saturation, IReadOnlyList<RateTurn> AtRate, IReadOnlyList<DrainTurn> Drains, Accounting Accounting)
{
    /// <summary>The counting LocalHost's throughput, in that of bare Kestrel.</summary>
    public double SaturationRatio => Ratio(Saturation, turn => turn.Target, turn => turn.Round, turn => turn.PerSecond, Contestants.Counting, Contestants.Kestrel);

    /// <summary>The same without log lines and live page: the pipeline and the web server.</summary>
    public double QuietSaturationRatio => Ratio(Saturation, turn => turn.Target, turn => turn.Round, turn => turn.PerSecond, Contestants.Quiet, Contestants.Kestrel);

    /// <summary>The counting LocalHost's processor time for an event, in bare Kestrel's: what else the machine does hardly touches it.</summary>
    public double CpuRatio => CpuRatioOf(Contestants.Counting);

    /// <summary>The same without log lines and live page.</summary>
    public double QuietCpuRatio => CpuRatioOf(Contestants.Quiet);

    /// <summary>The LocalHost's median latency, in that of the queue client alone.</summary>
    public double LatencyRatio => Ratio(AtRate, turn => turn.Target, turn => turn.Round, turn => turn.Load.Latencies.P50, Contestants.Receiving, Contestants.Raw);

    /// <summary>The LocalHost's median latency, in that of the least web server that calls the queue client.</summary>
    public double LatencyRatioOverHttp => Ratio(AtRate, turn => turn.Target, turn => turn.Round, turn => turn.Load.Latencies.P50, Contestants.Receiving, Contestants.Forwarding);

    /// <summary>The pump's rate, in that of the bare loop.</summary>
    public double DrainRatio => Ratio(Drains, turn => turn.Target, turn => turn.Round, turn => turn.Drained.PerSecond, Contestants.Receiving, Contestants.Raw);

    /// <summary>The bars, and whether they are met.</summary>
    public IReadOnlyList<Bar> Bars =>
    [
        new("throughput at saturation, LocalHost with a counting queue / bare Kestrel", SaturationRatio, 0.85, IsLeast: true),
        new("p50 at the fixed rate, LocalHost with Azurite / QueueClient alone", LatencyRatio, 1.10, IsLeast: false),
        new("processing, LocalHost / bare receive + insert + delete", DrainRatio, 0.90, IsLeast: true),
        new("events lost", Accounting.Lost, 0, IsLeast: false),
        new("journal rows too many", Accounting.RowsTooMany, 0, IsLeast: false),
    ];

    /// <summary>What the quick form asks: only whether a bar is missed by far.</summary>
    public IReadOnlyList<Bar> QuickBars =>
    [
        new("CPU per event at saturation, LocalHost with a counting queue / bare Kestrel", CpuRatio, 3, IsLeast: false),
        new("p50 at the fixed rate, LocalHost with Azurite / Kestrel and QueueClient", LatencyRatioOverHttp, 3, IsLeast: false),
        Bars[2] with { Limit = 0.4 },
        .. Bars.Skip(3),
    ];

    public IEnumerable<string> Targets => AtRate.Select(turn => turn.Target).Distinct(StringComparer.Ordinal);

    public Latencies LatenciesOf(string target) => Latencies.Join(AtRate.Where(turn => turn.Target == target).Select(turn => turn.Load.Latencies));

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private double CpuRatioOf(string target) =>
        Ratio(Saturation, turn => turn.Target, turn => turn.Round, turn => turn.PerThousand.CpuSeconds, target, Contestants.Kestrel);

    // Turn by turn, so that what else the machine was doing falls on both.
    private static double Ratio<T>(
        IReadOnlyList<T> turns, Func<T, string> target, Func<T, int> round, Func<T, double> value, string numerator, string denominator) =>
        Median(turns.Where(turn => target(turn) == numerator).Join(
            turns.Where(turn => target(turn) == denominator), round, round, (ours, theirs) => value(ours) / value(theirs)));
}

/// <summary>A promise about a ratio.</summary>
internal sealed record Bar(string Name, double Value, double Limit, bool IsLeast)
{
    public bool IsMet => IsLeast ? Value >= Limit : Value <= Limit;
}
