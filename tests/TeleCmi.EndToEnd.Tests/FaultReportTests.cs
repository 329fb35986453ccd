using TeleCmi.FaultHost;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.EndToEnd.Tests;

/// <summary>The judge of the fault runs must see each way in which the promise can be broken.</summary>
public sealed class FaultReportTests
{
    private static readonly FaultReport Kept = new()
    {
        Seed = 1,
        Elapsed = TimeSpan.Zero,
        Sent = new Dictionary<string, bool>(StringComparer.Ordinal) { ["finished"] = true, ["dead"] = true, ["not acknowledged"] = false },
        Wishes = new Dictionary<string, string>(StringComparer.Ordinal) { ["finished"] = "none", ["dead"] = "fail:always", ["not acknowledged"] = "none" },
        Disturbances = [("host killed hard", 1)],
        MayRepeat = 1,
        MayMissNotes = false,
        OwnCrashes = 0,
        LeftInQueues = 0,
        Journal = [Row("finished", isFinished: true), Row("dead", isFinished: false)],
        DeadLetters = [Row("dead", isFinished: false)],
        DeadForwards = [],
        Delivered = ["finished", "finished"],
        Deliveries = [Entry("finished", DeliveryState.Delivered)],
        Begun = ["finished", "finished", "dead"],
        Effects = ["finished", "finished"],
    };

    [Fact]
    public void AKeptPromise_HasNoFault() => Kept.Faults.ShouldBeEmpty();

    public static TheoryData<string, FaultReport> Broken => new()
    {
        { "lost: finished", Kept with { Journal = [] } },
        { "lost: dead", Kept with { DeadLetters = [] } },
        { "more than one journal row: finished", Kept with { Journal = [.. Kept.Journal, Row("finished", isFinished: true)] } },
        { "more than one dead letter: dead", Kept with { DeadLetters = [.. Kept.DeadLetters, Row("dead", isFinished: false)] } },
        { "finished and a dead letter: finished", Kept with { DeadLetters = [.. Kept.DeadLetters, Row("finished", isFinished: false)] } },
        { "finished without its effect: finished", Kept with { Effects = [] } },
        { "finished without its forward: finished", Kept with { Delivered = [] } },
        { "delivered without its entry in Deliveries: finished", Kept with { Deliveries = [] } },
        { "delivered without its entry in Deliveries: finished", Kept with { Deliveries = [Entry("finished", DeliveryState.Waiting)] } },
        { "delivered without its entry in Deliveries: finished", Kept with { Deliveries = [Entry("finished", DeliveryState.Failed)] } },
        { "more than one entry in Deliveries: finished", Kept with { Deliveries = [.. Kept.Deliveries, Entry("finished", DeliveryState.Waiting)] } },
        { "an entry in Deliveries that says so without a delivery: dead", Kept with { Deliveries = [.. Kept.Deliveries, Entry("dead", DeliveryState.Delivered)] } },
        { "repeated although nothing disturbed it: effects", Kept with { MayRepeat = 0 } },
        { "repeated although nothing disturbed it: forwards", Kept with { MayRepeat = 0 } },
        { "not of this run: stranger", Kept with { Journal = [.. Kept.Journal, Row("stranger", isFinished: true)] } },
        { "2 messages left in the queues", Kept with { LeftInQueues = 2 } },
        { "the host crashed 1 times by itself", Kept with { OwnCrashes = 1 } },
    };

    [Theory]
    [MemberData(nameof(Broken), DisableDiscoveryEnumeration = true)]
    public void ABrokenPromise_IsNamed(string fault, FaultReport report)
    {
        report.Faults.ShouldContain(fault);
        report.ToTable().ShouldContain($"FAULT: {fault}");
    }

    [Fact]
    public void AnEntryThatDoesNotKnow_BesideADeadLetter_IsNoBrokenPromise() =>
        (Kept with { Deliveries = [Entry("finished", DeliveryState.Failed)], DeadForwards = ["finished"] }).Faults.ShouldBeEmpty();

    [Fact]
    public void AnEntryThatCouldNotBeWritten_IsNoBrokenPromise() => (Kept with { Deliveries = [], MayMissNotes = true }).Faults.ShouldBeEmpty();

    private static Delivery Entry(string id, string state) => new()
    {
        Key = new RowKey("2026-01-01", $"{id}|crm"),
        Destination = "crm",
        EventId = id,
        Kind = "outgoing.answered",
        ReceivedAt = DateTimeOffset.UnixEpoch,
        State = state,
        Attempts = [],
        NotedAt = DateTimeOffset.UnixEpoch,
    };

    private static TableRow Row(string id, bool isFinished) => new(new RowKey("2026-01-01", id))
    {
        ["EventId"] = id,
        ["ProcessedAt"] = isFinished ? DateTimeOffset.UnixEpoch : null,
    };
}
