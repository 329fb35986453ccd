using System.Text;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Storage;
using static TeleCmi.Pipeline.Tests.PipelineUnderTest;

namespace TeleCmi.Pipeline.Tests;

public sealed class EventProcessorTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly byte[] Message = EnvelopeOf(SampleNotices.Answered);
    private static readonly byte[] Resent = EnvelopeOf(SampleNotices.Answered, Start.AddMinutes(5));
    private static readonly byte[] Variant = EnvelopeOf(SampleNotices.AnsweredWith(("to", "1")));

    private readonly Runs _runs = new();
    private bool _fails;

    [Fact]
    public async Task Handlers_RunInOrder_AndTheRowIsFinished()
    {
        await using var pipeline = new PipelineUnderTest(Handler("first"), Handler("second"));

        var processed = await pipeline.ProcessAsync(Message);

        _runs.Select(run => (run.Handler, run.Event.Id)).ShouldBe([("first", SampleNotices.AnsweredId), ("second", SampleNotices.AnsweredId)]);
        processed.Entry.Outcome.ShouldBe(JournalOutcome.Journaled);
        var row = await pipeline.JournalRowAsync();
        row.Text("Handler_first").ShouldBe("done");
        row.Text("Handler_second").ShouldBe("done");
        row.Time("ProcessedAt").ShouldNotBeNull();
    }

    [Fact]
    public async Task Event_IsInTheJournal_BeforeItsHandlersRun()
    {
        PipelineUnderTest? pipeline = null;
        string? state = null;
        await using var _ = pipeline = new PipelineUnderTest(Handler("crm", async () => state = (await pipeline!.JournalRowAsync()).Text("Handler_crm")));

        await pipeline.ProcessAsync(Message);

        state.ShouldBe("pending");
    }

    [Fact]
    public async Task FailedHandler_DoesNotStopTheOthers_AndOnlyItRunsAgain()
    {
        await using var pipeline = new PipelineUnderTest(Flaky("flaky"), Handler("steady"));
        _fails = true;

        var failure = await FailsAsync(pipeline, Message);

        failure.InnerExceptions.ShouldHaveSingleItem().Message.ShouldBe("not now");
        var row = await pipeline.JournalRowAsync();
        row.Text("Handler_flaky").ShouldBe("failed");
        row.Text("Handler_steady").ShouldBe("done");
        row.Time("ProcessedAt").ShouldBeNull();

        _fails = false;
        var resumed = await pipeline.ProcessAsync(Message);

        resumed.Entry.Outcome.ShouldBe(JournalOutcome.Resumed);
        _runs.Handlers.ShouldBe(["flaky", "steady", "flaky"]);
        row = await pipeline.JournalRowAsync();
        row.Text("Handler_flaky").ShouldBe("done");
        row.Time("ProcessedAt").ShouldNotBeNull();
    }

    [Fact]
    public async Task Duplicate_RunsNothingAgain()
    {
        await using var pipeline = new PipelineUnderTest(Handler("crm"));
        await pipeline.ProcessAsync(Message);

        var resent = await pipeline.ProcessAsync(Resent);

        resent.Entry.Outcome.ShouldBe(JournalOutcome.Duplicate);
        _runs.Count.ShouldBe(1);
    }

    [Fact]
    public async Task SameEventTwiceAtOnce_RunsItsHandlersOnce_AndTheSecondDeliveryWaitsAsANewMessage()
    {
        const int Pairs = 200;
        var mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var pipeline = new PipelineUnderTest(Handler("crm", () => mayEnd.Task));
        foreach (var call in Enumerable.Range(0, Pairs))
        {
            await pipeline.Queues.Events.SendAsync(EnvelopeOf(SampleNotices.AnsweredCall($"call-{call}")), TimeSpan.Zero, CancellationToken.None);
            await pipeline.Queues.Events.SendAsync(EnvelopeOf(SampleNotices.AnsweredCall($"call-{call}"), Start.AddSeconds(1)), TimeSpan.Zero, CancellationToken.None);
        }

        var deliveries = (await ReceiveAllAsync(pipeline)).Select(message => DeliverAsync(pipeline, message)).ToArray();
        deliveries.Length.ShouldBe(2 * Pairs);
        while (deliveries.Count(delivery => delivery.IsCompleted) < Pairs)
        {
            await Task.WhenAny(deliveries.Where(delivery => !delivery.IsCompleted)).WaitAsync(Patience);
        }

        mayEnd.SetResult();
        (await Task.WhenAll(deliveries).WaitAsync(Patience)).CountBy(outcome => outcome).ShouldBe(
            [new(JournalOutcome.Journaled, Pairs), new(JournalOutcome.Claimed, Pairs)], ignoreOrder: true);
        _runs.Select(run => run.Event.Id).Distinct().Count().ShouldBe(Pairs);
        _runs.Count.ShouldBe(Pairs);

        (await ReceiveAllAsync(pipeline)).ShouldBeEmpty("what was put back waits");
        pipeline.Clock.Advance(EventProcessor.ClaimedDelay);
        var waited = await ReceiveAllAsync(pipeline);
        waited.Count.ShouldBe(Pairs);
        waited.ShouldAllBe(message => message.DequeueCount == 1, "waiting uses up no try");
        foreach (var message in waited)
        {
            (await DeliverAsync(pipeline, message)).ShouldBe(JournalOutcome.Duplicate);
        }

        _runs.Count.ShouldBe(Pairs);
        (await pipeline.JournalRowsAsync()).ShouldAllBe(row => row.Time("ProcessedAt") != null);
    }

    [Fact]
    public async Task ProcessThatEndsBetweenInsertAndHandlers_LeavesThemToTheDeliveryAfterTheClaim()
    {
        await using var pipeline = new PipelineUnderTest(Handler("crm"));
        var claim = await InsertOnlyAsync(pipeline);

        (await pipeline.ProcessAsync(Message)).Entry.Outcome.ShouldBe(JournalOutcome.Claimed);
        _runs.ShouldBeEmpty();

        pipeline.Clock.Advance(claim);
        (await pipeline.ProcessAsync(Message)).Entry.Outcome.ShouldBe(JournalOutcome.Resumed);
        _runs.Handlers.ShouldBe(["crm"]);
        (await pipeline.JournalRowAsync()).Time("ProcessedAt").ShouldNotBeNull();
    }

    [Fact]
    public async Task ExpiredClaim_IsTakenOverByOneOfSeveralDeliveries()
    {
        const int Deliveries = 20;
        await using var pipeline = new PipelineUnderTest(Handler("crm"));
        pipeline.Clock.Advance(await InsertOnlyAsync(pipeline));

        // Nobody writes before everybody has read.
        var ready = 0;
        var everybody = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        pipeline.Store.Before = (operation, _) =>
        {
            if (operation == "merge CallEvents" && Interlocked.Increment(ref ready) == Deliveries)
            {
                everybody.SetResult();
            }

            return operation == "merge CallEvents" ? everybody.Task : Task.CompletedTask;
        };
        var outcomes = await Task.WhenAll(Enumerable.Range(0, Deliveries).Select(_ => pipeline.ProcessAsync(Message))).WaitAsync(Patience);

        outcomes.Count(processed => processed.Entry.Outcome is JournalOutcome.Resumed).ShouldBe(1);
        outcomes.Count(processed => processed.Entry.Outcome is JournalOutcome.Claimed).ShouldBe(Deliveries - 1);
        _runs.Handlers.ShouldBe(["crm"]);
    }

    [Fact]
    public async Task HandlerWhoseEndCouldNotBeNoted_IsNotedByTheNextDelivery_AndNotRunAgain()
    {
        await using var pipeline = new PipelineUnderTest(Handler("crm"));
        pipeline.Store.Fail("merge CallEvents");
        await Should.ThrowAsync<StorageException>(() => pipeline.ProcessAsync(Message));
        (await pipeline.JournalRowAsync()).Text("Handler_crm").ShouldBe("pending");

        pipeline.Store.Recover();
        pipeline.Clock.Advance(pipeline.Get<HandlerRunner>().ClaimFor(1));
        await pipeline.ProcessAsync(Message);

        _runs.Handlers.ShouldBe(["crm"]);
        var row = await pipeline.JournalRowAsync();
        row.Text("Handler_crm").ShouldBe("done");
        row.Time("ProcessedAt").ShouldNotBeNull();
    }

    [Fact]
    public async Task RowDeletedWhileHandlersRun_DoesNotComeBack_AndHandlersDoNotRepeat()
    {
        PipelineUnderTest? pipeline = null;
        await using var _ = pipeline = new PipelineUnderTest(
            Handler("eraser", () => pipeline!.Get<CallErasure>().EraseAsync(JournalKey.Of(Read(Message)), CancellationToken.None)),
            Handler("next"));
        await pipeline.Queues.Events.SendAsync(Message, TimeSpan.Zero, CancellationToken.None);

        await DeliverAsync(pipeline, (await ReceiveAllAsync(pipeline)).ShouldHaveSingleItem());

        _runs.Handlers.ShouldBe(["eraser", "next"]);
        (await pipeline.JournalRowsAsync()).ShouldBeEmpty();
        (await pipeline.Queues.Events.CountAsync(CancellationToken.None)).ShouldBe(0);
    }

    [Fact]
    public async Task Variant_RunsNoHandler_WhenThoseOfTheFirstHaveFinished()
    {
        await using var pipeline = new PipelineUnderTest(Handler("crm"));
        await pipeline.ProcessAsync(Message);

        var variant = await pipeline.ProcessAsync(Variant);

        variant.Entry.Outcome.ShouldBe(JournalOutcome.Variant);
        _runs.Count.ShouldBe(1);
        (await pipeline.JournalRowsAsync()).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Variant_RunsTheHandlersThatTheFirstNeverFinished_AndTheirStatesStayWithTheFirst()
    {
        await using var pipeline = new PipelineUnderTest(Handler("steady"), Flaky("flaky"));
        _fails = true;
        await FailsAsync(pipeline, Message);

        _fails = false;
        await pipeline.ProcessAsync(Variant);
        await pipeline.ProcessAsync(Message);

        _runs.Select(run => $"{run.Handler} {run.Event.Notice.To}").ShouldBe(["steady 442000000001", "flaky 442000000001", "flaky 1"]);
        var (first, second) = await TwoRowsAsync(pipeline);
        first.Text("Handler_flaky").ShouldBe("done");
        second.Any(column => column.Key.StartsWith("Handler_", StringComparison.Ordinal)).ShouldBeFalse();
        second.Time("ProcessedAt").ShouldNotBeNull();
    }

    [Fact]
    public async Task Variant_IsFinished_WhenTheFirstDeliveryRunsItsHandlersAfterAll()
    {
        await using var pipeline = new PipelineUnderTest(Flaky("flaky"));
        _fails = true;
        await FailsAsync(pipeline, Message);
        await FailsAsync(pipeline, Variant);
        await pipeline.ArchiveAsync(Variant);

        _fails = false;
        await pipeline.ProcessAsync(Message);
        await pipeline.ProcessAsync(Variant);

        (await TwoRowsAsync(pipeline)).Second.Time("ProcessedAt").ShouldNotBeNull();
        (await pipeline.DeadLetterRowsAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task HandlerThatIgnoresItsToken_FailsAtTheDeadline_AndTheNextOneRuns(bool blocksItsThread)
    {
        using var begun = new SemaphoreSlim(0);
        using var release = new ManualResetEventSlim();
        await using var pipeline = new PipelineUnderTest(
            Handler("stuck", () =>
            {
                begun.Release();
                if (blocksItsThread)
                {
                    release.Wait(CancellationToken.None);
                }

                return new TaskCompletionSource().Task;
            }),
            Handler("next"));

        var processing = pipeline.ProcessAsync(Message);
        (await begun.WaitAsync(Patience)).ShouldBeTrue();
        pipeline.Clock.Advance(TimeSpan.FromSeconds(59));
        processing.IsCompleted.ShouldBeFalse();
        pipeline.Clock.Advance(TimeSpan.FromSeconds(1));

        try
        {
            var failure = await Should.ThrowAsync<HandlerFailedException>(() => processing.WaitAsync(Patience));
            failure.InnerExceptions.ShouldHaveSingleItem().ShouldBeOfType<TimeoutException>();
            _runs.Handlers.ShouldBe(["stuck", "next"]);
            (await pipeline.JournalRowAsync()).Text("Handler_next").ShouldBe("done");
        }
        finally
        {
            release.Set();
        }
    }

    [Fact]
    public async Task WhatFinishedBeforeAStop_IsNotRunAgainAfterIt()
    {
        using var stopping = new CancellationTokenSource();
        await using var pipeline = new PipelineUnderTest(
            Handler("quick"),
            new TestHandler("slow", _runs, async (_, cancellation) =>
            {
                await stopping.CancelAsync();
                cancellation.ThrowIfCancellationRequested();
            }));

        await Should.ThrowAsync<HandlerFailedException>(() => pipeline.ProcessAsync(Message, stopping.Token));
        await pipeline.ProcessAsync(Message);

        _runs.Handlers.ShouldBe(["quick", "slow", "slow"]);
    }

    [Fact]
    public async Task LargestEvent_FitsTheJournal()
    {
        await using var pipeline = new PipelineUnderTest();
        var overhead = SampleNotices.AnsweredWith(("conversation_uuid", "")).Length;

        await pipeline.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredWith(("conversation_uuid", new string('x', TeleCmiOptions.LargestEventBytes - overhead)))));

        (await pipeline.JournalRowAsync()).Time("ProcessedAt").ShouldNotBeNull();
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("{}")]
    [InlineData("""{"specversion":"1.0","id":"x","type":"com.telecmi.outgoing.answered","time":"2026-01-01T00:00:00Z","data":[]}""")]
    public async Task MessageThatIsNoEvent_FailsAndIsNotJournaled(string message)
    {
        await using var pipeline = new PipelineUnderTest();

        await Should.ThrowAsync<InvalidDataException>(() => pipeline.ProcessAsync(Encoding.UTF8.GetBytes(message)));

        (await pipeline.JournalRowsAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("1st")]
    [InlineData("with space")]
    [InlineData("")]
    [InlineData("CRM", "crm")]
    public void HandlerNameThatCannotBeAColumn_StopsTheApp(params string[] names)
    {
        using var services = new PipelineUnderTest([.. names.Select(name => Handler(name))]).Services;

        Should.Throw<InvalidOperationException>(services.GetRequiredService<EventProcessor>).Message.ShouldContain(names[0]);
    }

    private TestHandler Handler(string name, Func<Task>? work = null) => new(name, _runs, (_, _) => work?.Invoke() ?? Task.CompletedTask);

    private TestHandler Flaky(string name) => Handler(name, () => _fails ? throw new InvalidOperationException("not now") : Task.CompletedTask);

    private static Task<HandlerFailedException> FailsAsync(PipelineUnderTest pipeline, byte[] message) =>
        Should.ThrowAsync<HandlerFailedException>(() => pipeline.ProcessAsync(message));

    // As far as a process comes that ends in between.
    private static async Task<TimeSpan> InsertOnlyAsync(PipelineUnderTest pipeline)
    {
        var claim = pipeline.Get<HandlerRunner>().ClaimFor(1);
        await pipeline.Journal.RecordAsync(Read(Message), ["crm"], claim, CancellationToken.None);
        return claim;
    }

    private static async Task<IReadOnlyList<ReceivedMessage>> ReceiveAllAsync(PipelineUnderTest pipeline)
    {
        var all = new List<ReceivedMessage>();
        while (await pipeline.Queues.Events.ReceiveAsync(IMessageQueue.MaxBatch, TimeSpan.FromHours(1), CancellationToken.None) is { Count: > 0 } received)
        {
            all.AddRange(received);
        }

        return all;
    }

    // As a queue trigger does.
    private static async Task<JournalOutcome> DeliverAsync(PipelineUnderTest pipeline, ReceivedMessage message)
    {
        var processed = await pipeline.Get<EventProcessor>().ProcessAsync(message.Body, CancellationToken.None);
        await pipeline.Queues.Events.DeleteAsync(message, CancellationToken.None);
        return processed.Entry.Outcome;
    }

    private static async Task<(TableRow First, TableRow Second)> TwoRowsAsync(PipelineUnderTest pipeline) =>
        await pipeline.JournalRowsAsync() is [var first, var second] ? (first, second) : throw new ShouldAssertException("There should be two rows.");
}
