using Microsoft.Azure.Functions.Worker.Http;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Functions.Tests;

public sealed class ReceiveEventTests : IDisposable
{
    private readonly TestStore _store = new(TimeProvider.System);

    [Fact]
    public async Task AcceptedEvent_GetsItsId_AndIsInTheQueue()
    {
        var response = await ReceiveAsync(WebhookCall.Post(SampleNotices.Answered));

        ((int)response.StatusCode).ShouldBe(200);
        response.Header("Content-Type").ShouldBe("application/json");
        response.Header("Retry-After").ShouldBeNull();
        var queued = (await QueuedEventsAsync()).ShouldHaveSingleItem();
        response.Text().ShouldBe($$"""{"status":"accepted","id":"{{queued.Id}}","kind":"outgoing.answered"}""");
    }

    [Fact]
    public async Task Response_WaitsUntilTheQueueHasTheEvent()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.Before = (_, cancellation) => gate.Task.WaitAsync(cancellation);
        await using var app = await StartAsync(("TeleCmi__EnqueueDeadline", "00:00:30"));

        var receiving = app.Trigger<ReceiveEvent>().RunAsync(WebhookCall.Post(SampleNotices.Answered));
        receiving.IsCompleted.ShouldBeFalse();
        gate.SetResult();

        ((int)(await receiving).StatusCode).ShouldBe(200);
        (await _store.QueuedAsync()).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("text/plain")]
    [InlineData("not a media type")]
    [InlineData(null)]
    public async Task Json_IsReadWhateverTheContentTypeSays(string? contentType)
    {
        var response = await ReceiveAsync(WebhookCall.Post(SampleNotices.Answered, contentType));

        ((int)response.StatusCode).ShouldBe(200);
        (await _store.QueuedAsync()).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task SameEvent_ByGetFormAndPost_HasTheSameId()
    {
        var query = SampleNotices.QueryOf(SampleNotices.Answered);
        await using var app = await StartAsync();
        foreach (var call in new[]
        {
            WebhookCall.Post(SampleNotices.Answered),
            WebhookCall.Get(query),
            WebhookCall.Post(query, "application/x-www-form-urlencoded"),
            WebhookCall.Post("", contentType: null, $"{WebhookCall.Address}?{query}"),
        })
        {
            ((int)(await app.Trigger<ReceiveEvent>().RunAsync(call)).StatusCode).ShouldBe(200);
        }

        var events = await QueuedEventsAsync();
        events.Count.ShouldBe(4);
        events.Select(callEvent => callEvent.Id).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
        events.Select(callEvent => callEvent.Notice.ContentHash).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task FunctionKey_ReachesNeitherTheQueueNorTheResponse()
    {
        var response = await ReceiveAsync(WebhookCall.Get($"code=the-function-key&{SampleNotices.QueryOf(SampleNotices.Answered)}&clientId=default"));

        ((int)response.StatusCode).ShouldBe(200);
        var envelope = System.Text.Encoding.UTF8.GetString((await _store.QueuedAsync()).ShouldHaveSingleItem());
        envelope.ShouldNotContain("the-function-key");
        envelope.ShouldNotContain("clientId");
        response.Text().ShouldNotContain("the-function-key");
    }

    [Fact]
    public async Task NoticeOfAnotherKind_IsAcknowledgedButNotQueued()
    {
        var response = await ReceiveAsync(WebhookCall.Post(SampleNotices.AnsweredWith(("status", "hangup"))));

        ((int)response.StatusCode).ShouldBe(200);
        response.Text().ShouldBe("""{"status":"ignored","kind":"outgoing.hangup"}""");
        (await _store.QueuedAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task PostWithoutBodyAndFields_IsNotAcknowledged()
    {
        (await ReceiveAsync(WebhookCall.Post("", contentType: null))).ShouldBeProblem(400, "empty");
        (await _store.QueuedAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task GetWithNothingButTheKey_IsNotAcknowledged() =>
        (await ReceiveAsync(WebhookCall.Get("code=the-function-key"))).ShouldBeProblem(400, "empty");

    [Fact]
    public async Task ChunkedPost_WhoseBodyThePlatformDropped_IsToldSo()
    {
        var call = WebhookCall.Post("");
        call.Headers.Add("Transfer-Encoding", "chunked");

        (await ReceiveAsync(call)).ShouldBeProblem(411, "length-required");
    }

    [Fact]
    public async Task EventLargerThanTheLimit_IsRefused()
    {
        var padding = new string('x', 16 * 1024);

        (await ReceiveAsync(WebhookCall.Post($$"""{"app_id":1,"custom":"{{padding}}"}"""))).ShouldBeProblem(413, "too-large");
        (await _store.QueuedAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task EventOfAnotherApp_IsRefused()
    {
        (await ReceiveAsync(WebhookCall.Post(SampleNotices.Answered), ("TeleCmi__AppIds", "1,2"))).ShouldBeProblem(403, "unknown-app");
        (await _store.QueuedAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task EventThatTheQueueRefuses_IsToBeSentAgain()
    {
        _store.Fail();

        var response = await ReceiveAsync(WebhookCall.Post(SampleNotices.Answered));

        response.ShouldBeProblem(503, "storage-unavailable");
        response.Header("Retry-After").ShouldBe("10");
    }

    [Fact]
    public async Task EventThatTheQueueDoesNotTakeInTime_IsToBeSentAgain()
    {
        _store.Before = (_, cancellation) => Task.Delay(Timeout.Infinite, cancellation);

        var response = await ReceiveAsync(WebhookCall.Post(SampleNotices.Answered));

        response.ShouldBeProblem(503, "storage-unavailable");
        response.Header("Retry-After").ShouldBe("10");
    }

    [Fact]
    public async Task UnreadableBodyThatCannotBeKept_IsToBeSentAgain()
    {
        _store.Fail();

        var response = await ReceiveAsync(WebhookCall.Post("not json"));

        response.ShouldBeProblem(503, "storage-unavailable");
        response.Header("Retry-After").ShouldBe("10");
    }

    [Fact]
    public async Task Event_OfASenderThatNamesNoHostIsAccepted()
    {
        var response = await ReceiveAsync(WebhookCall.Post(SampleNotices.Answered, address: "http:///api/telecmi/events"));

        ((int)response.StatusCode).ShouldBe(200);
        (await _store.QueuedAsync()).ShouldHaveSingleItem();
    }

    public void Dispose() => _store.Dispose();

    private async Task<HttpResponseData> ReceiveAsync(WebhookCall call, params (string Name, string Value)[] settings)
    {
        await using var app = await StartAsync(settings);
        return await app.Trigger<ReceiveEvent>().RunAsync(call);
    }

    private async Task<IReadOnlyList<CallEvent>> QueuedEventsAsync() =>
        [.. (await _store.QueuedAsync()).Select(message => EventEnvelope.TryRead(message, out var callEvent, out var fault) ? callEvent : throw new InvalidDataException(fault))];

    private Task<RunningApp> StartAsync(params (string Name, string Value)[] settings)
    {
        var all = RunningApp.Settings();
        foreach (var (name, value) in settings)
        {
            all[name] = value;
        }

        return RunningApp.StartAsync(all, services => services.AddSingleton<IStore>(_store));
    }
}
