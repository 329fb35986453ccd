using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using TeleCmi.LoadTest.Load;
using TeleCmi.LoadTest.Reports;
using TeleCmi.LoadTest.Targets;
using TeleCmi.TestSupport;

namespace TeleCmi.LoadTest.Runs;

/// <summary>How long an event takes from TeleCMI's request until the receiver that it is forwarded to has it: the LocalHost beside the least program, in turns.</summary>
internal static class ForwardLatencyCommand
{
    private const double Bar = 1.3;
    private const int Connections = 16;

    private static readonly string[] Names =
    [
        ForwardTargets.Direct, ForwardTargets.Least, ForwardTargets.Embedded, ForwardTargets.EmbeddedQueued, ForwardTargets.OnAzurite, ForwardTargets.OnAzuriteQueued,
    ];

    public static Command Create()
    {
        var rounds = new Option<int>("--rounds") { Description = "How often every target takes its turn.", DefaultValueFactory = _ => 7 };
        var seconds = new Option<double>("--seconds") { Description = "Seconds of each turn.", DefaultValueFactory = _ => 4 };
        var rate = new Option<double>("--rate") { Description = "Events per second.", DefaultValueFactory = _ => 20 };
        var data = new Option<string>("--data") { Description = "The folder in which the targets write: on the disk that is measured.", DefaultValueFactory = _ => Path.GetTempPath() };
        var command = new Command("forward-latency", "From the request until the receiver of a forward has the event; about four minutes.") { rounds, seconds, rate, data };
        command.SetAction((parsed, _) => RunAsync(
            parsed.GetValue(rounds), parsed.GetValue(seconds), parsed.GetValue(rate), Path.Combine(parsed.GetRequiredValue(data), $"telecmi-forward-{Guid.NewGuid():N}")));
        return command;
    }

    private static async Task<int> RunAsync(int rounds, double seconds, double rate, string folder)
    {
        Directory.CreateDirectory(folder);
        try
        {
            await using var receiver = await ForwardReceiver.StartAsync();
            await using var azurite = await Azurite.StartAsync(Repository.Find(), AzuritePorts.Any, Path.Combine(folder, "azurite"), Console.Error.WriteLine, CancellationToken.None);
            await using var otherAzurite = await Azurite.StartAsync(Repository.Find(), AzuritePorts.Any, Path.Combine(folder, "azurite2"), Console.Error.WriteLine, CancellationToken.None);
            var targets = new List<Target>();
            try
            {
                foreach (var name in Names)
                {
                    var storage = name switch
                    {
                        ForwardTargets.OnAzurite => azurite.ConnectionString,
                        ForwardTargets.OnAzuriteQueued => otherAzurite.ConnectionString,
                        _ => $"sqlite:{Path.Combine(folder, $"{targets.Count}", "telecmi.db")}",
                    };
                    targets.Add(new(name, await TargetProcess.StartOwnAsync(name, "--file", Path.Combine(folder, "unused"), "--storage", storage, "--forward", receiver.Address.AbsoluteUri)));
                }

                await ProgressBar.ShowAsync((rounds + 1) * targets.Count, progress => MeasureAsync(targets, receiver, rounds, seconds, rate, progress));
                return Report(targets, receiver, rounds, rate);
            }
            finally
            {
                foreach (var target in targets)
                {
                    await target.Process.DisposeAsync();
                }
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<int> MeasureAsync(List<Target> targets, ForwardReceiver receiver, int rounds, double seconds, double rate, Action<double, string> progress)
    {
        var next = 1L;

        // Round 0 lets every process compile its code, and does not count.
        for (var round = 0; round <= rounds; round++)
        {
            foreach (var target in round % 2 == 0 ? targets : targets.AsEnumerable().Reverse())
            {
                var senders = Enumerable.Range(0, Connections).Select(_ => receiver.Timed(new HttpSender(target.Process.Address))).ToArray();
                var schedule = new Schedule(next, (int)(rate * seconds), rate);
                next += schedule.Count;
                var load = await OpenLoop.RunAsync(senders, schedule, () => { });
                Array.ForEach(senders, sender => sender.Dispose());
                var latencies = await receiver.LatenciesOfAsync(load.Acknowledged);
                target.NotDelivered += load.Acknowledged.Count - latencies.Count;
                if (round > 0)
                {
                    target.Turns.Add(Latencies.Of(latencies));
                }

                progress(1, target.Name);
            }
        }

        return rounds;
    }

    private static int Report(List<Target> targets, ForwardReceiver receiver, int rounds, double rate)
    {
        var least = targets.Single(target => target.Name == ForwardTargets.Least);
        var table = Tables.New(
            string.Create(CultureInfo.InvariantCulture, $"From the request until the receiver has it; medians of {rounds} rounds at {rate}/s"), "p50 ms", "p95 ms", "p50, ratio", "p95, ratio", "not delivered");
        foreach (var target in targets)
        {
            table.AddRow(
                Markup.Escape(target.Name), Text(target.Median(turn => turn.P50)), Text(target.Median(turn => turn.P95)),
                Text(target.Ratio(least, turn => turn.P50)), Text(target.Ratio(least, turn => turn.P95)), $"{target.NotDelivered}");
        }

        AnsiConsole.Write(table);
        var ratio = targets.Single(target => target.Name == ForwardTargets.Embedded).Ratio(least, turn => turn.P50);
        var isMet = ratio <= Bar && targets.TrueForAll(target => target.NotDelivered == 0);
        AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"p50, LocalHost on the embedded store / least program: {ratio:F2} (bar: at most {Bar}) {(isMet ? "met" : "MISSED")}; came twice: {receiver.Repeats}");
        return isMet ? 0 : 1;
    }

    private static string Text(double value) => value.ToString("F2", CultureInfo.InvariantCulture);

    private sealed record Target(string Name, TargetProcess Process)
    {
        public List<Latencies> Turns { get; } = [];

        public int NotDelivered { get; set; }

        public double Median(Func<Latencies, double> value) => ComparisonResult.Median(Turns.Select(value));

        // Round by round, so that what else the machine was doing falls on both.
        public double Ratio(Target other, Func<Latencies, double> value) => ComparisonResult.Median(Turns.Zip(other.Turns, (ours, theirs) => value(ours) / value(theirs)));
    }
}
