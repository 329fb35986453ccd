using System.Globalization;
using Azure.Data.Tables;

namespace TeleCmi.FaultHost;

/// <summary>Where every event of a fault run has ended.</summary>
public sealed record FaultReport
{
    public required int Seed { get; init; }

    public required TimeSpan Elapsed { get; init; }

    /// <summary>Every id that was sent, and whether it was acknowledged.</summary>
    public required IReadOnlyDictionary<string, bool> Sent { get; init; }

    /// <summary>What each event asked the handler to do.</summary>
    public required IReadOnlyDictionary<string, string> Wishes { get; init; }

    public required long Requests { get; init; }

    public required long Refusals { get; init; }

    public required long Breaks { get; init; }

    public required int Kills { get; init; }

    public required int Outages { get; init; }

    public required int Restarts { get; init; }

    public required long Delays { get; init; }

    public required long Drops { get; init; }

    public required long Cuts { get; init; }

    /// <summary>How often a host was found dead that nobody had killed.</summary>
    public required int OwnCrashes { get; init; }

    public required int LeftInQueues { get; init; }

    public required IReadOnlyList<TableEntity> Journal { get; init; }

    public required IReadOnlyList<TableEntity> DeadLetters { get; init; }

    public required IReadOnlyList<string> Begun { get; init; }

    public required IReadOnlyList<string> Effects { get; init; }

    /// <summary>Every way in which the promise was broken; empty when it was kept.</summary>
    public IReadOnlyList<string> Faults =>
    [
        .. Named("lost", Lost),
        .. Named("more than one journal row", Repeated(Journal)),
        .. Named("more than one dead letter", Repeated(DeadLetters)),
        .. Named("finished and a dead letter", Finished.Intersect(Dead, StringComparer.Ordinal)),
        .. Named("finished without its effect", Finished.Except(Effects, StringComparer.Ordinal)),
        .. Named("not of this run", Finished.Union(Dead, StringComparer.Ordinal).Except(Sent.Keys, StringComparer.Ordinal)),
        .. LeftInQueues == 0 ? (string[])[] : [$"{LeftInQueues} messages left in the queues"],
        .. OwnCrashes == 0 ? (string[])[] : [$"the host crashed {OwnCrashes} times by itself"],
    ];

    private IEnumerable<string> Acknowledged => Sent.Where(sent => sent.Value).Select(sent => sent.Key);

    private HashSet<string> Finished =>
        Journal.Where(row => row.GetDateTimeOffset("ProcessedAt") is not null).Select(row => row.GetString("EventId")).ToHashSet(StringComparer.Ordinal);

    private HashSet<string> Dead => DeadLetters.Select(row => row.GetString("EventId")).ToHashSet(StringComparer.Ordinal);

    private IEnumerable<string> Lost => Acknowledged.Except(Finished, StringComparer.Ordinal).Except(Dead, StringComparer.Ordinal);

    /// <summary>The report as a Markdown table.</summary>
    public string ToTable()
    {
        var acknowledged = Acknowledged.ToHashSet(StringComparer.Ordinal);
        var effects = Effects.CountBy(id => id, StringComparer.Ordinal).ToList();
        (string What, long Count)[] rows =
        [
            ("seconds", (long)Elapsed.TotalSeconds),
            ("events sent", Sent.Count),
            ("requests sent (resends included)", Requests),
            ("requests answered with 503 or another refusal", Refusals),
            ("requests that broke off without an answer", Breaks),
            ("host killed hard", Kills),
            ("storage refused", Outages),
            ("Azurite stopped and restarted on its data", Restarts),
            ("chunks to or from storage delayed", Delays),
            ("chunks to or from storage dropped", Drops),
            ("replies or requests cut", Cuts),
            ("**acknowledged events**", acknowledged.Count),
            ("… finished in the journal", acknowledged.Count(Finished.Contains)),
            ("… in dead letters", acknowledged.Count(Dead.Contains)),
            ("… … whose handler always fails", acknowledged.Count(id => Dead.Contains(id) && Wishes[id] is "fail:always")),
            ("… … whose handler fails twice in each process", acknowledged.Count(id => Dead.Contains(id) && Wishes[id] is "fail:2")),
            ("… … delivered five times without an end", acknowledged.Count(id => Dead.Contains(id) && !Wishes[id].StartsWith("fail:", StringComparison.Ordinal))),
            ("… **lost**", Lost.Count()),
            ("… **in both**", Finished.Intersect(Dead, StringComparer.Ordinal).Count()),
            ("… **with more than one row**", Repeated(Journal).Union(Repeated(DeadLetters), StringComparer.Ordinal).Count()),
            ("not acknowledged, yet stored and processed", Finished.Union(Dead, StringComparer.Ordinal).Except(acknowledged, StringComparer.Ordinal).Count()),
            ("handler runs begun", Begun.Count),
            ("events with the handler's effect, guarded by id", effects.Count),
            ("effects that ran again (at least once: what the guard is for)", Effects.Count - effects.Count),
            ("finished without the effect", Finished.Except(Effects, StringComparer.Ordinal).Count()),
            ("left in the queues", LeftInQueues),
            ("crashes that nobody caused", OwnCrashes),
        ];
        var lines = rows.Select(row => string.Create(CultureInfo.InvariantCulture, $"| {row.What} | {row.Count:N0} |"));
        return string.Join(Environment.NewLine, [$"Seed {Seed}:", "", "| what | count |", "| --- | ---: |", .. lines, .. Faults.Select(fault => $"FAULT: {fault}")]);
    }

    private static IEnumerable<string> Repeated(IReadOnlyList<TableEntity> rows) =>
        rows.CountBy(row => row.GetString("EventId"), StringComparer.Ordinal).Where(count => count.Value > 1).Select(count => count.Key);

    private static IEnumerable<string> Named(string fault, IEnumerable<string> ids) => ids.Select(id => $"{fault}: {id}");
}
