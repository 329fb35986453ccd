using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Pipeline.Processing;
using TeleCmi.TestSupport;

namespace TeleCmi.Pipeline.Tests;

public sealed class PoisonArchiveTests(AzuriteFixture azurite)
{
    private static readonly DateTimeOffset Received = new(2026, 3, 4, 5, 6, 7, 89, TimeSpan.Zero);
    private static readonly byte[] Message = PipelineUnderTest.EnvelopeOf(SampleNotices.Answered, Received);

    [Fact]
    public async Task AnEventThatFailedTooOften_IsKeptOnce_HoweverOftenItComes()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());

        await pipeline.PoisonArchive.ArchiveAsync(Message, Received.AddHours(1), CancellationToken.None);
        await pipeline.PoisonArchive.ArchiveAsync(Message, Received.AddHours(2), CancellationToken.None);

        var row = (await pipeline.DeadLetterRowsAsync()).ShouldHaveSingleItem();
        row.PartitionKey.ShouldBe("2026-03-04");
        row.RowKey.ShouldStartWith("050607089-");
        row.GetString("Reason").ShouldBe("poison");
        row.GetString("Kind").ShouldBe("outgoing.answered");
        row.GetString("EventId").ShouldBe(SampleNotices.AnsweredId);
        row.GetBinary("Body").ShouldBe(Message);
    }

    [Fact]
    public async Task TwoDeliveriesOfOneEventThatFailedTooOften_AreOneDeadLetter()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage(), services => services.AddSingleton<ICallEventHandler>(
            new TestHandler("broken", new Runs(), (_, _) => throw new InvalidOperationException("always"))));
        var resent = PipelineUnderTest.EnvelopeOf(SampleNotices.Answered, Received.AddMinutes(5));
        await Should.ThrowAsync<HandlerFailedException>(() => pipeline.Processor.ProcessAsync(Message, CancellationToken.None));
        await Should.ThrowAsync<HandlerFailedException>(() => pipeline.Processor.ProcessAsync(resent, CancellationToken.None));

        await pipeline.PoisonArchive.ArchiveAsync(resent, null, CancellationToken.None);
        await pipeline.PoisonArchive.ArchiveAsync(Message, null, CancellationToken.None);

        (await pipeline.DeadLetterRowsAsync()).ShouldHaveSingleItem().GetString("EventId").ShouldBe(SampleNotices.AnsweredId);
    }

    [Fact]
    public async Task TwoContentsUnderOneId_AreTwoDeadLetters()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());

        await pipeline.PoisonArchive.ArchiveAsync(Message, null, CancellationToken.None);
        await pipeline.PoisonArchive.ArchiveAsync(PipelineUnderTest.EnvelopeOf(SampleNotices.AnsweredWith(("to", "1")), Received), null, CancellationToken.None);

        (await pipeline.DeadLetterRowsAsync()).Count.ShouldBe(2);
    }

    [Fact]
    public async Task AnEventThatFailedTooOften_IsNoDeadLetterAnyMore_OnceAnotherDeliveryGetsThrough()
    {
        var fails = true;
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage(), services => services.AddSingleton<ICallEventHandler>(
            new TestHandler("flaky", new Runs(), (_, _) => fails ? throw new InvalidOperationException("not yet") : Task.CompletedTask)));
        await Should.ThrowAsync<HandlerFailedException>(() => pipeline.Processor.ProcessAsync(Message, CancellationToken.None));
        await pipeline.PoisonArchive.ArchiveAsync(Message, null, CancellationToken.None);
        (await pipeline.DeadLetterRowsAsync()).Count.ShouldBe(1);

        fails = false;
        await pipeline.Processor.ProcessAsync(PipelineUnderTest.EnvelopeOf(SampleNotices.Answered, Received.AddMinutes(5)), CancellationToken.None);

        (await pipeline.DeadLetterRowsAsync()).ShouldBeEmpty();
        (await pipeline.JournalRowsAsync()).ShouldHaveSingleItem().GetDateTimeOffset("ProcessedAt").ShouldNotBeNull();
    }

    [Fact]
    public async Task AnEventThatIsFinished_IsDropped()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());
        await pipeline.Processor.ProcessAsync(Message, CancellationToken.None);

        await pipeline.PoisonArchive.ArchiveAsync(Message, Received, CancellationToken.None);

        (await pipeline.DeadLetterRowsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task AMessageThatIsNoEvent_IsKeptAsItIs_Once()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());

        await pipeline.PoisonArchive.ArchiveAsync("hello"u8.ToArray(), Received, CancellationToken.None);
        await pipeline.PoisonArchive.ArchiveAsync("hello"u8.ToArray(), Received, CancellationToken.None);

        var row = (await pipeline.DeadLetterRowsAsync()).ShouldHaveSingleItem();
        row.GetBinary("Body").ShouldBe("hello"u8.ToArray());
        row.GetString("Reason").ShouldBe("poison");
        row.GetString("Error").ShouldContain("not a JSON object");
    }
}
