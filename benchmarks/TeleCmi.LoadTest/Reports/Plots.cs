using ScottPlot;
using TeleCmi.LoadTest.Runs;

namespace TeleCmi.LoadTest.Reports;

/// <summary>The plots of the documents.</summary>
internal static class Plots
{
    private const int Width = 900;
    private const int Height = 480;

    /// <summary>Every target's latency over the share of events that were answered within it.</summary>
    public static void SaveLatencies(ComparisonResult result, string file)
    {
        double[] shares = [.. Enumerable.Range(0, 61).Select(step => 1 - Math.Pow(10, -step / 20.0))];
        using var plot = new Plot();
        foreach (var target in result.Targets)
        {
            var latencies = result.LatenciesOf(target);
            var line = plot.Add.ScatterLine(
                shares.Select(Nines).ToArray(),
                shares.Select(share => Math.Log10(latencies.At(share))).ToArray());
            line.LegendText = target;
            line.LineWidth = 2;
        }

        double[] marked = [0, 0.5, 0.9, 0.95, 0.99, 0.999];
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericManual(
            [.. marked.Select(Nines)], ["0", "p50", "p90", "p95", "p99", "p99.9"]);
        double[] milliseconds = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
        plot.Axes.Left.TickGenerator = new ScottPlot.TickGenerators.NumericManual(
            [.. milliseconds.Select(Math.Log10)], [.. milliseconds.Select(value => value.ToString(System.Globalization.CultureInfo.InvariantCulture))]);
        plot.Title(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Latency at {result.Plan.Rate} events/s"));
        plot.XLabel("share of events answered within that time");
        plot.YLabel("ms, from the intended time of sending");
        plot.ShowLegend(Alignment.LowerRight);
        plot.SaveSvg(file, Width, Height);
    }

    /// <summary>Memory over time.</summary>
    /// <param name="file">Where to.</param>
    /// <param name="series">A legend, and for each sample the minutes and the MiB.</param>
    public static void SaveMemory(string file, IEnumerable<(string Legend, IReadOnlyList<(double Minutes, double MiB)> Samples)> series)
    {
        using var plot = new Plot();
        foreach (var (legend, samples) in series)
        {
            var line = plot.Add.ScatterLine(samples.Select(sample => sample.Minutes).ToArray(), samples.Select(sample => sample.MiB).ToArray());
            line.LegendText = legend;
            line.LineWidth = 2;
        }

        plot.Axes.SetLimitsY(0, 1.3 * series.SelectMany(part => part.Samples).Max(sample => sample.MiB));
        plot.Title("Resident memory of the LocalHost");
        plot.XLabel("minutes");
        plot.YLabel("MiB");
        plot.ShowLegend(Alignment.UpperRight);
        plot.SaveSvg(file, Width, Height);
    }

    private static double Nines(double share) => -Math.Log10(1 - share);
}
