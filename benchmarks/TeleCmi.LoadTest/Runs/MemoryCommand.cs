using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Azure.Data.Tables;
using Azure.Storage.Queues;
using Spectre.Console;
using TeleCmi.LoadTest.Load;
using TeleCmi.LoadTest.Reports;
using TeleCmi.LoadTest.Targets;
using TeleCmi.LocalHost;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LoadTest.Runs;

/// <summary>The LocalHost's resident memory: minutes of steady load, received and processed, then a flood of bodies that are too large.</summary>
internal static class MemoryCommand
{
    private const int FloodConnections = 64;
    private const int FloodBodyBytes = 32 * 1024;
    private const double FlatnessBar = 1.10;
    private const double FloodBarMiB = 64;

    private static readonly TimeSpan FloodLength = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SampleInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DrainDeadline = TimeSpan.FromMinutes(5);

    public static Command Create()
    {
        var minutes = new Option<double>("--minutes") { Description = "How long the steady load lasts.", DefaultValueFactory = _ => 10 };
        var rate = new Option<double>("--rate") { Description = "Events per second.", DefaultValueFactory = _ => 50 };
        var output = new Option<string>("--output") { Description = "The folder for the JSON and the plot.", DefaultValueFactory = _ => "." };
        var command = new Command("memory", "Watches the LocalHost's resident memory under load.") { minutes, rate, output };
        command.SetAction((parsed, _) => RunAsync(TimeSpan.FromMinutes(parsed.GetValue(minutes)), parsed.GetValue(rate), parsed.GetRequiredValue(output)));
        return command;
    }

    private static async Task<int> RunAsync(TimeSpan length, double rate, string output)
    {
        await using var azurite = await Azurite.StartAsync(Repository.Find(), AzuritePorts.Any, dataFolder: null, Console.Error.WriteLine, CancellationToken.None);
        await using var target = await TargetProcess.StartOwnAsync(TargetHost.Whole, "--storage", azurite.ConnectionString);
        var (steady, flood, lost) = await ProgressBar.ShowAsync(length.TotalSeconds + FloodLength.TotalSeconds, async progress =>
        {
            using var senders = new Senders(() => new HttpSender(target.Address, NumberedText.Body));
            var schedule = new Schedule(1, (int)(length.TotalSeconds * rate), rate);
            var steady = await WatchAsync(target, () => OpenLoop.RunAsync(senders.All, schedule, () => progress(1 / rate, "steady load")));
            var lost = await CountLostAsync(azurite.ConnectionString, steady.Result.Acknowledged);
            using var flooders = new Senders(() => new FloodSender(target.Address));
            var flood = await WatchAsync(target, () => ClosedLoop.RunAsync(flooders.All, FloodLength, seconds => progress(seconds, "flood")));
            return (steady, flood, lost);
        });
        return await ReportAsync(steady, flood, lost, output);
    }

    private static async Task<Watched<T>> WatchAsync<T>(TargetProcess target, Func<Task<T>> load)
    {
        var began = Stopwatch.GetTimestamp();
        var samples = new List<(double Minutes, double MiB)>();
        var loading = Task.Run(load);
        while (await Task.WhenAny(loading, Task.Delay(SampleInterval)) != loading)
        {
            samples.Add((Stopwatch.GetElapsedTime(began).TotalMinutes, target.ResidentBytes / 1024.0 / 1024.0));
        }

        return new(await loading, samples);
    }

    // The acknowledged events that are neither in the journal nor, at the deadline, still in the queue.
    private static async Task<int> CountLostAsync(string storage, IReadOnlyCollection<long> acknowledged)
    {
        var queue = new QueueClient(storage, new StorageOptions().EventsQueue);
        var began = Stopwatch.GetTimestamp();
        int waiting;
        while ((waiting = (await queue.GetPropertiesAsync()).Value.ApproximateMessagesCount) > 0 && Stopwatch.GetElapsedTime(began) < DrainDeadline)
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
        }

        var journaled = await new TableClient(storage, Journal.TableName)
            .QueryAsync<TableEntity>(select: [JournalRow.EventId])
            .Select(row => NumberedText.NumberIn(row.GetString(JournalRow.EventId)))
            .ToHashSetAsync();
        return Math.Max(0, acknowledged.Count(number => !journaled.Contains(number)) - waiting);
    }

    private static async Task<int> ReportAsync(Watched<LoadResult> steady, Watched<(long Refused, TimeSpan Elapsed)> flood, int lost, string output)
    {
        // The first fifth is the start: code is compiled, buffers are made.
        var fifth = steady.Samples.Count / 5;
        var before = ComparisonResult.Median(steady.Samples.Skip(fifth).Take(fifth).Select(sample => sample.MiB));
        var after = ComparisonResult.Median(steady.Samples.TakeLast(fifth).Select(sample => sample.MiB));
        var peak = flood.Samples.Max(sample => sample.MiB);
        Bar[] bars =
        [
            new("resident memory, last fifth of the steady load / second fifth", after / before, FlatnessBar, IsLeast: false),
            new("MiB more at the flood's peak than under the steady load", peak - after, FloodBarMiB, IsLeast: false),
            new("acknowledged events lost", lost, 0, IsLeast: false),
        ];

        AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"Steady: {steady.Result.Sent} events at {steady.Result.Throughput:F1}/s, {steady.Result.Sent - steady.Result.Acknowledged.Count} not acknowledged, p50 {steady.Result.Latencies.P50:F1} ms, p99 {steady.Result.Latencies.P99:F1} ms; {before:F0} MiB, later {after:F0} MiB");
        AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"Flood: {flood.Result.Refused / flood.Result.Elapsed.TotalSeconds:F0} bodies of {FloodBodyBytes} bytes refused per second; peak {peak:F0} MiB");
        var table = Tables.New("Bars", "measured", "at most", "");
        foreach (var bar in bars)
        {
            table.AddRow(bar.Name, bar.Value.ToString("F2", CultureInfo.InvariantCulture), bar.Limit.ToString(CultureInfo.InvariantCulture), bar.IsMet ? "met" : "MISSED");
        }

        AnsiConsole.Write(table);
        Directory.CreateDirectory(output);
        Plots.SaveMemory(
            Path.Combine(output, "memory.svg"),
            [
                (string.Create(CultureInfo.InvariantCulture, $"{steady.Result.Throughput:F0} events/s received and processed"), steady.Samples),
                ("flood of 32 KiB bodies, all refused", [.. flood.Samples.Select(sample => (sample.Minutes + steady.Samples[^1].Minutes, sample.MiB))]),
            ]);
        await File.WriteAllTextAsync(
            Path.Combine(output, "memory.json"),
            JsonSerializer.Serialize(new { unit = "MiB", before, after, peak, steady = steady.Samples.Select(sample => sample.MiB), flood = flood.Samples.Select(sample => sample.MiB), bars }, Json.Options));
        return bars.All(bar => bar.IsMet) ? 0 : 1;
    }

    private sealed record Watched<T>(T Result, List<(double Minutes, double MiB)> Samples);

    private sealed class Senders(Func<ISender> create) : IDisposable
    {
        public ISender[] All { get; } = [.. Enumerable.Range(0, FloodConnections).Select(_ => create())];

        public void Dispose() => Array.ForEach(All, sender => sender.Dispose());
    }

    private sealed class FloodSender(Uri address) : ISender
    {
        private const int TooLarge = 413;

        private static readonly byte[] Body = new byte[FloodBodyBytes];

        private readonly HttpConnection _connection = new(address);

        public async Task<bool> SendAsync(long number)
        {
            try
            {
                return await _connection.PostAsync(Body) == TooLarge;
            }
            catch (IOException)
            {
                // The server may close a connection whose body it has refused.
                return false;
            }
        }

        public void Dispose() => _connection.Dispose();
    }
}
