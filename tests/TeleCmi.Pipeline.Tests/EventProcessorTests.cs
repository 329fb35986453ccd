using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using TeleCmi.Events;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Processing;
using TeleCmi.TestSupport;

namespace TeleCmi.Pipeline.Tests;

public sealed class EventProcessorTests(AzuriteFixture azurite)
{
    private static readonly DateTimeOffset Received = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);
    private static readonly byte[] Message = PipelineUnderTest.EnvelopeOf(SampleNotices.Answered, Received);

    [Fact]
    public async Task HandlersRunInOrder_AndTheRowIsFinished()
    {
        var runs = new Runs();
        await using var pipeline = Pipeline(new TestHandler("first", runs), new TestHandler("second", runs));

        var processed = await pipeline.Processor.ProcessAsync(Message, CancellationToken.None);

        runs.ShouldBe([("first", SampleNotices.AnsweredId), ("second", SampleNotices.AnsweredId)]);
        processed.Entry.Outcome.ShouldBe(JournalOutcome.Journaled);
        var row = (await pipeline.JournalRowsAsync()).ShouldHaveSingleItem();
        row.GetString("Handler_first").ShouldBe("done");
        row.GetString("Handler_second").ShouldBe("done");
        row.GetDateTimeOffset("ProcessedAt").ShouldNotBeNull();
    }

    [Fact]
    public async Task AnEventIsInTheJournal_BeforeItsHandlersRun()
    {
        var states = new List<string>();
        PipelineUnderTest? pipeline = null;
        var handler = new TestHandler("crm", new Runs(), async (_, _) => states.AddRange((await pipeline!.JournalRowsAsync()).Select(row => row.GetString("Handler_crm"))));
        pipeline = Pipeline(handler);
        await using var _ = pipeline;

        await pipeline.Processor.ProcessAsync(Message, CancellationToken.None);

        states.ShouldBe(["pending"]);
    }

    [Fact]
    public async Task AFailedHandler_DoesNotStopTheOthers_AndOnlyItRunsAgain()
    {
        var runs = new Runs();
        var fails = true;
        await using var pipeline = Pipeline(
            new TestHandler("flaky", runs, (_, _) => fails ? throw new InvalidOperationException("not now") : Task.CompletedTask),
            new TestHandler("steady", runs));

        var failure = await Should.ThrowAsync<HandlerFailedException>(() => pipeline.Processor.ProcessAsync(Message, CancellationToken.None));

        failure.InnerExceptions.ShouldHaveSingleItem().Message.ShouldBe("not now");
        var row = (await pipeline.JournalRowsAsync()).ShouldHaveSingleItem();
        row.GetString("Handler_flaky").ShouldBe("failed");
        row.GetString("Handler_steady").ShouldBe("done");
        row.GetDateTimeOffset("ProcessedAt").ShouldBeNull();

        fails = false;
        var resumed = await pipeline.Processor.ProcessAsync(Message, CancellationToken.None);

        resumed.Entry.Outcome.ShouldBe(JournalOutcome.Resumed);
        runs.Select(run => run.Handler).ShouldBe(["flaky", "steady", "flaky"]);
        row = (await pipeline.JournalRowsAsync()).ShouldHaveSingleItem();
        row.GetString("Handler_flaky").ShouldBe("done");
        row.GetDateTimeOffset("ProcessedAt").ShouldNotBeNull();
    }

    [Fact]
    public async Task ADuplicate_RunsNothingAgain()
    {
        var runs = new Runs();
        await using var pipeline = Pipeline(new TestHandler("crm", runs));
        await pipeline.Processor.ProcessAsync(Message, CancellationToken.None);

        var resent = await pipeline.Processor.ProcessAsync(PipelineUnderTest.EnvelopeOf(SampleNotices.Answered, Received.AddMinutes(5)), CancellationToken.None);

        resent.Entry.Outcome.ShouldBe(JournalOutcome.Duplicate);
        runs.Count.ShouldBe(1);
    }

    [Fact]
    public async Task AVariant_RunsNoHandler()
    {
        var runs = new Runs();
        await using var pipeline = Pipeline(new TestHandler("crm", runs));
        await pipeline.Processor.ProcessAsync(Message, CancellationToken.None);

        var variant = await pipeline.Processor.ProcessAsync(PipelineUnderTest.EnvelopeOf(SampleNotices.AnsweredWith(("to", "1")), Received), CancellationToken.None);

        variant.Entry.Outcome.ShouldBe(JournalOutcome.Variant);
        runs.Count.ShouldBe(1);
        (await pipeline.JournalRowsAsync()).Count.ShouldBe(2);
    }

    [Fact]
    public async Task AHandlerThatIgnoresItsToken_FailsAtTheDeadline_AndTheNextOneRuns()
    {
        var runs = new Runs();
        var clock = new FakeTimeProvider(Received);
        var begun = new TaskCompletionSource();
        var never = new TaskCompletionSource();
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage(), services => services
            .AddSingleton<TimeProvider>(clock)
            .AddSingleton<ICallEventHandler>(new TestHandler("stuck", runs, (_, _) =>
            {
                begun.SetResult();
                return never.Task;
            }))
            .AddSingleton<ICallEventHandler>(new TestHandler("next", runs)));

        var processing = pipeline.Processor.ProcessAsync(Message, CancellationToken.None);
        await begun.Task;
        clock.Advance(TimeSpan.FromSeconds(59));
        processing.IsCompleted.ShouldBeFalse();
        clock.Advance(TimeSpan.FromSeconds(1));

        var failure = await Should.ThrowAsync<HandlerFailedException>(() => processing);
        failure.InnerExceptions.ShouldHaveSingleItem().ShouldBeOfType<TimeoutException>();
        runs.Select(run => run.Handler).ShouldBe(["stuck", "next"]);
        (await pipeline.JournalRowsAsync()).ShouldHaveSingleItem().GetString("Handler_next").ShouldBe("done");
    }

    [Fact]
    public async Task AHandlerThatBlocksItsThread_FailsAtTheDeadlineToo()
    {
        var clock = new FakeTimeProvider(Received);
        using var begun = new SemaphoreSlim(0);
        using var release = new ManualResetEventSlim();
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage(), services => services
            .AddSingleton<TimeProvider>(clock)
            .AddSingleton<ICallEventHandler>(new TestHandler("blocking", new Runs(), (_, _) =>
            {
                begun.Release();
                release.Wait(CancellationToken.None);
                return Task.CompletedTask;
            })));

        var processing = Task.Run(() => pipeline.Processor.ProcessAsync(Message, CancellationToken.None));
        await begun.WaitAsync();
        clock.Advance(TimeSpan.FromMinutes(1));

        try
        {
            await Should.ThrowAsync<HandlerFailedException>(() => processing.WaitAsync(TimeSpan.FromSeconds(30)));
        }
        finally
        {
            release.Set();
        }
    }

    [Fact]
    public async Task WhatFinishedBeforeAStop_IsNotRunAgainAfterIt()
    {
        var runs = new Runs();
        using var stopping = new CancellationTokenSource();
        await using var pipeline = Pipeline(
            new TestHandler("quick", runs),
            new TestHandler("slow", runs, async (_, cancellation) =>
            {
                await stopping.CancelAsync();
                cancellation.ThrowIfCancellationRequested();
            }));

        await Should.ThrowAsync<HandlerFailedException>(() => pipeline.Processor.ProcessAsync(Message, stopping.Token));
        await pipeline.Processor.ProcessAsync(Message, CancellationToken.None);

        runs.Select(run => run.Handler).ShouldBe(["quick", "slow", "slow"]);
    }

    [Fact]
    public async Task TwoProcessorsOnTheSameMessage_EndInOneRowAndOneGuardedEffect()
    {
        var storage = azurite.NewStorage();
        var effects = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        var attempts = 0;
        var both = new TaskCompletionSource();
        async Task Effect(CallEvent callEvent, CancellationToken cancellation)
        {
            if (Interlocked.Increment(ref attempts) == 2)
            {
                both.SetResult();
            }

            // The second may find the work done already.
            await Task.WhenAny(both.Task, Task.Delay(TimeSpan.FromSeconds(1), cancellation));
            effects.TryAdd(callEvent.Id, 1);
        }

        await using var one = new PipelineUnderTest(storage, services => services.AddSingleton<ICallEventHandler>(new TestHandler("crm", new Runs(), Effect)));
        await using var two = new PipelineUnderTest(storage, services => services.AddSingleton<ICallEventHandler>(new TestHandler("crm", new Runs(), Effect)));

        await Task.WhenAll(one.Processor.ProcessAsync(Message, CancellationToken.None), two.Processor.ProcessAsync(Message, CancellationToken.None));

        effects.ShouldHaveSingleItem().Key.ShouldBe(SampleNotices.AnsweredId);
        var row = (await one.JournalRowsAsync()).ShouldHaveSingleItem();
        row.GetString("Handler_crm").ShouldBe("done");
        row.GetDateTimeOffset("ProcessedAt").ShouldNotBeNull();
    }

    [Fact]
    public async Task TheLargestEvent_FitsTheJournal()
    {
        await using var pipeline = Pipeline();
        var overhead = SampleNotices.AnsweredWith(("conversation_uuid", "")).Length;
        var largest = SampleNotices.AnsweredWith(("conversation_uuid", new string('x', TeleCmiOptions.LargestEventBytes - overhead)));

        await pipeline.Processor.ProcessAsync(PipelineUnderTest.EnvelopeOf(largest, Received), CancellationToken.None);

        (await pipeline.JournalRowsAsync()).ShouldHaveSingleItem().GetDateTimeOffset("ProcessedAt").ShouldNotBeNull();
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("{}")]
    [InlineData("""{"specversion":"1.0","id":"x","type":"com.telecmi.outgoing.answered","time":"2026-01-01T00:00:00Z","data":[]}""")]
    public async Task AMessageThatIsNoEvent_FailsAndIsNotJournaled(string message)
    {
        await using var pipeline = Pipeline();

        await Should.ThrowAsync<InvalidDataException>(() => pipeline.Processor.ProcessAsync(Encoding.UTF8.GetBytes(message), CancellationToken.None));

        (await pipeline.JournalRowsAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("1st")]
    [InlineData("with space")]
    [InlineData("")]
    [InlineData("CRM", "crm")]
    public void AHandlerNameThatCannotBeAColumn_StopsTheApp(params string[] names)
    {
        using var services = new PipelineUnderTest(azurite.NewStorage(), services => Array.ForEach(names, name => services.AddSingleton<ICallEventHandler>(new TestHandler(name, new Runs())))).Services;

        var fault = Should.Throw<InvalidOperationException>(services.GetRequiredService<EventProcessor>);

        fault.Message.ShouldContain(names[0]);
    }

    private PipelineUnderTest Pipeline(params TestHandler[] handlers) =>
        new(azurite.NewStorage(), services => Array.ForEach(handlers, handler => services.AddSingleton<ICallEventHandler>(handler)));
}
