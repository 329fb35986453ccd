using TeleCmi.FaultHost;

namespace TeleCmi.EndToEnd.Tests;

/// <summary>The promise under faults, in small numbers; docs/reliability.md has the command for large ones.</summary>
public sealed class FaultTests(ITestOutputHelper output)
{
    [Fact]
    public async Task WhateverFails_EveryAcknowledgedEventEndsInExactlyOnePlace()
    {
        var report = await new FaultRun(new FaultRunOptions(), output.WriteLine).RunAsync();

        output.WriteLine(report.ToTable());
        report.Faults.ShouldBeEmpty();
        report.Sent.Count.ShouldBe(new FaultRunOptions().Events);
        report.Sent.Values.Count(acknowledged => acknowledged).ShouldBeGreaterThan(250);
    }
}
