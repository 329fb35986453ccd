using Azure.Data.Tables;
using Azure.Storage.Queues;
using TeleCmi.LoadTest.Load;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LoadTest.Runs;

/// <summary>How long and how hard everything is tried.</summary>
internal sealed record Plan
{
    /// <summary>How often everything takes its turn.</summary>
    public required int Rounds { get; init; }

    /// <summary>Events per second, where the rate is fixed.</summary>
    public required double Rate { get; init; }

    /// <summary>How long the fixed rate lasts in each round.</summary>
    public required TimeSpan AtRate { get; init; }

    /// <summary>How long saturation lasts in each round.</summary>
    public required TimeSpan Saturated { get; init; }

    /// <summary>How long saturation lasts at first: so long does the runtime take to find its best code, and that does not count.</summary>
    public required TimeSpan WarmUp { get; init; }

    /// <summary>Connections at once.</summary>
    public int Connections { get; init; } = 32;

    /// <summary>Whether Flask and Express take part.</summary>
    public bool WithScripts { get; init; } = true;

    /// <summary>The most messages that a queue ever holds: those of one round.</summary>
    public int Depth => (int)(Rate * AtRate.TotalSeconds);
}

/// <summary>
/// Measures all targets in turns: each round every one at saturation, every one at the fixed rate, and then each queue is
/// emptied, which gives the rate of processing and keeps the queues shallow, because Azurite slows down with deep ones.
/// </summary>
internal sealed class Comparison(Contestants contestants, Plan plan)
{
    private readonly List<SaturationTurn> _saturation = [];
    private readonly List<RateTurn> _atRate = [];
    private readonly List<DrainTurn> _drains = [];
    private readonly List<long> _acknowledged = [];
    private long _next = 1;

    /// <summary>Seconds of load, for a progress bar.</summary>
    public double Length =>
        (contestants.All.Count(contestant => contestant.IsSaturated) * (plan.WarmUp + (plan.Rounds * plan.Saturated)).TotalSeconds)
        + ((plan.Rounds + 1) * contestants.All.Count * plan.AtRate.TotalSeconds);

    /// <summary>Runs it.</summary>
    /// <param name="progress">Told of seconds of load that are over, and of what is going on.</param>
    public async Task<ComparisonResult> RunAsync(Action<double, string> progress)
    {
        // Round 0 lets every process compile its code, and does not count.
        for (var round = 0; round <= plan.Rounds; round++)
        {
            // Whoever comes first in one round comes last in the next.
            var order = round % 2 == 0 ? contestants.All : [.. contestants.All.AsEnumerable().Reverse()];
            foreach (var contestant in order.Where(contestant => contestant.IsSaturated))
            {
                await SaturateAsync(contestant, round, progress);
            }

            foreach (var contestant in order)
            {
                await HoldRateAsync(contestant, round, progress);
            }
        }

        return new ComparisonResult(
            plan,
            [.. _saturation.OrderBy(turn => Place(turn.Target))],
            [.. _atRate.OrderBy(turn => Place(turn.Target))],
            [.. _drains.OrderBy(turn => Place(turn.Target))],
            await CountAsync());
    }

    private int Place(string target) => contestants.All.FindIndex(contestant => contestant.Name == target);

    private async Task SaturateAsync(Contestant contestant, int round, Action<double, string> progress)
    {
        using var senders = new Senders(contestant, plan.Connections);
        var before = await Cost.OfAsync(contestant);
        var own = Environment.CpuUsage.TotalTime;
        var (acknowledged, elapsed) = await ClosedLoop.RunAsync(senders.All, round == 0 ? plan.WarmUp : plan.Saturated, seconds => progress(seconds, $"{contestant.Name}, saturated"));
        var cost = (await Cost.OfAsync(contestant)).Since(before, acknowledged);
        if (round > 0)
        {
            _saturation.Add(new(round, contestant.Name, acknowledged / elapsed.TotalSeconds, cost, PerThousand(Environment.CpuUsage.TotalTime - own, acknowledged)));
        }
    }

    private async Task HoldRateAsync(Contestant contestant, int round, Action<double, string> progress)
    {
        using var senders = new Senders(contestant, 2 * plan.Connections);
        var schedule = new Schedule(_next, plan.Depth, plan.Rate);
        _next += schedule.Count;
        var before = await Cost.OfAsync(contestant);
        var azurite = contestants.Azurite.ProcessorTime;
        var result = await OpenLoop.RunAsync(senders.All, schedule, () => progress(1 / plan.Rate, $"{contestant.Name}, {plan.Rate}/s"));
        var cost = (await Cost.OfAsync(contestant)).Since(before, result.Acknowledged.Count);
        var azuriteCost = PerThousand(contestants.Azurite.ProcessorTime - azurite, result.Acknowledged.Count);
        if (contestant.Name == Contestants.Receiving)
        {
            _acknowledged.AddRange(result.Acknowledged);
        }

        if (round > 0)
        {
            _atRate.Add(new(round, contestant.Name, result, cost, azuriteCost));
        }

        if (contestant.Drain is { } drain && result.Acknowledged.Count > 0)
        {
            azurite = contestants.Azurite.ProcessorTime;
            var drained = await drain(result.Acknowledged.Count);
            azuriteCost = PerThousand(contestants.Azurite.ProcessorTime - azurite, drained.Processed);
            if (round > 0 && drained.Processed > 0)
            {
                _drains.Add(new(round, contestant.Name, drained, azuriteCost));
            }
        }
    }

    // The journal has one row for each event that was acknowledged, or something was lost or doubled.
    private async Task<Accounting> CountAsync()
    {
        await EmptyAsync();
        var rows = new List<long>();
        await foreach (var row in new TableClient(contestants.Azurite.ConnectionString, Journal.TableName)
            .QueryAsync<TableEntity>(select: [JournalRow.EventId]))
        {
            rows.Add(NumberedText.NumberIn(row.GetString(JournalRow.EventId)));
        }

        return new Accounting(
            _acknowledged.Count,
            _acknowledged.Except(rows).Count(),
            rows.Count - rows.Distinct().Count(),
            _drains.Sum(drain => drain.Drained.Duplicates));
    }

    // A message that was stored although its sender heard otherwise, or twice, takes another one's place when a queue is emptied by number.
    private async Task EmptyAsync()
    {
        var queue = new QueueClient(contestants.Azurite.ConnectionString, new StorageOptions().EventsQueue);
        while ((await queue.GetPropertiesAsync()).Value.ApproximateMessagesCount is > 0 and var left)
        {
            await contestants[Contestants.Receiving].Drain!(left);
        }
    }

    private static double PerThousand(TimeSpan time, long events) => time.TotalSeconds * 1000 / Math.Max(1, events);

    private sealed class Senders(Contestant contestant, int count) : IDisposable
    {
        public ISender[] All { get; } = [.. Enumerable.Range(0, count).Select(_ => contestant.Sender())];

        public void Dispose() => Array.ForEach(All, sender => sender.Dispose());
    }
}

/// <summary>What a process has used.</summary>
/// <param name="CpuSeconds">Processor time.</param>
/// <param name="AllocatedBytes">Allocations; null where it cannot tell.</param>
internal sealed record Cost(double CpuSeconds, double? AllocatedBytes)
{
    public static async Task<Cost> OfAsync(Contestant contestant) => new(
        contestant.ProcessorTime().TotalSeconds,
        contestant.AllocatedBytes is { } allocated ? await allocated() : null);

    /// <summary>The cost of a thousand events.</summary>
    public Cost Since(Cost before, long events) => new(
        (CpuSeconds - before.CpuSeconds) * 1000 / Math.Max(1, events),
        (AllocatedBytes - before.AllocatedBytes) * 1000 / Math.Max(1, events));
}

/// <summary>One target's turn at saturation.</summary>
internal sealed record SaturationTurn(int Round, string Target, double PerSecond, Cost PerThousand, double ClientCpuPerThousand);

/// <summary>One target's turn at the fixed rate.</summary>
internal sealed record RateTurn(int Round, string Target, LoadResult Load, Cost PerThousand, double AzuriteCpuPerThousand);

/// <summary>One emptying of a queue.</summary>
internal sealed record DrainTurn(int Round, string Target, Targets.Drained Drained, double AzuriteCpuPerThousand);

/// <summary>Whether everything that was acknowledged is in the journal, once.</summary>
/// <param name="Acknowledged">Events that the LocalHost acknowledged.</param>
/// <param name="Lost">Those without a row.</param>
/// <param name="RowsTooMany">Rows beyond one for each event.</param>
/// <param name="DeliveredAgain">Messages whose event was in the journal already.</param>
internal sealed record Accounting(int Acknowledged, int Lost, int RowsTooMany, int DeliveredAgain);
