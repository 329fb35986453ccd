using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using TeleCmi.LoadTest.Reports;
using TeleCmi.Pipeline;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Reconciling;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Sqlite;
using TeleCmi.TestSupport;

namespace TeleCmi.LoadTest.Runs;

/// <summary>
/// Reads the calls of whole days from the embedded store, beside a bare read of the same rows and columns, in turns; then compares
/// a day with a stand-in for TeleCMI's call reports.
/// </summary>
internal static class CallsCommand
{
    private const int NoticesPerCall = 8;
    private const double Bar = 5;

    // However many days are read, one must not need much more memory for them than for one.
    private const double FlatBar = 1.25;

    // The day that is read; the days before it and the one after it are as full, as in a running business.
    private static readonly DateOnly Day = new(2026, 3, 10);

    public static Command Create()
    {
        var events = new Option<int>("--events") { Description = "Events of one day.", DefaultValueFactory = _ => 50_000 };
        var days = new Option<int>("--days") { Description = "Days with as many events, at least three.", DefaultValueFactory = _ => 6 };
        var runs = new Option<int>("--runs") { Description = "Readings of each kind.", DefaultValueFactory = _ => 9 };
        var command = new Command("calls", "Fills an embedded store with whole calls, reads a day of them, and reconciles it.") { events, days, runs };
        command.SetAction((parsed, cancellation) => RunAsync(parsed.GetValue(events), parsed.GetValue(days), parsed.GetValue(runs), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(int events, int days, int runs, CancellationToken cancellation)
    {
        var folder = Directory.CreateTempSubdirectory("telecmi-calls-").FullName;
        try
        {
            await using var store = new SqliteStore(Path.Combine(folder, "telecmi.db"), TimeProvider.System);
            await using var reports = await ReportServer.StartAsync();
            var perDay = events / NoticesPerCall;
            await ProgressBar.ShowAsync(days * perDay, progress => FillAsync(store, reports, perDay, days, progress, cancellation));
            return await MeasureAsync(store, reports, perDay, days, runs, cancellation);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<int> FillAsync(SqliteStore store, ReportServer reports, int calls, int days, Action<double, string> progress, CancellationToken cancellation)
    {
        var journal = new Journal(store, TimeProvider.System);
        for (var back = 0; back < days; back++)
        {
            var midnight = new DateTimeOffset(Day.AddDays(1 - back), default, TimeSpan.Zero);
            await Parallel.ForEachAsync(
                Enumerable.Range(0, calls),
                new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = cancellation },
                async (number, token) =>
                {
                    // Spread over the day, but for its last hour: every call ends on the day on which it began.
                    var start = midnight.AddSeconds((int)(number * 82_800.0 / calls));
                    var call = new CallScenario(start).Reached();
                    reports.Add("out_answered", start, call.LegB);
                    foreach (var callEvent in call.Events)
                    {
                        await journal.RecordAsync(callEvent, [], TimeSpan.Zero, token);
                    }

                    progress(1, "writing");
                });
        }

        return days;
    }

    private static async Task<int> MeasureAsync(SqliteStore store, ReportServer reports, int calls, int days, int runs, CancellationToken cancellation)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var reader = new CallReader(store, TimeProvider.System);
        var day = new CallFilter { To = Day };
        var journal = store.Table(Journal.TableName);
        var bare = new TableQuery { PartitionFrom = UtcDay.Of(Day), PartitionTo = UtcDay.Of(Day), Columns = CallNotice.Columns };
        Reading[] readings =
        [
            new("bare read, the columns of calls", () => journal.RowsAsync(bare, cancellation).CountAsync(cancellation)),
            new("bare read, every column", () => journal.RowsAsync(bare with { Columns = null }, cancellation).CountAsync(cancellation)),
            new("calls", () => reader.QueryAsync(day, cancellation).CountAsync(cancellation)),
        ];

        // The first turn compiles the code and reads the file into memory.
        for (var run = -1; run < runs; run++)
        {
            foreach (var reading in readings)
            {
                var began = Stopwatch.GetTimestamp();
                reading.Count = await reading.Read();
                if (run >= 0)
                {
                    reading.Took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                }
            }
        }

        var one = await UseOfAsync(reader.QueryAsync(day, cancellation), before);
        var all = await UseOfAsync(reader.QueryAsync(day with { From = Day.AddDays(2 - days) }, cancellation), before);
        var isMet = Report(readings, calls, one.MostMemory, all.MostMemory, days - 1);

        await using var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder()
                .AddInMemoryCollection(reports.Settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value)))
                .Build())
            .AddLogging()
            .AddSingleton(TimeProvider.System)
            .AddSingleton<IStore>(store)
            .AddTeleCmiPipeline()
            .BuildServiceProvider();
        var compared = services.GetRequiredService<Reconciler>().CompareAsync(UtcDay.StartOf(Day), UtcDay.StartOf(Day.AddDays(1)), cancellation);
        before = GC.GetTotalMemory(forceFullCollection: true);
        var matched = await UseOfAsync(compared.Where(call => call.State is ReconcileState.Matched), before);
        isMet &= matched.Items == calls;
        AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"in use while one day is reconciled: {matched.MostMemory / 1e6:F0} MB ({matched.Items:N0} of {calls:N0} calls matched)");
        AnsiConsole.MarkupLine(isMet ? "met" : "MISSED");
        return isMet ? 0 : 1;
    }

    // What is still in use while the calls come, besides what was before anything was read.
    private static async Task<Use> UseOfAsync<T>(IAsyncEnumerable<T> calls, long before)
    {
        const int Every = 1000;
        long most = 0;
        var count = 0;
        await foreach (var call in calls)
        {
            if (count++ % Every == 0)
            {
                most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
            }

            GC.KeepAlive(call);
        }

        return new Use(most, count);
    }

    private static bool Report(Reading[] readings, int calls, long one, long all, int days)
    {
        var table = Tables.New($"A day of {readings[0].Count:N0} events", "rows or calls", "median ms", "fastest ms", "ratio of medians", "ratio of fastest");
        foreach (var reading in readings)
        {
            table.AddRow(
                reading.Name, Text(reading.Count, "N0"), Text(reading.Median, "F0"), Text(reading.Took.Min(), "F0"),
                Text(reading.Median / readings[0].Median, "F2"), Text(reading.Took.Min() / readings[0].Took.Min(), "F2"));
        }

        AnsiConsole.Write(table);
        var ratio = readings[^1].Median / readings[0].Median;
        var growth = (double)all / one;
        AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"calls / bare read: {ratio:F2} (bar: at most {Bar})");
        AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"in use while reading: one day {one / 1e6:F0} MB, {days} days {all / 1e6:F0} MB, {growth:F2} x (bar: at most {FlatBar})");
        return readings[^1].Count == calls && ratio <= Bar && growth <= FlatBar;
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private sealed record Use(long MostMemory, int Items);

    private sealed record Reading(string Name, Func<ValueTask<int>> Read)
    {
        public int Count { get; set; }

        public List<double> Took { get; } = [];

        public double Median => ComparisonResult.Median(Took);
    }
}
