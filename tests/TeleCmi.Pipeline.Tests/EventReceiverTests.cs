using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using TeleCmi.Events;
using TeleCmi.Events.Samples;
using TeleCmi.LocalHost;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Storage;
using TeleCmi.TestSupport;

namespace TeleCmi.Pipeline.Tests;

public sealed class EventReceiverTests(AzuriteFixture azurite, StorageRequests requests)
{
    private const string Form = "application/x-www-form-urlencoded";
    private const int Limit = 16 * 1024;

    // Nothing listens on port 1.
    private static readonly string StorageGone = Azurite.ConnectionStringFor(new AzuritePorts(1, 1, 1));

    [Fact]
    public async Task JsonPost_IsAcceptedAndInTheQueueByteForByte()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());

        var answer = await pipeline.PostAsync(SampleNotices.Answered);

        answer.StatusCode.ShouldBe(200);
        answer.ContentType.ShouldBe("application/json");
        answer.ShouldBeAccepted(SampleNotices.AnsweredId);
        (await QueuedEventAsync(pipeline)).Notice.Json.ToArray().ShouldBe(SampleNotices.Answered);
    }

    [Fact]
    public async Task Get_HasTheSameIdAndContentAsPost()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());

        var answer = await pipeline.GetAsync($"?{SampleNotices.QueryOf(SampleNotices.Answered)}");

        answer.ShouldBeAccepted(SampleNotices.AnsweredId);
        (await QueuedEventAsync(pipeline)).Notice.ContentHash.ShouldBe(Read(SampleNotices.Answered).ContentHash);
    }

    [Theory]
    [InlineData(Form)]
    [InlineData($"{Form}; charset=utf-8")]
    public async Task FormPost_IsReadAsFields(string contentType)
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());

        var answer = await pipeline.PostAsync(Encoding.UTF8.GetBytes(SampleNotices.QueryOf(SampleNotices.Answered)), contentType);

        answer.ShouldBeAccepted(SampleNotices.AnsweredId);
        (await QueuedEventAsync(pipeline)).Notice.ContentHash.ShouldBe(Read(SampleNotices.Answered).ContentHash);
    }

    [Fact]
    public async Task EmptyPostWithAQuery_IsReadAsFields()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());

        var answer = await pipeline.PostAsync([], contentType: null, query: $"?{SampleNotices.QueryOf(SampleNotices.Answered)}");

        answer.ShouldBeAccepted(SampleNotices.AnsweredId);
    }

    [Theory]
    [InlineData(Form)]
    [InlineData("text/plain")]
    [InlineData(null)]
    public async Task JsonUnderAnotherLabel_IsReadAsJson(string? contentType)
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());

        var answer = await pipeline.PostAsync([.. "\r\n "u8, .. SampleNotices.Answered], contentType);

        answer.ShouldBeAccepted(SampleNotices.AnsweredId);
    }

    [Fact]
    public async Task EveryKindThatIsNotAccepted_IsIgnoredWithoutARequestToStorage()
    {
        var storage = azurite.NewStorage();
        await using var pipeline = new PipelineUnderTest(storage);
        foreach (var sample in DocumentedNotices.Load().Where(sample => Read(sample.Utf8).Kind is not EventKind.OutgoingAnswered))
        {
            var answer = await pipeline.PostAsync(sample.Utf8);

            answer.StatusCode.ShouldBe(200, sample.Name);
            answer.Text().ShouldBe($$"""{"status":"ignored","kind":"{{Read(sample.Utf8).Kind.Name()}}"}""");
        }

        requests.Of(storage).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("*")]
    [InlineData("outgoing.hangup, cdr.outgoing.answered,outgoing.answered")]
    public async Task AKindThatIsAccepted_IsQueued(string acceptedEvents)
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage(), settings: ("TeleCmi:AcceptedEvents", acceptedEvents));

        var answer = await pipeline.PostAsync(SampleNotices.AnsweredWith(("status", "hangup")));

        answer.Text().ShouldContain("\"accepted\"");
        (await QueuedEventAsync(pipeline)).Kind.ShouldBe(EventKind.OutgoingHangup);
    }

    public static TheoryData<byte[]> Unreadable => new(
        "hello"u8.ToArray(),
        "{\"app_id\":"u8.ToArray(),
        "[1]"u8.ToArray(),
        "{\"name\":\"not a notice\"}"u8.ToArray(),
        [(byte)'{', 0xC3, 0x28, (byte)'}'],
        [0, 1, 2, 255]);

    [Theory]
    [MemberData(nameof(Unreadable))]
    public async Task UnreadableBody_Is400AndKeptAsItCame(byte[] body)
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());

        var answer = await pipeline.PostAsync(body);

        answer.ShouldBeProblem(400, "unreadable");
        var kept = (await pipeline.DeadLetterRowsAsync()).ShouldHaveSingleItem();
        kept.GetBinary("Body").ShouldBe(body);
        kept.GetString("Reason").ShouldBe("rejected");
        kept.GetString("Error").ShouldNotBeNullOrWhiteSpace();
        (await pipeline.QueuedAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task TheSameUnreadableBodyTwice_IsKeptTwice()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage(), services => services.AddSingleton<TimeProvider>(new FakeTimeProvider()));

        await pipeline.PostAsync("hello"u8.ToArray());
        await pipeline.PostAsync("hello"u8.ToArray());

        (await pipeline.DeadLetterRowsAsync()).Count.ShouldBe(2);
    }

    [Theory]
    [InlineData("code")]
    [InlineData("CODE")]
    [InlineData("c%6Fde")]
    [InlineData("%63%6f%64%65")]
    [InlineData("clientId")]
    [InlineData("clientid")]
    public async Task TheKeyInTheQuery_ReachesNeitherQueueNorDeadLetters(string name)
    {
        const string Secret = "s3cr3t-function-key";
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());

        await pipeline.GetAsync($"?{name}={Secret}&{SampleNotices.QueryOf(SampleNotices.Answered)}&{name}={Secret}");
        await pipeline.GetAsync($"?what=ever&{name}={Secret}");

        Encoding.UTF8.GetString((await pipeline.QueuedAsync()).ShouldHaveSingleItem()).ShouldNotContain(Secret);
        var kept = (await pipeline.DeadLetterRowsAsync()).ShouldHaveSingleItem();
        Encoding.UTF8.GetString(kept.GetBinary("Body")).ShouldBe("what=ever");
    }

    [Fact]
    public async Task NoEvent_Is400AndKeptNowhere()
    {
        var storage = azurite.NewStorage();
        await using var pipeline = new PipelineUnderTest(storage);

        (await pipeline.PostAsync([])).ShouldBeProblem(400, "empty");
        (await pipeline.GetAsync("")).ShouldBeProblem(400, "empty");
        (await pipeline.GetAsync("?code=only-the-key")).ShouldBeProblem(400, "empty");
        (await pipeline.PostAsync(Stream.Null, hasTransferEncoding: true)).ShouldBeProblem(411, "length-required");

        requests.Of(storage).ShouldBeEmpty();
    }

    [Fact]
    public async Task AClaimBeyondTheLimit_Is413AndNothingIsRead()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());
        using var body = new EndlessStream();

        var answer = await pipeline.PostAsync(body, contentLength: Limit + 1);

        answer.ShouldBeProblem(413, "too-large");
        body.BytesRead.ShouldBe(0);
    }

    [Fact]
    public async Task ABodyBeyondTheLimit_Is413AndNoMoreThanTheLimitIsRead()
    {
        var storage = azurite.NewStorage();
        await using var pipeline = new PipelineUnderTest(storage);
        using var body = new EndlessStream();

        var answer = await pipeline.PostAsync(body, contentLength: 100);

        answer.ShouldBeProblem(413, "too-large");
        body.BytesRead.ShouldBe(Limit + 1, "one byte more tells that there is more");
        requests.Of(storage).ShouldBeEmpty("it is not kept");
    }

    [Fact]
    public async Task AQueryBeyondTheLimit_Is413()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());

        var answer = await pipeline.GetAsync($"?app_id=1&custom={new string('x', Limit)}");

        answer.ShouldBeProblem(413, "too-large");
    }

    [Fact]
    public async Task TheLargestEventThatMayBeSet_FitsTheQueue()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage(), settings: ("TeleCmi:MaxEventBytes", $"{TeleCmiOptions.LargestEventBytes}"));
        var overhead = SampleNotices.AnsweredWith(("custom", "")).Length;
        var largest = SampleNotices.AnsweredWith(("custom", new string('x', TeleCmiOptions.LargestEventBytes - overhead)));
        largest.Length.ShouldBe(TeleCmiOptions.LargestEventBytes);

        (await pipeline.PostAsync(largest)).ShouldBeAccepted(SampleNotices.AnsweredId);
        (await pipeline.PostAsync([.. largest, (byte)' '])).ShouldBeProblem(413, "too-large");

        (await QueuedEventAsync(pipeline)).Notice.Json.ToArray().ShouldBe(largest);
    }

    [Fact]
    public async Task AnAppIdThatIsNotServed_Is403AndNotQueued()
    {
        var storage = azurite.NewStorage();
        await using var pipeline = new PipelineUnderTest(storage, settings: ("TeleCmi:AppIds", "7, 2223343"));

        (await pipeline.PostAsync(SampleNotices.AnsweredWith(("app_id", 8)))).ShouldBeProblem(403, "unknown-app");
        (await pipeline.PostAsync(SampleNotices.AnsweredWith(("app_id", null)))).ShouldBeProblem(403, "unknown-app");
        requests.Of(storage).ShouldBeEmpty();

        (await pipeline.PostAsync(SampleNotices.Answered)).ShouldBeAccepted(SampleNotices.AnsweredId);
        (await pipeline.PostAsync(SampleNotices.AnsweredWith(("app_id", "7")))).StatusCode.ShouldBe(200);
    }

    [Fact]
    public async Task StorageGone_Is503WithRetryAfter()
    {
        await using var pipeline = new PipelineUnderTest(StorageGone);

        var answer = await pipeline.PostAsync(SampleNotices.Answered);

        answer.ShouldBeProblem(503, "storage-unavailable");
        answer.RetryAfterSeconds.ShouldBe("10");
    }

    [Fact]
    public async Task ARejectedBodyThatCannotBeKept_Is503()
    {
        await using var pipeline = new PipelineUnderTest(StorageGone);

        (await pipeline.PostAsync("hello"u8.ToArray())).ShouldBeProblem(503, "storage-unavailable");
    }

    [Fact]
    public async Task StorageThatDoesNotAnswer_Is503AtTheDeadlineAndNotBefore()
    {
        var clock = new FakeTimeProvider();
        await using var pipeline = new PipelineUnderTest(
            StorageGone, services => services.AddSingleton<TimeProvider>(clock).AddSingleton<IEventQueue, SilentQueue>());

        var answer = pipeline.PostAsync(SampleNotices.Answered);
        clock.Advance(TimeSpan.FromSeconds(7.9));
        answer.IsCompleted.ShouldBeFalse();
        clock.Advance(TimeSpan.FromSeconds(0.1));

        (await answer).ShouldBeProblem(503, "storage-unavailable");
    }

    [Fact]
    public async Task ABodyThatDoesNotCome_Is408()
    {
        var clock = new FakeTimeProvider();
        await using var pipeline = new PipelineUnderTest(StorageGone, services => services.AddSingleton<TimeProvider>(clock));
        using var body = new SilentStream();

        var answer = pipeline.PostAsync(body, contentLength: 100);
        clock.Advance(TimeSpan.FromSeconds(10));

        (await answer).ShouldBeProblem(408, "too-slow");
    }

    [Theory]
    [InlineData(typeof(IOException))]
    [InlineData(typeof(OperationCanceledException))]
    public async Task ABodyThatBreaksOff_Is400(Type fault)
    {
        await using var pipeline = new PipelineUnderTest(StorageGone);
        using var body = new BrokenStream((Exception)Activator.CreateInstance(fault)!);

        (await pipeline.PostAsync(body, contentLength: 100)).ShouldBeProblem(400, "broken-body");
    }

    [Fact]
    public async Task WhatComesFromOutside_IsNeverInAProblem()
    {
        const string Marker = "<script>marker";
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage(), settings: ("TeleCmi:AppIds", "7"));

        WebhookAnswer[] answers =
        [
            await pipeline.PostAsync(Encoding.UTF8.GetBytes(Marker)),
            await pipeline.PostAsync(new JsonObject { [Marker] = Marker }.ToJsonString().Select(c => (byte)c).ToArray()),
            await pipeline.PostAsync(SampleNotices.AnsweredWith(("app_id", Marker))),
            await pipeline.GetAsync($"?{Marker}={Marker}"),
        ];

        answers.ShouldAllBe(answer => answer.StatusCode >= 400 && !answer.Text().Contains("marker"));
    }

    private static Notice Read(byte[] json)
    {
        Notice.TryRead(json, out var notice, out var fault).ShouldBeTrue(fault);
        return notice!;
    }

    private static async Task<CallEvent> QueuedEventAsync(PipelineUnderTest pipeline)
    {
        var envelope = (await pipeline.QueuedAsync()).ShouldHaveSingleItem();
        EventEnvelope.TryRead(envelope, out var callEvent, out var fault).ShouldBeTrue(fault);
        return callEvent!;
    }

    private sealed class SilentQueue : IEventQueue
    {
        public Task EnqueueAsync(ReadOnlyMemory<byte> envelope, CancellationToken cancellation) => Task.Delay(Timeout.Infinite, cancellation);
    }
}
