using Microsoft.Extensions.Options;
using TeleCmi.LoadTest.Load;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Azure;
using TeleCmi.Storage.Sqlite;

namespace TeleCmi.LoadTest.Runs;

/// <summary>How long and how hard everything is tried.</summary>
/// <param name="Rounds">How often everything takes its turn.</param>
/// <param name="Rate">Events per second, where the rate is fixed.</param>
/// <param name="AtRate">How long the fixed rate lasts in each round.</param>
/// <param name="Saturated">How long saturation lasts in each round.</param>
/// <param name="WarmUp">How long saturation lasts at first: so long does the runtime take to find its best code, and that does not count.</param>
/// <param name="WithFlask">Whether Flask takes part.</param>
internal sealed record Plan(int Rounds, double Rate, TimeSpan AtRate, TimeSpan Saturated, TimeSpan WarmUp, bool WithFlask)
{
    /// <summary>Connections at once.</summary>
    public int Connections { get; init; } = 64;
}

/// <summary>One contestant's turn: what it did at saturation, at the fixed rate, and how fast it processed what it had received.</summary>
internal sealed record Turn(
    int Round, string Target, double PerSecond, double CpuSecondsPerThousand, double KibibytesPerEvent, Latencies? Latencies, int NotAcknowledged, double? ProcessedPerSecond);

/// <summary>
/// Measures all contestants in turns. What a LocalHost received is processed before the next one's turn, which gives the rate
/// of processing, and at the end the journals are compared with what was acknowledged.
/// </summary>
internal sealed class Comparison(Contestants contestants, Plan plan)
{
    private readonly Dictionary<Contestant, List<long>> _acknowledged = contestants.All.Where(contestant => contestant.Storage is not null)
        .ToDictionary(contestant => contestant, _ => new List<long>());

    private long _next = 1;

    /// <summary>Seconds of load, for a progress bar.</summary>
    public double Length => contestants.All.Count * (plan.WarmUp + (plan.Rounds * plan.Saturated) + ((plan.Rounds + 1) * plan.AtRate)).TotalSeconds;

    /// <summary>Runs it.</summary>
    /// <param name="progress">Told of seconds of load that are over, and of what is going on.</param>
    public async Task<ComparisonResult> RunAsync(Action<double, string> progress)
    {
        var turns = new List<Turn>();
        for (var round = 0; round <= plan.Rounds; round++)
        {
            // Whoever comes first in one round comes last in the next.
            foreach (var contestant in round % 2 == 0 ? contestants.All : [.. contestants.All.AsEnumerable().Reverse()])
            {
                var turn = await TakeTurnAsync(contestant, round, progress);
                if (round > 0)
                {
                    // Round 0 lets every process compile its code, and does not count.
                    turns.Add(turn);
                }
            }
        }

        var (lost, doubled) = await CountAsync();
        return new ComparisonResult(plan, [.. contestants.All.Select(contestant => contestant.Name)], turns, _acknowledged.Values.Sum(numbers => numbers.Count), lost, doubled);
    }

    private async Task<Turn> TakeTurnAsync(Contestant contestant, int round, Action<double, string> progress)
    {
        var (cpu, allocated) = (contestant.Process.ProcessorTime, await contestant.Process.AllocatedBytesAsync());
        var (numbers, elapsed) = await SaturateAsync(contestant, round == 0 ? plan.WarmUp : plan.Saturated, progress);
        var cpuPerThousand = (contestant.Process.ProcessorTime - cpu).TotalSeconds * 1000 / Math.Max(1, numbers.Count);
        var kibibytes = (await contestant.Process.AllocatedBytesAsync() - allocated) / 1024.0 / Math.Max(1, numbers.Count);
        var rated = contestant.IsRated ? await HoldRateAsync(contestant, progress) : null;
        numbers.AddRange(rated?.Acknowledged ?? []);
        double? processed = null;
        if (contestant.Storage is not null && numbers.Count > 0)
        {
            _acknowledged[contestant].AddRange(numbers);
            processed = (await contestant.DrainAsync(numbers.Count)).PerSecond;
        }

        return new Turn(
            round, contestant.Name, (numbers.Count - (rated?.Acknowledged.Count ?? 0)) / elapsed.TotalSeconds, cpuPerThousand, kibibytes,
            rated?.Latencies, rated is null ? 0 : rated.Sent - rated.Acknowledged.Count, processed);
    }

    private async Task<(List<long> Acknowledged, TimeSpan Elapsed)> SaturateAsync(Contestant contestant, TimeSpan duration, Action<double, string> progress)
    {
        using var senders = new Senders(contestant, plan.Connections);
        var (acknowledged, elapsed) = await ClosedLoop.RunAsync(senders.All, _next, duration);
        _next += ClosedLoop.MostEvents;
        progress(duration.TotalSeconds, $"{contestant.Name}, saturated");
        return (acknowledged, elapsed);
    }

    private async Task<LoadResult> HoldRateAsync(Contestant contestant, Action<double, string> progress)
    {
        using var senders = new Senders(contestant, 2 * plan.Connections);
        var schedule = new Schedule(_next, (int)(plan.Rate * plan.AtRate.TotalSeconds), plan.Rate);
        _next += schedule.Count;
        return await OpenLoop.RunAsync(senders.All, schedule, () => progress(1 / plan.Rate, $"{contestant.Name}, {plan.Rate}/s"));
    }

    // A journal has one row for each event that was acknowledged, or something was lost or doubled.
    private async Task<(int Lost, int Doubled)> CountAsync()
    {
        var (lost, doubled) = (0, 0);
        foreach (var (contestant, acknowledged) in _acknowledged)
        {
            var rows = new List<long>();
            using var sqlite = SqliteStore.TryParse(contestant.Storage, out var file, out _) ? new SqliteStore(file, TimeProvider.System) : null;
            IStore store = sqlite is not null ? sqlite : new AzureStore(Options.Create(new AzureStorageOptions { ConnectionString = contestant.Storage }));
            await foreach (var row in store.Table(Journal.TableName).RowsAsync(new TableQuery { Columns = [JournalColumns.EventId] }, CancellationToken.None))
            {
                rows.Add(NumberedText.NumberIn(row.Text(JournalColumns.EventId)!));
            }

            var missing = acknowledged.Except(rows).Count();
            if (missing > 0)
            {
                Console.Error.WriteLine($"{contestant.Name}: {missing} acknowledged events are not in the journal.");
            }

            lost += missing;
            doubled += rows.Count - rows.Distinct().Count();
        }

        return (lost, doubled);
    }

    private sealed class Senders(Contestant contestant, int count) : IDisposable
    {
        public ISender[] All { get; } = [.. Enumerable.Range(0, count).Select(_ => contestant.NewSender())];

        public void Dispose() => Array.ForEach(All, sender => sender.Dispose());
    }
}
