using TeleCmi.LoadTest.Load;

namespace TeleCmi.LoadTest.Runs;

/// <summary>All that was measured, and the ratios that matter.</summary>
internal sealed record ComparisonResult(Plan Plan, IReadOnlyList<string> Targets, IReadOnlyList<Turn> Turns, int Acknowledged, int Lost, int Doubled)
{
    /// <summary>The bars, and whether they are met.</summary>
    public IReadOnlyList<Bar> Bars =>
    [
        new("throughput at saturation, embedded store / append and flush, grouped", Ratio(Contestants.Embedded, Contestants.Grouped, turn => turn.PerSecond), 0.5, IsLeast: true),
        new("throughput at saturation, embedded store / Azurite", Ratio(Contestants.Embedded, Contestants.OnAzurite, turn => turn.PerSecond), 8, IsLeast: true),
        new("p50 at the fixed rate, embedded store / append and flush", Ratio(Contestants.Embedded, Contestants.Flushed, turn => turn.Latencies?.P50), 1.5, IsLeast: false),
        new("processing, embedded store / Azurite", Ratio(Contestants.Embedded, Contestants.OnAzurite, turn => turn.ProcessedPerSecond), 8, IsLeast: true),
        new("acknowledged events lost", Lost, 0, IsLeast: false),
        new("journal rows doubled", Doubled, 0, IsLeast: false),
    ];

    /// <summary>What the quick form asks: only whether a bar is missed by far.</summary>
    public IReadOnlyList<Bar> QuickBars =>
    [
        new("CPU per event at saturation, LocalHost with a counting queue / bare Kestrel", CpuRatio, 3, IsLeast: false),
        Bars[0] with { Limit = 0.15 },
        Bars[1] with { Limit = 2 },
        Bars[3] with { Limit = 2 },
        .. Bars.Skip(4),
    ];

    /// <summary>The processor time of an event without any storage, in bare Kestrel's: what else the machine does hardly touches it.</summary>
    public double CpuRatio => Ratio(Contestants.Counting, Contestants.Kestrel, turn => turn.CpuSecondsPerThousand);

    public Latencies LatenciesOf(string target) => Latencies.Join(Turns.Where(turn => turn.Target == target).Select(turn => turn.Latencies).OfType<Latencies>());

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    // Round by round, so that what else the machine was doing falls on both.
    private double Ratio(string numerator, string denominator, Func<Turn, double?> value) => Median(
        Turns.Where(turn => turn.Target == numerator)
            .Join(Turns.Where(turn => turn.Target == denominator), turn => turn.Round, turn => turn.Round, (ours, theirs) => value(ours) / value(theirs))
            .OfType<double>());
}

/// <summary>A promise about a ratio.</summary>
internal sealed record Bar(string Name, double Value, double Limit, bool IsLeast)
{
    public bool IsMet => IsLeast ? Value >= Limit : Value <= Limit;
}
