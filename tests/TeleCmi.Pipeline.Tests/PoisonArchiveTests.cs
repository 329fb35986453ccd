using System.Text;
using TeleCmi.Events;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Processing;
using static TeleCmi.Pipeline.Tests.PipelineUnderTest;

namespace TeleCmi.Pipeline.Tests;

public sealed class PoisonArchiveTests
{
    private static readonly byte[] Message = EnvelopeOf(SampleNotices.Answered);
    private static readonly byte[] Variant = EnvelopeOf(SampleNotices.AnsweredWith(("to", "1")), Start.AddMinutes(1));
    private static readonly byte[] Forward = new ForwardMessage { Destination = "crm", Attempt = 3, QueuedAt = Start, Event = EnvelopedEvent.Of(Read(Message)) }.ToUtf8().ToArray();

    private bool _fails = true;

    [Fact]
    public async Task EventThatFailedTooOften_IsKeptOnce_HoweverOftenItComes()
    {
        await using var pipeline = new PipelineUnderTest();

        await pipeline.ArchiveAsync(Message, Start.AddHours(1));
        await pipeline.ArchiveAsync(Message, Start.AddHours(2));

        var row = await pipeline.DeadLetterRowAsync();
        row.Key.Partition.ShouldBe("2026-03-04");
        row.Key.Row.ShouldStartWith("050607089-");
        row.Text("Reason").ShouldBe("poison");
        row.Text("Kind").ShouldBe("outgoing.answered");
        row.Text("EventId").ShouldBe(SampleNotices.AnsweredId);
        row.Text("Error").ShouldBe("The event never reached the journal: storage failed, or the process ended each time.");
        row.Bytes("Body").ShouldBe(Message);
    }

    [Fact]
    public async Task EventThatFailedTooOften_SaysItsLastFailuresTypeAndMessage()
    {
        var failures = new Queue<Exception>([new InvalidOperationException("the first"), new HttpRequestException("CRM is down.")]);
        await using var pipeline = Flaky(failures.Dequeue);
        await FailsAsync(pipeline, Message);
        await FailsAsync(pipeline, Message);

        await pipeline.ArchiveAsync(Message);

        (await pipeline.DeadLetterRowAsync()).Text("Error").ShouldBe("Processing failed 5 times, at last with HttpRequestException: CRM is down.");
    }

    [Fact]
    public async Task VariantWhoseHandlerFails_IsADeadLetterWithItsFailure_AndNotTakenForFinished()
    {
        await using var pipeline = Flaky(() => new InvalidOperationException("not yet"));
        await FailsAsync(pipeline, Message);
        await FailsAsync(pipeline, Variant);

        await pipeline.ArchiveAsync(Variant);

        var row = await pipeline.DeadLetterRowAsync();
        row.Bytes("Body").ShouldBe(Variant);
        row.Text("Error").ShouldNotBeNull().ShouldEndWith("InvalidOperationException: not yet");
    }

    [Fact]
    public async Task VariantThatFailedTooOften_IsNoDeadLetterAnyMore_OnceALaterDeliveryGetsThrough()
    {
        await using var pipeline = Flaky(() => new InvalidOperationException("not yet"));
        await FailsAsync(pipeline, Message);
        await FailsAsync(pipeline, Variant);
        await pipeline.ArchiveAsync(Variant);

        _fails = false;
        await pipeline.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredWith(("to", "1")), Start.AddMinutes(9)));

        (await pipeline.DeadLetterRowsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task TwoDeliveriesOfOneEventThatFailedTooOften_AreOneDeadLetter()
    {
        await using var pipeline = Flaky(() => new InvalidOperationException("always"));
        var resent = EnvelopeOf(SampleNotices.Answered, Start.AddMinutes(5));
        await FailsAsync(pipeline, Message);
        await FailsAsync(pipeline, resent);

        await pipeline.ArchiveAsync(resent);
        await pipeline.ArchiveAsync(Message);

        (await pipeline.DeadLetterRowAsync()).Text("EventId").ShouldBe(SampleNotices.AnsweredId);
    }

    [Fact]
    public async Task TwoContentsUnderOneId_AreTwoDeadLetters()
    {
        await using var pipeline = new PipelineUnderTest();

        await pipeline.ArchiveAsync(Message);
        await pipeline.ArchiveAsync(Variant);

        (await pipeline.DeadLetterRowsAsync()).Count.ShouldBe(2);
    }

    [Fact]
    public async Task EventThatFailedTooOften_IsNoDeadLetterAnyMore_OnceAnotherDeliveryGetsThrough()
    {
        await using var pipeline = Flaky(() => new InvalidOperationException("not yet"));
        await FailsAsync(pipeline, Message);
        await pipeline.ArchiveAsync(Message);
        (await pipeline.DeadLetterRowsAsync()).Count.ShouldBe(1);

        _fails = false;
        await pipeline.ProcessAsync(EnvelopeOf(SampleNotices.Answered, Start.AddMinutes(5)));

        (await pipeline.DeadLetterRowsAsync()).ShouldBeEmpty();
        (await pipeline.JournalRowAsync()).Time("ProcessedAt").ShouldNotBeNull();
    }

    [Fact]
    public async Task EventThatIsFinished_IsDropped()
    {
        await using var pipeline = new PipelineUnderTest();
        await pipeline.ProcessAsync(Message);

        await pipeline.ArchiveAsync(Message);

        (await pipeline.DeadLetterRowsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task ForwardThatBrokeOffTooOften_IsKeptForItsDestination()
    {
        await using var pipeline = new PipelineUnderTest();

        await pipeline.ArchiveAsync(Forward, Start.AddHours(1));
        await pipeline.ArchiveAsync(Forward, Start.AddHours(2));

        var row = await pipeline.DeadLetterRowAsync();
        row.Text("Reason").ShouldBe("forward");
        row.Text("Destination").ShouldBe("crm");
        row.Bytes("Body").ShouldBe(Message);
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("""{"destination":"crm","attempt":1,"deferrals":0,"queuedAt":"2026-11-20T10:00:00Z","envelope":{}}""")]
    public async Task UnreadableMessage_IsKeptAsItIs_Once(string text)
    {
        await using var pipeline = new PipelineUnderTest();
        var message = Encoding.UTF8.GetBytes(text);

        await pipeline.ArchiveAsync(message);
        await pipeline.ArchiveAsync(message);

        var row = await pipeline.DeadLetterRowAsync();
        row.Bytes("Body").ShouldBe(message);
        row.Text("Reason").ShouldBe("poison");
        row.Text("Error").ShouldNotBeNullOrWhiteSpace();
    }

    [Fact]
    public async Task StorageThatFails_LeavesTheMessageInThePoisonQueue()
    {
        await using var pipeline = new PipelineUnderTest();
        pipeline.Store.Fail("insert DeadLetters");

        await Should.ThrowAsync<Storage.StorageException>(() => pipeline.ArchiveAsync(Message));
    }

    private PipelineUnderTest Flaky(Func<Exception> failure) =>
        new(new TestHandler("flaky", [], (_, _) => _fails ? throw failure() : Task.CompletedTask));

    private static Task<HandlerFailedException> FailsAsync(PipelineUnderTest pipeline, byte[] message) => Should.ThrowAsync<HandlerFailedException>(() => pipeline.ProcessAsync(message));
}
