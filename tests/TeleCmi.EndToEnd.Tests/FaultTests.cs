using TeleCmi.FaultHost;

namespace TeleCmi.EndToEnd.Tests;

/// <summary>The promise under faults, in small numbers; docs/reliability.md has the commands for large ones.</summary>
public sealed class FaultTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhateverFails_EveryAcknowledgedEventEndsInExactlyOnePlace(bool onAzurite)
    {
        var options = new FaultRunOptions { Azurite = onAzurite };
        var report = await new FaultRun(options, output.WriteLine).RunAsync();

        output.WriteLine(report.ToTable());
        report.Faults.ShouldBeEmpty();
        report.Sent.Count.ShouldBe(options.Events);
        report.Sent.Values.Count(acknowledged => acknowledged).ShouldBeGreaterThan(250);
    }
}
