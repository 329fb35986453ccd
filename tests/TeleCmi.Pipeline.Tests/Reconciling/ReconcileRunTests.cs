using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Reconciling;

namespace TeleCmi.Pipeline.Tests.Reconciling;

/// <summary>The comparison that a host makes by itself.</summary>
public sealed class ReconcileRunTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Settled = PipelineUnderTest.Start.AddMinutes(-30);

    private ReportServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await ReportServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task WithoutItsSettings_NothingHappens()
    {
        await using var pipeline = new PipelineUnderTest();

        await RunAsync(pipeline);

        pipeline.Store.Operations.ShouldBeEmpty();
        _server.Requests.ShouldBe(0);
    }

    [Fact]
    public async Task NothingMissing_IsCompleteUpToWhatIsSettled_AndTheNextRunGoesOnFromThere()
    {
        await using var pipeline = Start();
        using var upTo = UpTo(pipeline);

        await RunAsync(pipeline);
        var first = _server.Requests;
        pipeline.Clock.Advance(TimeSpan.FromHours(1));
        await RunAsync(pipeline);

        upTo.GetMeasurementSnapshot().Select(measurement => measurement.Value).ShouldBe([Seconds(Settled), Seconds(Settled.AddHours(1))]);
        (_server.Requests - first).ShouldBeLessThan(first / 4, "an hour and its margins, not a day");
    }

    [Fact]
    public async Task MissingCall_IsCounted_AndHoldsTheMomentBack_UntilItIsHere()
    {
        await using var pipeline = Start(("TeleCmi:Reconcile:Backfill", "true"));
        using var upTo = UpTo(pipeline);
        using var calls = new MetricCollector<long>(pipeline.Get<System.Diagnostics.Metrics.IMeterFactory>(), "TeleCmi", "telecmi.reconcile.calls");
        var lost = Settled.AddHours(-5);
        _server.Add("out_answered", lost, "leg-b");

        await RunAsync(pipeline);

        upTo.LastMeasurement!.Value.ShouldBe(Seconds(lost));
        calls.GetMeasurementSnapshot().Select(measurement => (measurement.Value, measurement.Tags["outcome"])).ShouldBe([(1L, (object?)"missing")]);
        await pipeline.ProcessAsync((await pipeline.QueuedAsync()).ShouldHaveSingleItem());

        await RunAsync(pipeline);

        upTo.LastMeasurement!.Value.ShouldBe(Seconds(Settled));
        calls.LastMeasurement!.Tags["outcome"].ShouldBe("matched");
        (await pipeline.QueuedAsync()).Count.ShouldBe(1, "nothing is queued again");
    }

    [Fact]
    public async Task Backfill_IsOffUnlessItIsAskedFor()
    {
        await using var pipeline = Start();
        _server.Add("out_answered", Settled.AddHours(-5), "leg-b");

        await RunAsync(pipeline);

        (await pipeline.QueuedAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task CallThatIsNotOver_HoldsTheMomentBack()
    {
        await using var pipeline = Start();
        using var upTo = UpTo(pipeline);
        _server.Add("answered", Settled.AddMinutes(-10), "talking", seconds: 0);

        await RunAsync(pipeline);

        upTo.LastMeasurement!.Value.ShouldBe(Seconds(Settled.AddMinutes(-10)));
    }

    [Fact]
    public async Task LongOutage_IsMadeUpForByTheDay_AndAWeekAtMost()
    {
        await using var pipeline = Start();
        using var upTo = UpTo(pipeline);
        await RunAsync(pipeline);
        pipeline.Clock.Advance(TimeSpan.FromDays(9));

        // The reports break off on the third day; what was reached before is kept.
        var broken = new InvalidOperationException("broken");
        pipeline.Store.Before = (operation, _) => operation == "upsert Reconciliations" && ++_upserts == 3 ? throw broken : Task.CompletedTask;
        (await Should.ThrowAsync<InvalidOperationException>(() => RunAsync(pipeline))).ShouldBe(broken);
        pipeline.Store.Recover();
        var before = _server.Requests;
        await RunAsync(pipeline);

        upTo.LastMeasurement!.Value.ShouldBe(Seconds(Settled.AddDays(9)));
        _server.Requests.ShouldBeGreaterThan(before);
        pipeline.Logs.GetSnapshot().Count(line => line.Message.Contains("goes back to 2026-03-06T04:36:07", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Theory]
    [InlineData("TeleCmi:Reconcile:AppId", "", "TeleCmi__Reconcile__AppId: not set")]
    [InlineData("TeleCmi:Reconcile:Secret", "", "TeleCmi__Reconcile__Secret: not set")]
    [InlineData("TeleCmi:Reconcile:AppId", "202_2222223", "TeleCmi__Reconcile__AppId: write one app id")]
    [InlineData("TeleCmi:Reconcile:Url", "http://rest.example.com/v2/", "TeleCmi__Reconcile__Url: write the https address")]
    [InlineData("TeleCmi:Reconcile:Timeout", "00:10:00", "TeleCmi__Reconcile__Timeout")]
    [InlineData("TeleCmi:Reconcile:Settle", "00:00:00", "TeleCmi__Reconcile__Settle")]
    [InlineData("TeleCmi:Reconcile:Tolerance", "01:00:00", "TeleCmi__Reconcile__Tolerance")]
    [InlineData("TeleCmi:Reconcile:Schedule", "x", "TeleCmi__Reconcile__Schedule: there is no such setting")]
    [InlineData("TeleCmi:AcceptedEvents", "outgoing.answered", "TeleCmi__AcceptedEvents: reconciling compares detail records")]
    [InlineData("TeleCmi:AppIds", "7", "is not in TeleCmi__AppIds")]
    public void WrongSetting_StopsTheStart_AndIsNamed(string name, string value, string expected)
    {
        var failure = Should.Throw<OptionsValidationException>(() => Start((name, value)).Get<IStartupValidator>().Validate());

        failure.Message.ShouldContain(expected);
        failure.Message.ShouldNotContain(ReportServer.Secret);
    }

    private int _upserts;

    private static double Seconds(DateTimeOffset moment) => moment.ToUnixTimeSeconds();

    private static MetricCollector<double> UpTo(PipelineUnderTest pipeline) =>
        new(pipeline.Get<System.Diagnostics.Metrics.IMeterFactory>(), "TeleCmi", "telecmi.reconcile.complete_up_to");

    private PipelineUnderTest Start(params (string Name, string Value)[] settings) => new(change: null, [.. _server.Settings, .. settings]);

    private static Task RunAsync(PipelineUnderTest pipeline) => pipeline.Get<ReconcileRun>().RunAsync(CancellationToken.None);
}
