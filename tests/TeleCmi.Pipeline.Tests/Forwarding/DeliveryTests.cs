using System.Net;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Events;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;
using static TeleCmi.Pipeline.Tests.PipelineUnderTest;

namespace TeleCmi.Pipeline.Tests.Forwarding;

/// <summary>Every delivery can be seen, and seeing it never costs one.</summary>
public sealed class DeliveryTests
{
    private static readonly DeliveryFilter All = new();

    [Fact]
    public async Task DeliveredAtOnce_IsOneRow_WithItsAttempt_AndOneWriteAfterThePost()
    {
        using var receiver = new Receiver();
        await using var pipeline = PipelineWith(receiver);
        receiver.Before = () => pipeline.Store.Operations.ShouldNotContain(operation => operation.EndsWith("Deliveries", StringComparison.Ordinal), "the receiver has it before anything is noted");

        await pipeline.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredCall("call-1")));

        pipeline.Store.Operations.Where(operation => operation.EndsWith("Deliveries", StringComparison.Ordinal)).ShouldBe(["upsert Deliveries"]);
        var delivery = (await NewestAsync(pipeline, All)).ShouldHaveSingleItem();
        delivery.State.ShouldBe(DeliveryState.Delivered);
        delivery.Destination.ShouldBe("crm");
        delivery.EventId.ShouldBe(EventOf(SampleNotices.AnsweredCall("call-1")).Id);
        delivery.Attempts.ShouldHaveSingleItem().Status.ShouldBe(200);
        delivery.Attempts[0].At.ShouldBe(Start);
        delivery.NextAttemptAt.ShouldBeNull();
        delivery.Fault.ShouldBeNull();
    }

    [Fact]
    public async Task FailedAttempts_AreKept_UntilTheOneThatIsDelivered()
    {
        using var receiver = new Receiver { Status = 503 };
        await using var pipeline = PipelineWith(receiver);

        await pipeline.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredCall("call-1")));
        var waiting = (await WaitingAsync(pipeline)).ShouldHaveSingleItem();
        waiting.State.ShouldBe(DeliveryState.Waiting);
        waiting.Attempts.Select(attempt => attempt.Status).ShouldBe([503]);
        waiting.NextAttemptAt.ShouldNotBeNull().ShouldBeInRange(Start.AddSeconds(4), Start.AddSeconds(6));
        waiting.Fault.ShouldBe("The receiver responded with 503.");

        receiver.Status = 200;
        pipeline.Clock.Advance(TimeSpan.FromSeconds(10));
        await WorkOffAsync(pipeline);

        (await WaitingAsync(pipeline)).ShouldBeEmpty();
        var delivered = (await NewestAsync(pipeline, All)).ShouldHaveSingleItem();
        delivered.State.ShouldBe(DeliveryState.Delivered);
        delivered.Attempts.Select(attempt => (attempt.At, attempt.Status)).ShouldBe([(Start, 503), (Start.AddSeconds(10), 200)]);
    }

    [Fact]
    public async Task GivenUp_IsFailed_AndSaysWhy()
    {
        using var receiver = new Receiver { Status = 400 };
        await using var pipeline = PipelineWith(receiver);

        await pipeline.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredCall("call-1")));

        var failed = (await NewestAsync(pipeline, new DeliveryFilter { State = DeliveryState.Failed })).ShouldHaveSingleItem();
        failed.Attempts.ShouldHaveSingleItem().Status.ShouldBe(400);
        failed.Fault.ShouldBe("The receiver responded with 400.");
        (await NewestAsync(pipeline, new DeliveryFilter { State = DeliveryState.Delivered })).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(200, 0)]
    [InlineData(503, 1)]
    public async Task NoteThatFails_NeitherRepeatsNorLosesADelivery(int status, int queued)
    {
        using var receiver = new Receiver { Status = status };
        await using var pipeline = PipelineWith(receiver);
        pipeline.Store.Fail("upsert Deliveries");

        await pipeline.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredCall("call-1")));
        await pipeline.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredCall("call-1")));

        receiver.Requests.ShouldBe(1);
        (await pipeline.Queues.Forwards.CountAsync(CancellationToken.None)).ShouldBe(queued);
        pipeline.Logs.GetSnapshot().ShouldContain(log => log.Id.Id == 72);
    }

    [Fact]
    public async Task NoteThatHangs_IsGivenUpAfterFiveSeconds()
    {
        using var receiver = new Receiver();
        await using var pipeline = PipelineWith(receiver);
        var noting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        pipeline.Store.Before = async (operation, cancellation) =>
        {
            if (operation == "upsert Deliveries")
            {
                noting.SetResult();
                await Task.Delay(Timeout.Infinite, cancellation);
            }
        };

        var processing = pipeline.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredCall("call-1")));
        await noting.Task.WaitAsync(TimeSpan.FromSeconds(30));
        pipeline.Clock.Advance(TimeSpan.FromSeconds(5));

        (await processing.WaitAsync(TimeSpan.FromSeconds(30))).Entry.Outcome.ShouldBe(JournalOutcome.Journaled);
    }

    [Fact]
    public async Task WhatANoteThatFailedLeftBehind_DoesNotWait()
    {
        using var receiver = new Receiver { Status = 503 };
        await using var pipeline = PipelineWith(receiver);
        await pipeline.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredCall("call-1")));
        receiver.Status = 200;
        pipeline.Store.Fail("delete Deliveries");
        pipeline.Clock.Advance(TimeSpan.FromSeconds(10));
        await WorkOffAsync(pipeline);
        pipeline.Store.Recover();
        pipeline.Clock.Advance(TimeSpan.FromMinutes(2));

        (await WaitingAsync(pipeline)).ShouldBeEmpty();
        (await NewestAsync(pipeline, All)).ShouldHaveSingleItem().State.ShouldBe(DeliveryState.Delivered);
    }

    [Fact]
    public async Task Deliveries_AreFoundByCall_ByDestination_AndByDay()
    {
        using var receiver = new Receiver();
        await using var pipeline = PipelineWith(receiver, "crm", "audit");
        await pipeline.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredWith(("cmiuuid", "leg-1"), ("conversation_uuid", "one"))));
        await pipeline.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredWith(("cmiuuid", "leg-2"), ("conversation_uuid", "one-more"))));
        var wanted = EventOf(SampleNotices.AnsweredWith(("cmiuuid", "leg-1"), ("conversation_uuid", "one")));

        var ofCall = await pipeline.Get<DeliveryReader>().OfAsync([JournalKey.Of(wanted)], CancellationToken.None);
        ofCall.Select(delivery => (delivery.EventId, delivery.Destination)).ShouldBe([(wanted.Id, "audit"), (wanted.Id, "crm")]);

        (await NewestAsync(pipeline, new DeliveryFilter { Destination = "audit" })).Count.ShouldBe(2);
        var day = UtcDay.DateOf(wanted.Notice.Time!.Value);
        (await NewestAsync(pipeline, new DeliveryFilter { From = day, To = day })).Count.ShouldBe(4);
        (await NewestAsync(pipeline, new DeliveryFilter { From = day.AddDays(1) })).ShouldBeEmpty();
        (await NewestAsync(pipeline, new DeliveryFilter { To = day.AddDays(-1) })).ShouldBeEmpty();
    }

    [Fact]
    public async Task WaitingOfACall_IsFoundWithIt_AndReadWithoutTheDays()
    {
        using var receiver = new Receiver { Status = 503 };
        await using var pipeline = PipelineWith(receiver);
        var envelope = EnvelopeOf(SampleNotices.AnsweredCall("call-1"));
        await pipeline.ProcessAsync(envelope);

        (await pipeline.Get<DeliveryReader>().OfAsync([JournalKey.Of(Read(envelope))], CancellationToken.None)).ShouldHaveSingleItem().State.ShouldBe(DeliveryState.Waiting);

        var before = pipeline.Store.Operations.Count;
        await WaitingAsync(pipeline);
        pipeline.Store.Operations.Skip(before).ShouldBe(["read Deliveries"]);
    }

    [Fact]
    public async Task SentAgain_KeepsItsAttempts()
    {
        using var receiver = new Receiver { Status = 400 };
        await using var pipeline = PipelineWith(receiver);
        var callEvent = EventOf(SampleNotices.AnsweredCall("call-1"));
        await pipeline.ProcessAsync(callEvent.Envelope.ToArray());
        receiver.Status = 200;
        pipeline.Clock.Advance(TimeSpan.FromSeconds(1));

        await pipeline.Get<ForwardQueue>().SendAsync("crm", EnvelopedEvent.Of(callEvent), CancellationToken.None);
        (await NewestAsync(pipeline, All)).ShouldHaveSingleItem().State.ShouldBe(DeliveryState.Waiting);
        await WorkOffAsync(pipeline);

        (await NewestAsync(pipeline, All)).ShouldHaveSingleItem().Attempts.Select(attempt => attempt.Status).ShouldBe([400, 200]);
    }

    [Fact]
    public async Task HalfOfTheAttemptsUsedUp_IsAWarning_Once()
    {
        using var receiver = new Receiver { Status = 503 };
        await using var pipeline = new PipelineUnderTest(
            services =>
            {
                services.AddSingleton(new RetrySchedule([.. Enumerable.Repeat(TimeSpan.FromMinutes(2), 5)]));
                services.AddHttpClient(EventSender.ClientName).ConfigurePrimaryHttpMessageHandler(() => receiver);
            },
            [.. Settings("crm")]);
        await pipeline.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredCall("call-1")));

        for (var attempt = 2; attempt <= 6; attempt++)
        {
            Warnings().ShouldBe(attempt > 3 ? 1 : 0, $"before attempt {attempt}");
            pipeline.Clock.Advance(TimeSpan.FromMinutes(3));
            await WorkOffAsync(pipeline);
        }

        (await NewestAsync(pipeline, All)).ShouldHaveSingleItem().Attempts.Count.ShouldBe(6);
        Warnings().ShouldBe(1);

        int Warnings() => pipeline.Logs.GetSnapshot().Count(log => log.Id.Id == 69);
    }

    private static PipelineUnderTest PipelineWith(Receiver receiver, params string[] names) => new(
        services => services.AddHttpClient(EventSender.ClientName).ConfigurePrimaryHttpMessageHandler(() => receiver),
        [.. Settings(names is [] ? ["crm"] : names)]);

    private static IEnumerable<(string, string)> Settings(params string[] names) => names.SelectMany((name, index) => new (string, string)[]
    {
        ($"TeleCmi:Forward:{index}:Url", $"https://{name}.example.com"),
        ($"TeleCmi:Forward:{index}:Name", name),
        ($"TeleCmi:Forward:{index}:Secrets", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    });

    private static async Task<List<Delivery>> NewestAsync(PipelineUnderTest pipeline, DeliveryFilter filter) =>
        await pipeline.Get<DeliveryReader>().NewestAsync(filter, CancellationToken.None).ToListAsync();

    private static async Task<List<Delivery>> WaitingAsync(PipelineUnderTest pipeline) =>
        await pipeline.Get<DeliveryReader>().WaitingAsync(All, CancellationToken.None).ToListAsync();

    private static async Task WorkOffAsync(PipelineUnderTest pipeline)
    {
        foreach (var message in await pipeline.Queues.Forwards.ReceiveAsync(IMessageQueue.MaxBatch, TimeSpan.FromMinutes(1), CancellationToken.None))
        {
            await pipeline.Get<ForwardProcessor>().ProcessAsync(message.Body, message.InsertedOn, CancellationToken.None);
            await pipeline.Queues.Forwards.DeleteAsync(message, CancellationToken.None);
        }
    }

    private sealed class Receiver : HttpMessageHandler
    {
        public int Status { get; set; } = 200;

        public int Requests { get; private set; }

        public Action Before { get; set; } = () => { };

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Before();
            Requests++;
            return Task.FromResult(new HttpResponseMessage((HttpStatusCode)Status));
        }
    }
}
