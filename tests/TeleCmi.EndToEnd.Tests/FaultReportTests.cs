using TeleCmi.FaultHost;
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
        OwnCrashes = 0,
        LeftInQueues = 0,
        Journal = [Row("finished", isFinished: true), Row("dead", isFinished: false)],
        DeadLetters = [Row("dead", isFinished: false)],
        DeadForwards = [],
        Delivered = ["finished", "finished"],
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

    private static TableRow Row(string id, bool isFinished) => new(new RowKey("2026-01-01", id))
    {
        ["EventId"] = id,
        ["ProcessedAt"] = isFinished ? DateTimeOffset.UnixEpoch : null,
    };
}
