using System.Globalization;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.FaultHost;

/// <summary>Where every event of a fault run has ended.</summary>
public sealed record FaultReport
{
    // As many as a host has in work at once, of events and of forwards.
    private const int MostInWork = 2 * PipelineQueues.MaxInFlight;

    public required int Seed { get; init; }

    public required TimeSpan Elapsed { get; init; }

    /// <summary>Every id that was sent, and whether it was acknowledged.</summary>
    public required IReadOnlyDictionary<string, bool> Sent { get; init; }

    /// <summary>What each event asked the handler to do.</summary>
    public required IReadOnlyDictionary<string, string> Wishes { get; init; }

    /// <summary>What was done, and what the senders saw of it.</summary>
    public required IReadOnlyList<(string What, long Count)> Disturbances { get; init; }

    /// <summary>How many disturbances there were that excuse what was in work for being done again; null: it is not known.</summary>
    public required int? MayRepeat { get; init; }

    /// <summary>Whether the table of deliveries was out of reach for a while: a delivery whose note fails is not made again.</summary>
    public required bool MayMissNotes { get; init; }

    /// <summary>How often a host was found dead that nobody had killed.</summary>
    public required int OwnCrashes { get; init; }

    public required int LeftInQueues { get; init; }

    public required IReadOnlyList<TableRow> Journal { get; init; }

    /// <summary>Events that failed too often.</summary>
    public required IReadOnlyList<TableRow> DeadLetters { get; init; }

    /// <summary>The ids of the events that could not be forwarded.</summary>
    public required IReadOnlyList<string> DeadForwards { get; init; }

    /// <summary>The id of each delivery that the receiver has acknowledged.</summary>
    public required IReadOnlyList<string> Delivered { get; init; }

    /// <summary>What the product says of them.</summary>
    public required IReadOnlyList<Delivery> Deliveries { get; init; }

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
        .. Named("finished without its forward", NotForwarded),
        .. Named("more than one entry in Deliveries", Repeated(Deliveries.Select(delivery => delivery.EventId))),
        .. Named("delivered without its entry in Deliveries", MayMissNotes ? [] : NotNoted),
        .. Named("an entry in Deliveries that says so without a delivery", Noted.Except(Delivered, StringComparer.Ordinal)),
        .. Named("not of this run", Finished.Union(Dead, StringComparer.Ordinal).Except(Sent.Keys, StringComparer.Ordinal)),
        .. Named("repeated although nothing disturbed it", MayRepeat * MostInWork < Again(Effects) ? ["effects"] : []),
        .. Named("repeated although nothing disturbed it", MayRepeat * MostInWork < Again(Delivered) ? ["forwards"] : []),
        .. LeftInQueues == 0 ? (string[])[] : [$"{LeftInQueues} messages left in the queues"],
        .. OwnCrashes == 0 ? (string[])[] : [$"the host crashed {OwnCrashes} times by itself"],
    ];

    private IEnumerable<string> Acknowledged => Sent.Where(sent => sent.Value).Select(sent => sent.Key);

    private HashSet<string> Finished => Journal.Where(row => row.Time("ProcessedAt") is not null).Select(row => row.Text("EventId")!).ToHashSet(StringComparer.Ordinal);

    private HashSet<string> Dead => DeadLetters.Select(row => row.Text("EventId")!).ToHashSet(StringComparer.Ordinal);

    private IEnumerable<string> Lost => Acknowledged.Except(Finished, StringComparer.Ordinal).Except(Dead, StringComparer.Ordinal);

    private IEnumerable<string> Noted => Deliveries.Where(delivery => delivery.State == DeliveryState.Delivered).Select(delivery => delivery.EventId);

    // A forward that was killed five times is given up, and nobody knows whether the receiver has it: so say its entry and its dead letter.
    private IEnumerable<string> NotKnown => Deliveries.Where(delivery => delivery.State == DeliveryState.Failed).Select(delivery => delivery.EventId).Intersect(DeadForwards, StringComparer.Ordinal);

    private IEnumerable<string> NotNoted => Delivered.Except(Noted, StringComparer.Ordinal).Except(NotKnown, StringComparer.Ordinal);

    private IEnumerable<string> NotForwarded => Finished.Except(Delivered, StringComparer.Ordinal).Except(DeadForwards, StringComparer.Ordinal);

    /// <summary>The report as a Markdown table.</summary>
    public string ToTable()
    {
        var acknowledged = Acknowledged.ToHashSet(StringComparer.Ordinal);
        (string What, long Count)[] rows =
        [
            ("seconds", (long)Elapsed.TotalSeconds),
            ("events sent", Sent.Count),
            .. Disturbances,
            ("**acknowledged events**", acknowledged.Count),
            ("… processed, in the journal", acknowledged.Count(Finished.Contains)),
            ("… in dead letters", acknowledged.Count(Dead.Contains)),
            ("… … whose handler always fails", acknowledged.Count(id => Dead.Contains(id) && Wishes[id] is "fail:always")),
            ("… … whose handler fails twice in each process", acknowledged.Count(id => Dead.Contains(id) && Wishes[id] is "fail:2")),
            ("… … delivered five times without an end", acknowledged.Count(id => Dead.Contains(id) && !Wishes[id].StartsWith("fail:", StringComparison.Ordinal))),
            ("… **lost**", Lost.Count()),
            ("… **in both**", Finished.Intersect(Dead, StringComparer.Ordinal).Count()),
            ("… **with more than one row**", Repeated(Journal).Union(Repeated(DeadLetters), StringComparer.Ordinal).Count()),
            ("not acknowledged, yet stored and processed", Finished.Union(Dead, StringComparer.Ordinal).Except(acknowledged, StringComparer.Ordinal).Count()),
            ("handler runs begun", Begun.Count),
            ("events with the handler's effect, guarded by id", Effects.Distinct(StringComparer.Ordinal).Count()),
            ("effects that ran again (at least once: what the guard is for)", Again(Effects)),
            ("processed without the effect", Finished.Except(Effects, StringComparer.Ordinal).Count()),
            ("events forwarded, counted by the receiver", Delivered.Distinct(StringComparer.Ordinal).Count()),
            ("… with one entry in `Deliveries` that says delivered", Delivered.Intersect(Noted, StringComparer.Ordinal).Count()),
            ("… with one that says failed, and a dead letter: broken off five times", Delivered.Intersect(NotKnown, StringComparer.Ordinal).Count()),
            ("… **without** an entry", NotNoted.Count()),
            ("forwards that came again (at least once: what webhook-id is for)", Again(Delivered)),
            ("forwards in dead letters", DeadForwards.Count),
            ("processed without the **forward**", NotForwarded.Count()),
            ("left in the queues", LeftInQueues),
            ("crashes that nobody caused", OwnCrashes),
        ];
        var lines = rows.Select(row => string.Create(CultureInfo.InvariantCulture, $"| {row.What} | {row.Count:N0} |"));
        return string.Join(Environment.NewLine, [$"Seed {Seed}:", "", "| what | count |", "| --- | ---: |", .. lines, .. Faults.Select(fault => $"FAULT: {fault}")]);
    }

    private static int Again(IReadOnlyList<string> ids) => ids.Count - ids.Distinct(StringComparer.Ordinal).Count();

    private static IEnumerable<string> Repeated(IReadOnlyList<TableRow> rows) => Repeated(rows.Select(row => row.Text("EventId")!));

    private static IEnumerable<string> Repeated(IEnumerable<string> ids) =>
        ids.CountBy(id => id, StringComparer.Ordinal).Where(count => count.Value > 1).Select(count => count.Key);

    private static IEnumerable<string> Named(string fault, IEnumerable<string> ids) => ids.Select(id => $"{fault}: {id}");
}
