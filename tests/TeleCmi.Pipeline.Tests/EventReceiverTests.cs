using System.Text;
using System.Text.Json.Nodes;
using TeleCmi.Events;
using TeleCmi.Events.Samples;
using TeleCmi.Pipeline.Receiving;

namespace TeleCmi.Pipeline.Tests;

public sealed class EventReceiverTests
{
    private const string Form = "application/x-www-form-urlencoded";
    private const int Limit = 16 * 1024;

    [Fact]
    public async Task JsonPost_IsAcceptedAndInTheQueueByteForByte()
    {
        await using var pipeline = new PipelineUnderTest();

        var response = await pipeline.PostAsync(SampleNotices.Answered);

        response.Status.ShouldBe(200);
        response.ContentType.ShouldBe("application/json");
        response.ShouldBeAccepted(SampleNotices.AnsweredId);
        (await QueuedEventAsync(pipeline)).Notice.Json.ToArray().ShouldBe(SampleNotices.Answered);
    }

    [Fact]
    public async Task Get_HasTheSameIdAndContentAsPost()
    {
        await using var pipeline = new PipelineUnderTest();

        var response = await pipeline.GetAsync($"?{SampleNotices.QueryOf(SampleNotices.Answered)}");

        response.ShouldBeAccepted(SampleNotices.AnsweredId);
        (await QueuedEventAsync(pipeline)).Notice.ContentHash.ShouldBe(Read(SampleNotices.Answered).ContentHash);
    }

    [Theory]
    [InlineData(Form)]
    [InlineData($"{Form}; charset=utf-8")]
    public async Task FormPost_IsReadAsFields(string contentType)
    {
        await using var pipeline = new PipelineUnderTest();

        var response = await pipeline.PostAsync(Encoding.UTF8.GetBytes(SampleNotices.QueryOf(SampleNotices.Answered)), contentType);

        response.ShouldBeAccepted(SampleNotices.AnsweredId);
        (await QueuedEventAsync(pipeline)).Notice.ContentHash.ShouldBe(Read(SampleNotices.Answered).ContentHash);
    }

    [Fact]
    public async Task EmptyPostWithAQuery_IsReadAsFields()
    {
        await using var pipeline = new PipelineUnderTest();

        var response = await pipeline.PostAsync([], contentType: null, query: $"?{SampleNotices.QueryOf(SampleNotices.Answered)}");

        response.ShouldBeAccepted(SampleNotices.AnsweredId);
    }

    [Theory]
    [InlineData(Form)]
    [InlineData("text/plain")]
    [InlineData(null)]
    public async Task JsonUnderAnotherLabel_IsReadAsJson(string? contentType)
    {
        await using var pipeline = new PipelineUnderTest();

        var response = await pipeline.PostAsync([.. "\r\n "u8, .. SampleNotices.Answered], contentType);

        response.ShouldBeAccepted(SampleNotices.AnsweredId);
    }

    [Fact]
    public async Task KindThatIsNotAccepted_IsIgnoredWithoutARequestToStorage()
    {
        await using var pipeline = new PipelineUnderTest();

        foreach (var sample in DocumentedNotices.Load().Where(sample => Read(sample.Utf8).Kind is not EventKind.OutgoingAnswered))
        {
            var response = await pipeline.PostAsync(sample.Utf8);

            response.Status.ShouldBe(200, sample.Name);
            response.Text().ShouldBe($$"""{"status":"ignored","kind":"{{Read(sample.Utf8).Kind.Name()}}"}""");
        }

        pipeline.Store.Operations.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("*")]
    [InlineData("outgoing.hangup, cdr.outgoing.answered,outgoing.answered")]
    public async Task KindThatIsAccepted_IsQueued(string acceptedEvents)
    {
        await using var pipeline = new PipelineUnderTest(settings: ("TeleCmi:AcceptedEvents", acceptedEvents));

        var response = await pipeline.PostAsync(SampleNotices.AnsweredWith(("status", "hangup")));

        response.Text().ShouldContain("\"accepted\"");
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
        await using var pipeline = new PipelineUnderTest();

        var response = await pipeline.PostAsync(body);

        response.ShouldBeProblem(400, "unreadable");
        var kept = await pipeline.DeadLetterRowAsync();
        kept.Bytes("Body").ShouldBe(body);
        kept.Text("Reason").ShouldBe("rejected");
        kept.Text("Error").ShouldNotBeNullOrWhiteSpace();
        (await pipeline.QueuedAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task SameUnreadableBodyTwice_IsKeptTwice()
    {
        await using var pipeline = new PipelineUnderTest();

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
    public async Task KeyInTheQuery_ReachesNeitherQueueNorDeadLetters(string name)
    {
        const string Secret = "s3cr3t-function-key";
        await using var pipeline = new PipelineUnderTest();

        await pipeline.GetAsync($"?{name}={Secret}&{SampleNotices.QueryOf(SampleNotices.Answered)}&{name}={Secret}");
        await pipeline.GetAsync($"?what=ever&{name}={Secret}");

        Encoding.UTF8.GetString((await pipeline.QueuedAsync()).ShouldHaveSingleItem()).ShouldNotContain(Secret);
        var kept = await pipeline.DeadLetterRowAsync();
        Encoding.UTF8.GetString(kept.Bytes("Body")!).ShouldBe("what=ever");
    }

    [Fact]
    public async Task NoEvent_Is400AndKeptNowhere()
    {
        await using var pipeline = new PipelineUnderTest();

        (await pipeline.PostAsync([])).ShouldBeProblem(400, "empty");
        (await pipeline.GetAsync("")).ShouldBeProblem(400, "empty");
        (await pipeline.GetAsync("?code=only-the-key")).ShouldBeProblem(400, "empty");
        (await pipeline.PostAsync(Stream.Null, hasTransferEncoding: true)).ShouldBeProblem(411, "length-required");

        pipeline.Store.Operations.ShouldBeEmpty();
    }

    [Fact]
    public async Task ClaimBeyondTheLimit_Is413AndNothingIsRead()
    {
        await using var pipeline = new PipelineUnderTest();
        using var body = new EndlessStream();

        var response = await pipeline.PostAsync(body, contentLength: Limit + 1);

        response.ShouldBeProblem(413, "too-large");
        body.BytesRead.ShouldBe(0);
    }

    [Fact]
    public async Task BodyBeyondTheLimit_Is413AndNoMoreThanTheLimitIsRead()
    {
        await using var pipeline = new PipelineUnderTest();
        using var body = new EndlessStream();

        var response = await pipeline.PostAsync(body, contentLength: 100);

        response.ShouldBeProblem(413, "too-large");
        body.BytesRead.ShouldBe(Limit + 1, "one byte more tells that there is more");
        pipeline.Store.Operations.ShouldBeEmpty("it is not kept");
    }

    [Fact]
    public async Task QueryBeyondTheLimit_Is413()
    {
        await using var pipeline = new PipelineUnderTest();

        var response = await pipeline.GetAsync($"?app_id=1&custom={new string('x', Limit)}");

        response.ShouldBeProblem(413, "too-large");
    }

    [Fact]
    public async Task LargestEventThatMayBeSet_FitsTheQueue()
    {
        await using var pipeline = new PipelineUnderTest(settings: ("TeleCmi:MaxEventBytes", $"{TeleCmiOptions.LargestEventBytes}"));
        var overhead = SampleNotices.AnsweredWith(("custom", "")).Length;
        var largest = SampleNotices.AnsweredWith(("custom", new string('x', TeleCmiOptions.LargestEventBytes - overhead)));
        largest.Length.ShouldBe(TeleCmiOptions.LargestEventBytes);

        (await pipeline.PostAsync(largest)).ShouldBeAccepted(SampleNotices.AnsweredId);
        (await pipeline.PostAsync([.. largest, (byte)' '])).ShouldBeProblem(413, "too-large");

        (await QueuedEventAsync(pipeline)).Notice.Json.ToArray().ShouldBe(largest);
    }

    [Fact]
    public async Task AppIdThatIsNotServed_Is403AndNotQueued()
    {
        await using var pipeline = new PipelineUnderTest(settings: ("TeleCmi:AppIds", "7, 2223343"));

        (await pipeline.PostAsync(SampleNotices.AnsweredWith(("app_id", 8)))).ShouldBeProblem(403, "unknown-app");
        (await pipeline.PostAsync(SampleNotices.AnsweredWith(("app_id", null)))).ShouldBeProblem(403, "unknown-app");
        pipeline.Store.Operations.ShouldBeEmpty();

        (await pipeline.PostAsync(SampleNotices.Answered)).ShouldBeAccepted(SampleNotices.AnsweredId);
        (await pipeline.PostAsync(SampleNotices.AnsweredWith(("app_id", "7")))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task StorageGone_Is503WithRetryAfter()
    {
        await using var pipeline = new PipelineUnderTest();
        pipeline.Store.Fail();

        var response = await pipeline.PostAsync(SampleNotices.Answered);

        response.ShouldBeProblem(503, "storage-unavailable");
        response.RetryAfterSeconds.ShouldBe("10");
    }

    [Fact]
    public async Task RejectedBodyThatCannotBeKept_Is503()
    {
        await using var pipeline = new PipelineUnderTest();
        pipeline.Store.Fail();

        (await pipeline.PostAsync("hello"u8.ToArray())).ShouldBeProblem(503, "storage-unavailable");
    }

    [Fact]
    public async Task StorageThatDoesNotRespond_Is503AtTheDeadlineAndNotBefore()
    {
        await using var pipeline = new PipelineUnderTest();
        pipeline.Store.Before = (_, cancellation) => Task.Delay(Timeout.Infinite, cancellation);

        var response = pipeline.PostAsync(SampleNotices.Answered);
        pipeline.Clock.Advance(TimeSpan.FromSeconds(7.9));
        response.IsCompleted.ShouldBeFalse();
        pipeline.Clock.Advance(TimeSpan.FromSeconds(0.1));

        (await response).ShouldBeProblem(503, "storage-unavailable");
    }

    [Fact]
    public async Task BodyThatDoesNotCome_Is408()
    {
        await using var pipeline = new PipelineUnderTest();
        using var body = new SilentStream();

        var response = pipeline.PostAsync(body, contentLength: 100);
        pipeline.Clock.Advance(TimeSpan.FromSeconds(10));

        (await response).ShouldBeProblem(408, "too-slow");
    }

    [Theory]
    [InlineData(typeof(IOException))]
    [InlineData(typeof(OperationCanceledException))]
    public async Task BodyThatBreaksOff_Is400(Type fault)
    {
        await using var pipeline = new PipelineUnderTest();
        using var body = new BrokenStream((Exception)Activator.CreateInstance(fault)!);

        (await pipeline.PostAsync(body, contentLength: 100)).ShouldBeProblem(400, "broken-body");
    }

    [Fact]
    public async Task WhatComesFromOutside_IsNeverInAProblem()
    {
        const string Marker = "<script>marker";
        await using var pipeline = new PipelineUnderTest(settings: ("TeleCmi:AppIds", "7"));

        WebhookResponse[] responses =
        [
            await pipeline.PostAsync(Encoding.UTF8.GetBytes(Marker)),
            await pipeline.PostAsync(new JsonObject { [Marker] = Marker }.ToJsonString().Select(c => (byte)c).ToArray()),
            await pipeline.PostAsync(SampleNotices.AnsweredWith(("app_id", Marker))),
            await pipeline.GetAsync($"?{Marker}={Marker}"),
        ];

        responses.ShouldAllBe(response => response.Status >= 400 && !response.Text().Contains("marker"));
    }

    private static Notice Read(byte[] json)
    {
        Notice.TryRead(json, out var notice, out var fault).ShouldBeTrue(fault);
        return notice!;
    }

    private static async Task<CallEvent> QueuedEventAsync(PipelineUnderTest pipeline) => PipelineUnderTest.Read((await pipeline.QueuedAsync()).ShouldHaveSingleItem());
}
