using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using TeleCmi.LoadTest.Load;
using TeleCmi.LoadTest.Runs;

namespace TeleCmi.LoadTest.Reports;

/// <summary>The comparison as tables, JSON and a plot.</summary>
internal static class ComparisonReport
{
    public static void Print(ComparisonResult result, IReadOnlyList<Bar> bars, IAnsiConsole console)
    {
        console.Write(SaturationTable(result));
        console.Write(RateTable(result));
        console.Write(DrainTable(result));
        console.MarkupLineInterpolated(
            CultureInfo.InvariantCulture,
            $"Ratios without a bar: throughput without log and live page / bare Kestrel {result.QuietSaturationRatio:F2}; p50 LocalHost with Azurite / Kestrel and QueueClient {result.LatencyRatioOverHttp:F2}; CPU per event at saturation / bare Kestrel {result.CpuRatio:F2}, without log and live page {result.QuietCpuRatio:F2}");
        var accounting = result.Accounting;
        console.MarkupLineInterpolated(
            CultureInfo.InvariantCulture,
            $"Acknowledged by the LocalHost: {accounting.Acknowledged}; lost: {accounting.Lost}; rows too many: {accounting.RowsTooMany}; delivered again: {accounting.DeliveredAgain}");
        var table = Tables.New("Bars (medians of the rounds' ratios)", "ratio", "bar", "");
        foreach (var bar in bars)
        {
            table.AddRow(bar.Name, Text(bar.Value, "F2"), $"{(bar.IsLeast ? "at least" : "at most")} {Text(bar.Limit, "0.##")}", bar.IsMet ? "met" : "MISSED");
        }

        console.Write(table);
    }

    public static async Task WriteJsonAsync(ComparisonResult result, IReadOnlyList<Bar> bars, string file)
    {
        await using var stream = File.Create(file);
        await JsonSerializer.SerializeAsync(stream, new
        {
            unit = new { latency = "ms", cpu = "s per 1,000 events", allocated = "bytes per 1,000 events", throughput = "events/s" },
            plan = new { result.Plan.Rounds, result.Plan.Rate, secondsAtRate = result.Plan.AtRate.TotalSeconds, secondsSaturated = result.Plan.Saturated.TotalSeconds, result.Plan.Connections, result.Plan.Depth },
            saturation = result.Saturation,
            atRate = result.AtRate.Select(turn => new
            {
                turn.Round,
                turn.Target,
                turn.Load.Sent,
                acknowledged = turn.Load.Acknowledged.Count,
                turn.Load.Throughput,
                turn.Load.Latencies.P50,
                turn.Load.Latencies.P95,
                turn.Load.Latencies.P99,
                turn.Load.Latencies.Max,
                turn.PerThousand,
                turn.AzuriteCpuPerThousand,
            }),
            drains = result.Drains.Select(turn => new { turn.Round, turn.Target, turn.Drained.Processed, turn.Drained.PerSecond, turn.AzuriteCpuPerThousand }),
            result.Accounting,
            ratiosWithoutBar = new { result.QuietSaturationRatio, result.LatencyRatioOverHttp, result.CpuRatio, result.QuietCpuRatio },
            bars,
        }, Json.Options);
    }

    private static Table SaturationTable(ComparisonResult result)
    {
        var table = Tables.New($"At saturation, {result.Plan.Connections} connections", "events/s", "CPU s/1,000", "client's CPU s/1,000", "KiB/event");
        foreach (var turns in result.Saturation.GroupBy(turn => turn.Target, StringComparer.Ordinal))
        {
            table.AddRow(
                turns.Key,
                Text(Median(turns, turn => turn.PerSecond), "F0"),
                Text(Median(turns, turn => turn.PerThousand.CpuSeconds), "F3"),
                Text(Median(turns, turn => turn.ClientCpuPerThousand), "F3"),
                Text(Median(turns, turn => turn.PerThousand.AllocatedBytes / 1000 / 1024), "F1"));
        }

        return table;
    }

    private static Table RateTable(ComparisonResult result)
    {
        var table = Tables.New(
            string.Create(CultureInfo.InvariantCulture, $"At {result.Plan.Rate} events/s"),
            "p50 ms", "p95 ms", "p99 ms", "max ms", "events/s", "not acknowledged", "CPU s/1,000", "Azurite's", "KiB/event");
        foreach (var turns in result.AtRate.GroupBy(turn => turn.Target, StringComparer.Ordinal))
        {
            var latencies = Latencies.Join(turns.Select(turn => turn.Load.Latencies));
            table.AddRow(
                turns.Key,
                Text(latencies.P50, "F2"),
                Text(latencies.P95, "F2"),
                Text(latencies.P99, "F2"),
                Text(latencies.Max, "F1"),
                Text(Median(turns, turn => turn.Load.Throughput), "F1"),
                Text(turns.Sum(turn => turn.Load.Sent - turn.Load.Acknowledged.Count), "F0"),
                Text(Median(turns, turn => turn.PerThousand.CpuSeconds), "F3"),
                Text(Median(turns, turn => turn.AzuriteCpuPerThousand), "F3"),
                Text(Median(turns, turn => turn.PerThousand.AllocatedBytes / 1000 / 1024), "F1"));
        }

        return table;
    }

    private static Table DrainTable(ComparisonResult result)
    {
        var table = Tables.New($"Processing {result.Plan.Depth} messages", "events/s", "Azurite's CPU s/1,000");
        foreach (var turns in result.Drains.GroupBy(turn => turn.Target, StringComparer.Ordinal))
        {
            table.AddRow(
                turns.Key == Contestants.Raw ? "receive, insert, delete" : turns.Key,
                Text(Median(turns, turn => turn.Drained.PerSecond), "F0"),
                Text(Median(turns, turn => turn.AzuriteCpuPerThousand), "F3"));
        }

        return table;
    }

    private static double Median<T>(IEnumerable<T> turns, Func<T, double?> value) =>
        ComparisonResult.Median(turns.Select(value).OfType<double>());

    private static string Text(double value, string format) => double.IsNaN(value) ? "-" : value.ToString(format, CultureInfo.InvariantCulture);
}
