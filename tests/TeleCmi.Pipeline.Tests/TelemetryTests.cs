using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Tests;

public sealed class TelemetryTests
{
    [Fact]
    public async Task Requests_AreCountedByKindAndOutcome()
    {
        await using var pipeline = new PipelineUnderTest(settings: ("TeleCmi:AppIds", "2223343"));
        using var received = Collect<long>(pipeline, TelemetryNames.EventsReceived);
        using var durations = Collect<double>(pipeline, TelemetryNames.ReceiveDuration);
        using var enqueues = Collect<double>(pipeline, TelemetryNames.EnqueueDuration);
        using var deadLetters = Collect<long>(pipeline, TelemetryNames.DeadLetters);
        pipeline.Store.Before = (_, _) =>
        {
            pipeline.Clock.Advance(TimeSpan.FromMilliseconds(20));
            return Task.CompletedTask;
        };

        await pipeline.PostAsync(SampleNotices.Answered);
        await pipeline.PostAsync(SampleNotices.AnsweredWith(("status", "hangup")));
        await pipeline.PostAsync(SampleNotices.AnsweredWith(("app_id", 1)));
        await pipeline.PostAsync("hello"u8.ToArray());
        await pipeline.PostAsync([]);
        await pipeline.PostAsync(new byte[20_000]);

        Counted(received).ShouldBe(
        [
            "outgoing.answered accepted", "outgoing.hangup ignored", "outgoing.answered forbidden",
            "unreadable rejected", "unreadable empty", "unreadable too_large",
        ]);
        durations.GetMeasurementSnapshot().Select(measurement => measurement.Value).ShouldBe([0.02, 0, 0, 0.02, 0, 0]);
        enqueues.GetMeasurementSnapshot().ShouldAllBe(measurement => (string)measurement.Tags["outcome"]! == "stored" && measurement.Value == 0.02);
        var deadLetter = deadLetters.GetMeasurementSnapshot().ShouldHaveSingleItem();
        deadLetter.Tags["reason"].ShouldBe("rejected");
    }

    [Fact]
    public async Task FailedEnqueue_IsCounted()
    {
        await using var pipeline = new PipelineUnderTest();
        pipeline.Store.Fail();
        using var received = Collect<long>(pipeline, TelemetryNames.EventsReceived);
        using var enqueues = Collect<double>(pipeline, TelemetryNames.EnqueueDuration);

        await pipeline.PostAsync(SampleNotices.Answered);

        Counted(received).ShouldBe(["outgoing.answered unavailable"]);
        enqueues.GetMeasurementSnapshot().ShouldHaveSingleItem().Tags["outcome"].ShouldBe("failed");
    }

    [Fact]
    public async Task Processing_IsCountedByOutcome_WithItsLagAndItsHandlers()
    {
        var fails = true;
        await using var pipeline = new PipelineUnderTest(
            new TestHandler("crm", [], (_, _) => fails ? throw new InvalidOperationException() : Task.CompletedTask));
        using var processed = Collect<long>(pipeline, TelemetryNames.EventsProcessed);
        using var lags = Collect<double>(pipeline, TelemetryNames.EventLag);
        using var handlers = Collect<double>(pipeline, TelemetryNames.HandlerDuration);
        var message = PipelineUnderTest.EnvelopeOf(SampleNotices.Answered, PipelineUnderTest.Start.AddSeconds(-3));
        var fromTheFuture = PipelineUnderTest.EnvelopeOf(SampleNotices.AnsweredCall("future"), PipelineUnderTest.Start.AddHours(1));

        await Should.ThrowAsync<HandlerFailedException>(() => pipeline.ProcessAsync(message));
        fails = false;
        await pipeline.ProcessAsync(message);
        await pipeline.ProcessAsync(fromTheFuture);
        await Should.ThrowAsync<InvalidDataException>(() => pipeline.ProcessAsync("x"u8.ToArray()));

        Counted(processed).ShouldBe(["outgoing.answered failed", "outgoing.answered resumed", "outgoing.answered journaled", "unreadable failed"]);
        lags.GetMeasurementSnapshot().Select(measurement => measurement.Value).ShouldBe([3, 0], "a clock that is ahead must not make a negative lag");
        handlers.GetMeasurementSnapshot().Select(measurement => $"{measurement.Tags["handler"]} {measurement.Tags["outcome"]}").ShouldBe(["crm failed", "crm done", "crm done"]);
    }

    [Fact]
    public async Task OneTrace_GoesFromReceiptOverTheQueueToTheHandler()
    {
        var call = Guid.NewGuid().ToString();
        var id = $"2223343:event:{call}:a:answered";
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == TelemetryNames.Source,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (activity.GetTagItem(TelemetryNames.EventIdTag) is string tag && tag == id)
                {
                    spans.Enqueue(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        ActivityTraceId? handlerTrace = null;
        await using var pipeline = new PipelineUnderTest(
            new TestHandler("crm", [], (_, _) =>
            {
                handlerTrace = Activity.Current?.TraceId;
                return Task.CompletedTask;
            }));

        await pipeline.PostAsync(SampleNotices.AnsweredCall(call));
        await pipeline.ProcessAsync((await pipeline.QueuedAsync()).ShouldHaveSingleItem());

        spans.Select(span => span.OperationName).ShouldBe([TelemetryNames.ReceiveActivity, TelemetryNames.ProcessActivity]);
        var (receive, process) = (spans.First(), spans.Last());
        process.TraceId.ShouldBe(receive.TraceId);
        process.ParentSpanId.ShouldBe(receive.SpanId);
        handlerTrace.ShouldBe(receive.TraceId);
        process.GetTagItem(TelemetryNames.OutcomeTag).ShouldBe("journaled");
        process.GetTagItem(TelemetryNames.AnsweredByTag).ShouldBe("agent");
        process.TagObjects.ShouldAllBe(tag => !$"{tag.Value}".Contains("442000000001"), "no phone number in a trace");
    }

    [Fact]
    public async Task SpanOfACdr_SaysWhatIsKnownOfTheCall()
    {
        var spans = new ConcurrentQueue<Activity>();
        var outgoing = new CallScenario(PipelineUnderTest.Start).OutgoingCdr("answered", "b");
        var incoming = new CallScenario(PipelineUnderTest.Start).IncomingCdr("answered", null, ("waitedsec", 9));
        string[] ids = [outgoing.Events[0].Id, incoming.Events[0].Id];
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == TelemetryNames.Source,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (ids.Contains(activity.GetTagItem(TelemetryNames.EventIdTag)))
                {
                    spans.Enqueue(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using var pipeline = new PipelineUnderTest();

        await pipeline.ProcessAsync(outgoing.Events[0].Envelope.ToArray());
        await pipeline.ProcessAsync(incoming.Events[0].Envelope.ToArray());

        var (cdrB, cdr) = (spans.First(), spans.Last());
        cdrB.GetTagItem(TelemetryNames.LegTag).ShouldBe("b");
        cdrB.GetTagItem(TelemetryNames.LegIdTag).ShouldBe(outgoing.LegB);
        cdrB.GetTagItem(TelemetryNames.DirectionTag).ShouldBe("outbound");
        cdrB.GetTagItem(TelemetryNames.TalkSecondsTag).ShouldBe(6);
        cdrB.GetTagItem(TelemetryNames.HangupReasonTag).ShouldBe("sent_bye");
        cdrB.GetTagItem(TelemetryNames.TeamTag).ShouldBeNull();
        cdr.GetTagItem(TelemetryNames.DirectionTag).ShouldBe("inbound");
        cdr.GetTagItem(TelemetryNames.TalkSecondsTag).ShouldBe(11);
        cdr.GetTagItem(TelemetryNames.WaitSecondsTag).ShouldBe(9);
        cdr.GetTagItem(TelemetryNames.TeamTag).ShouldNotBeNull();
        spans.SelectMany(span => span.TagObjects).ShouldAllBe(tag => !$"{tag.Value}".Contains(CallScenario.Customer), "no phone number in a trace");
    }

    [Fact]
    public async Task Logs_HaveOneLineEach_WithNoWholePhoneNumberAndNoSecret()
    {
        string[] unwanted = ["442000000001", "442000000000", "s3cr3t-function-key", "marker-of-the-body"];
        const string Forged = "x\r\n2026-01-01 info: forged\u2028\u0085\u001b[31m";
        await using var pipeline = new PipelineUnderTest(
            services => services.AddSingleton<ICallEventHandler>(new TestHandler("broken", [], (_, _) => throw new InvalidOperationException("no"))),
            ("TeleCmi:AcceptedEvents", "outgoing.answered,other"));
        byte[][] notices =
        [
            SampleNotices.Answered,
            SampleNotices.AnsweredWith(("cmiuuid", Forged), ("leg", Forged), ("status", Forged), ("user", Forged), ("to", Forged), ("app_id", Forged)),
            SampleNotices.AnsweredWith(("to", "1"), ("status", "hangup")),
            "marker-of-the-body"u8.ToArray(),
            [],
            new byte[20_000],
        ];

        foreach (var notice in notices)
        {
            await pipeline.PostAsync(notice, query: "?code=s3cr3t-function-key");
        }

        await pipeline.GetAsync($"?code=s3cr3t-function-key&{SampleNotices.QueryOf(SampleNotices.Answered)}");
        await pipeline.GetAsync("?code=s3cr3t-function-key&marker-of-the-body=1");
        foreach (var message in await pipeline.QueuedAsync())
        {
            await Should.ThrowAsync<HandlerFailedException>(() => pipeline.ProcessAsync(message));
            await pipeline.ArchiveAsync(message);
        }

        var records = pipeline.Logs.GetSnapshot();
        records.Count.ShouldBeGreaterThan(10);
        records.ShouldContain(record => record.Message.Contains(SampleNotices.AnsweredId), "the event's id is what ties lines together");
        foreach (var record in records)
        {
            record.Message.ShouldAllBe(character => !char.IsControl(character) && character != '\u2028', record.Message);
            var everything = new StringBuilder(record.Message).Append(record.Exception).AppendJoin(' ', record.StructuredState ?? []).ToString();
            unwanted.ShouldAllBe(text => !everything.Contains(text), everything);
        }
    }

    [Theory]
    [InlineData("442000000001", "*********001")]
    [InlineData("12", "12")]
    [InlineData(null, "-")]
    [InlineData("", "-")]
    [InlineData("44\n20", "**?20")]
    public void PhoneNumber_IsCoveredButForItsLastThreeDigits(string? number, string expected) =>
        LogText.OfPhoneNumber(number).ShouldBe(expected);

    private static MetricCollector<T> Collect<T>(PipelineUnderTest pipeline, string instrument)
        where T : struct => new(pipeline.Services.GetRequiredService<IMeterFactory>(), TelemetryNames.Source, instrument);

    private static IEnumerable<string> Counted(MetricCollector<long> collector) =>
        collector.GetMeasurementSnapshot().Select(measurement => $"{measurement.Tags["kind"]} {measurement.Tags["outcome"]}");
}
