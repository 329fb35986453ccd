using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using TeleCmi.Events;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Telemetry;
using TeleCmi.TestSupport;

namespace TeleCmi.Forwarding.Tests;

public sealed class TelemetryTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task Trace_GoesOnFromTheSenderToTheDestination()
    {
        const string Trace = "0af7651916cd43dd8448eb211c80319c";
        var forwards = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is TelemetryNames.Source or "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (activity.OperationName == TelemetryNames.ForwardActivity && activity.TraceId.ToHexString() == Trace)
                {
                    forwards.Add(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var host = await ForwardHost.StartAsync(azurite.NewStorage(), ForwardHost.Destination(0, "crm", crm.Address));

        await host.PostAsync(ForwardHost.Answer("call-1"), $"00-{Trace}-b7ad6b7169203331-01");
        await Eventually.HoldsAsync(() => Task.FromResult(crm.Calls.Count == 1));
        await host.SettledAsync();

        crm.Calls[0].Headers["traceparent"].ShouldMatch($"^00-{Trace}-[0-9a-f]{{16}}-01$");
        var forward = forwards.ShouldHaveSingleItem();
        forward.GetTagItem(TelemetryNames.DestinationTag).ShouldBe("crm");
        forward.GetTagItem(TelemetryNames.EventIdTag).ShouldBe(ForwardHost.IdOf("call-1"));
        forward.GetTagItem(TelemetryNames.OutcomeTag).ShouldBe(ForwardOutcome.Delivered);
        forward.GetTagItem(TelemetryNames.StatusTag).ShouldBe(200);
    }

    [Fact]
    public async Task EveryOutcome_IsCounted_ByDestination()
    {
        await using var crm = await CrmUnderTest.StartAsync(503, 200, 400);
        await using var host = await ForwardHost.StartAsync(azurite.NewStorage(), ForwardHost.Destination(0, "crm", crm.Address));
        var factory = host.Services.GetRequiredService<IMeterFactory>();
        using var forwards = new MetricCollector<long>(factory, TelemetryNames.Source, TelemetryNames.Forwards);
        using var durations = new MetricCollector<double>(factory, TelemetryNames.Source, TelemetryNames.ForwardDuration);

        await host.PostAsync(ForwardHost.Answer("call-1"));
        await Eventually.HoldsAsync(() => Task.FromResult(crm.Calls.Count == 2));
        await host.PostAsync(ForwardHost.Answer("call-2"));
        await host.DeadLettersAsync(1);
        await host.SettledAsync();

        forwards.GetMeasurementSnapshot().Select(point => (point.Tags[TelemetryNames.Destination], point.Tags[TelemetryNames.Outcome]))
            .ShouldBe([("crm", ForwardOutcome.Retried), ("crm", ForwardOutcome.Delivered), ("crm", ForwardOutcome.DeadLettered)]);
        durations.GetMeasurementSnapshot().Count.ShouldBe(3);
    }

    [Theory]
    [InlineData(200, ForwardVerdict.Delivered, "A real event would be done")]
    [InlineData(401, ForwardVerdict.Refused, "the same secret")]
    [InlineData(404, ForwardVerdict.Refused, "Check the Url")]
    [InlineData(503, ForwardVerdict.Retry, "sent again")]
    [InlineData(410, ForwardVerdict.Gone, "stop this destination")]
    public async Task Trial_SendsASignedSample_AndExplainsTheAnswer(int status, ForwardVerdict verdict, string explanation)
    {
        await using var crm = await CrmUnderTest.StartAsync(status);
        await using var host = await ForwardHost.StartAsync(azurite.NewStorage(), ForwardHost.Destination(0, "crm", crm.Address));
        var destination = host.Services.GetRequiredService<ForwardDestinations>().Find("CRM").ShouldNotBeNull();

        var result = await host.Services.GetRequiredService<ForwardTrial>().RunAsync(destination, CancellationToken.None);

        result.Attempt.Verdict.ShouldBe(verdict);
        result.Explanation.ShouldContain(explanation);
        var call = crm.Calls.ShouldHaveSingleItem();
        call.WebhookId.ShouldBe(result.EventId);
        call.Headers["webhook-signature"].ShouldStartWith("v1,");
        EventEnvelope.TryRead(call.Body, out var sample, out _).ShouldBeTrue();
        sample.Notice.CmiUuid.ShouldNotBeNull().ShouldStartWith(ForwardTrial.IdPrefix);
        (await host.RowsAsync("CallEvents")).ShouldBeEmpty();
    }
}
