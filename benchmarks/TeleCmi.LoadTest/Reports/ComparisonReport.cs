using System.Globalization;
using Spectre.Console;
using TeleCmi.LoadTest.Runs;

namespace TeleCmi.LoadTest.Reports;

/// <summary>The comparison as tables.</summary>
internal static class ComparisonReport
{
    public static void Print(ComparisonResult result, IReadOnlyList<Bar> bars, IAnsiConsole console)
    {
        var plan = result.Plan;
        var table = Tables.New(
            string.Create(CultureInfo.InvariantCulture, $"Medians of {plan.Rounds} rounds; saturation with {plan.Connections} connections; latency at {plan.Rate} events/s"),
            "saturated, events/s", "CPU s/1,000", "KiB/event", "p50 ms", "p95 ms", "p99 ms", "not acknowledged", "processed, events/s");
        foreach (var target in result.Targets)
        {
            Turn[] turns = [.. result.Turns.Where(turn => turn.Target == target)];
            var latencies = result.LatenciesOf(target);
            table.AddRow(
                target,
                Text(Median(turns, turn => turn.PerSecond), "F0"),
                Text(Median(turns, turn => turn.CpuSecondsPerThousand), "F3"),
                Text(Median(turns, turn => turn.KibibytesPerEvent), "F1"),
                Text(latencies.P50, "F2"),
                Text(latencies.P95, "F2"),
                Text(latencies.P99, "F2"),
                Text(turns.Sum(turn => turn.NotAcknowledged), "F0"),
                Text(Median(turns, turn => turn.ProcessedPerSecond), "F0"));
        }

        console.Write(table);
        console.MarkupLineInterpolated(
            CultureInfo.InvariantCulture,
            $"CPU per event at saturation, counting queue / bare Kestrel: {result.CpuRatio:F2}. Acknowledged by the LocalHosts: {result.Acknowledged}; lost: {result.Lost}; doubled: {result.Doubled}");
        var promises = Tables.New("Bars (medians of the rounds' ratios)", "ratio", "bar", "");
        foreach (var bar in bars)
        {
            promises.AddRow(bar.Name, Text(bar.Value, "F2"), $"{(bar.IsLeast ? "at least" : "at most")} {Text(bar.Limit, "0.##")}", bar.IsMet ? "met" : "MISSED");
        }

        console.Write(promises);
    }

    private static double Median(IEnumerable<Turn> turns, Func<Turn, double?> value) => ComparisonResult.Median(turns.Select(value).OfType<double>());

    private static string Text(double value, string format) => double.IsNaN(value) ? "-" : value.ToString(format, CultureInfo.InvariantCulture);
}
