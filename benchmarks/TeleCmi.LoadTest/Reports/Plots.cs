using ScottPlot;
using TeleCmi.LoadTest.Runs;

namespace TeleCmi.LoadTest.Reports;

/// <summary>The plot of docs/performance.md.</summary>
internal static class Plots
{
    private const int Width = 900;
    private const int Height = 480;

    /// <summary>Every target's latency over the share of events that were acknowledged within it.</summary>
    public static void SaveLatencies(ComparisonResult result, string file)
    {
        double[] shares = [.. Enumerable.Range(0, 61).Select(step => 1 - Math.Pow(10, -step / 20.0))];
        using var plot = new Plot();
        foreach (var target in result.Targets)
        {
            var latencies = result.LatenciesOf(target);
            if (double.IsNaN(latencies.P50))
            {
                continue;
            }

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
        plot.XLabel("share of events acknowledged within that time");
        plot.YLabel("ms, from the intended time of sending");
        plot.ShowLegend(Alignment.LowerRight);
        plot.SaveSvg(file, Width, Height);
    }

    private static double Nines(double share) => -Math.Log10(1 - share);
}
