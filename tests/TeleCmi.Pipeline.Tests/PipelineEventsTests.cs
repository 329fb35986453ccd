using System.Collections.Concurrent;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Tests;

public sealed class PipelineEventsTests
{
    private readonly ConcurrentQueue<PipelineEvent> _heard = new();

    [Fact]
    public async Task AcceptedRequest_IsReadQueuedAndEnded_ThenProcessed()
    {
        await using var pipeline = Heard();

        await pipeline.ReceiveAsync(Request(SampleNotices.Answered));
        await pipeline.ProcessAsync((await pipeline.QueuedAsync()).ShouldHaveSingleItem());

        Types().ShouldBe([typeof(RequestRead), typeof(EventQueueing), typeof(RequestEnded), typeof(ProcessingStarted), typeof(ProcessedEvent)]);
        _heard.OfType<EventQueueing>().Single().Request.ShouldBe(new RequestId(42));
        _heard.OfType<EventQueueing>().Single().Event.Id.ShouldBe(SampleNotices.AnsweredId);
        var ended = _heard.OfType<RequestEnded>().Single();
        ended.Request.ShouldBe(new RequestId(42));
        ended.Response.Case.ShouldBe(WebhookCase.Accepted);
    }

    [Fact]
    public async Task RejectedRequest_IsReadAndEnded()
    {
        await using var pipeline = Heard();

        await pipeline.ReceiveAsync(Request("hello"u8.ToArray()));

        Types().ShouldBe([typeof(RequestRead), typeof(RequestEnded)]);
        _heard.OfType<RequestEnded>().Single().Response.Case.ShouldBe(WebhookCase.Rejected);
    }

    [Fact]
    public async Task IgnoredRequest_IsReadAndEnded()
    {
        await using var pipeline = Heard();

        await pipeline.ReceiveAsync(Request(SampleNotices.AnsweredWith(("status", "hangup"))));

        Types().ShouldBe([typeof(RequestRead), typeof(RequestEnded)]);
        _heard.OfType<RequestEnded>().Single().Response.Case.ShouldBe(WebhookCase.Ignored);
    }

    [Fact]
    public async Task FailedTry_IsToldWithItsCause_AndThenTheDeadLetter()
    {
        await using var pipeline = Heard(new TestHandler("broken", [], (_, _) => throw new InvalidOperationException("no")));
        var message = PipelineUnderTest.EnvelopeOf(SampleNotices.Answered);

        await Should.ThrowAsync<HandlerFailedException>(() => pipeline.ProcessAsync(message));
        await pipeline.ArchiveAsync(message);

        Types().ShouldBe([typeof(ProcessingStarted), typeof(ProcessingFailed), typeof(PoisonArchived)]);
        _heard.OfType<ProcessingFailed>().Single().Failure.ShouldBeOfType<HandlerFailedException>();
    }

    [Fact]
    public async Task WithoutAListener_NothingIsMade()
    {
        await using var silent = new PipelineUnderTest();
        await using var heard = Heard();
        silent.Get<PipelineEvents>().IsHeard.ShouldBeFalse();
        heard.Get<PipelineEvents>().IsHeard.ShouldBeTrue();

        // Three events of at least 32 bytes each, and an event to show.
        (await AllocatedAsync(heard) - await AllocatedAsync(silent)).ShouldBeGreaterThan(150);
    }

    private static async Task<long> AllocatedAsync(PipelineUnderTest pipeline)
    {
        const int Times = 50;
        var requests = Enumerable.Range(0, 2 * Times).Select(_ => Request(SampleNotices.Answered)).ToArray();
        foreach (var request in requests[Times..])
        {
            await pipeline.ReceiveAsync(request);
        }

        // All is done on this thread: the store is in memory, and the clock stands.
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var request in requests[..Times])
        {
            await pipeline.ReceiveAsync(request);
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / Times;
    }

    private PipelineUnderTest Heard(params TestHandler[] handlers)
    {
        var pipeline = new PipelineUnderTest(handlers);
        pipeline.Get<PipelineEvents>().Listen(_heard.Enqueue);
        return pipeline;
    }

    private IEnumerable<Type> Types() => _heard.Select(heard => heard.GetType());

    private static WebhookRequest Request(byte[] body) =>
        new(IsPost: true, "", new MemoryStream(body), "application/json", body.Length, HasTransferEncoding: false, new RequestId(42));
}
