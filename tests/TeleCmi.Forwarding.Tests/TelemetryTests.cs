using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using TeleCmi.Events;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Telemetry;
using TeleCmi.TestSupport;

namespace TeleCmi.Forwarding.Tests;

public sealed class TelemetryTests
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
        await using var host = await Forwards.StartAsync(Forwards.Destination(0, "crm", crm.Address));

        await host.AcceptsAsync(Forwards.Answered("call-1"), $"00-{Trace}-b7ad6b7169203331-01");
        await crm.HasAsync(1);
        await host.SettledAsync();

        crm.Requests[0].Headers["traceparent"].ShouldMatch($"^00-{Trace}-[0-9a-f]{{16}}-01$");
        var forward = forwards.ShouldHaveSingleItem();
        forward.GetTagItem(TelemetryNames.DestinationTag).ShouldBe("crm");
        forward.GetTagItem(TelemetryNames.EventIdTag).ShouldBe(Forwards.IdOf("call-1"));
        forward.GetTagItem(TelemetryNames.OutcomeTag).ShouldBe(ForwardOutcome.Delivered);
        forward.GetTagItem(TelemetryNames.StatusTag).ShouldBe(200);
    }

    [Fact]
    public async Task EveryOutcome_IsCounted_ByDestination()
    {
        // The second attempt can begin before the first one is counted, and they are counted in turn here.
        var firstIsCounted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var crm = await CrmUnderTest.StartAsync(async (context, number) =>
        {
            await (number == 1 ? firstIsCounted.Task : Task.CompletedTask);
            context.Response.StatusCode = number switch { 0 => 503, 1 => 200, _ => 400 };
        });
        await using var host = await Forwards.StartAsync(Forwards.Destination(0, "crm", crm.Address));
        var factory = host.Services.GetRequiredService<IMeterFactory>();
        using var forwards = new MetricCollector<long>(factory, TelemetryNames.Source, TelemetryNames.Forwards);
        using var durations = new MetricCollector<double>(factory, TelemetryNames.Source, TelemetryNames.ForwardDuration);

        await host.AcceptsAsync(Forwards.Answered("call-1"));
        await forwards.WaitForMeasurementsAsync(1, TimeSpan.FromSeconds(60));
        firstIsCounted.SetResult();
        await crm.HasAsync(2);
        await host.SettledAsync();
        await host.AcceptsAsync(Forwards.Answered("call-2"));
        await host.Storage.DeadLettersAsync(1);
        await host.SettledAsync();

        forwards.GetMeasurementSnapshot().Select(point => (point.Tags[TelemetryNames.Destination], point.Tags[TelemetryNames.Outcome]))
            .ShouldBe([("crm", ForwardOutcome.Retried), ("crm", ForwardOutcome.Delivered), ("crm", ForwardOutcome.DeadLettered)]);
        durations.GetMeasurementSnapshot().Count.ShouldBe(3);
    }

    [Theory]
    [InlineData(200, DeliveryOutcome.Delivered, "A real event would be done")]
    [InlineData(401, DeliveryOutcome.Refused, "the same secret")]
    [InlineData(404, DeliveryOutcome.Refused, "Check TeleCmi__Forward__0__Url")]
    [InlineData(503, DeliveryOutcome.Retry, "sent again")]
    [InlineData(410, DeliveryOutcome.Gone, "would disable this destination")]
    public async Task ForwardTest_SendsASignedSample_AndExplainsTheResponse(int status, DeliveryOutcome outcome, string explanation)
    {
        await using var crm = await CrmUnderTest.StartAsync(status);
        await using var host = await Forwards.StartAsync(Forwards.Destination(0, "crm", crm.Address));
        var destination = host.Services.GetRequiredService<ForwardDestinations>().Find("CRM").ShouldNotBeNull();

        var result = await host.Services.GetRequiredService<ForwardTest>().RunAsync(destination, CancellationToken.None);

        result.Result.Outcome.ShouldBe(outcome);
        result.Explanation.ShouldContain(explanation);
        var call = crm.Requests.ShouldHaveSingleItem();
        call.WebhookId.ShouldBe(result.EventId);
        call.Headers["webhook-signature"].ShouldStartWith("v1,");
        EventEnvelope.TryRead(call.Body, out var sample, out _).ShouldBeTrue();
        sample.Notice.CmiUuid.ShouldNotBeNull().ShouldStartWith(ForwardTest.IdPrefix);
        (await host.Storage.JournalAsync()).ShouldBeEmpty();
    }
}
