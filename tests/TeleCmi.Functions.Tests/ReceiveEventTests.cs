using Microsoft.Azure.Functions.Worker.Http;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Functions.Tests;

public sealed class ReceiveEventTests
{
    private readonly MemoryQueue _queue = new();

    [Fact]
    public async Task Accepted_event_is_answered_with_its_id_and_lies_in_the_queue()
    {
        var answer = await ReceiveAsync(WebhookCall.Post(Samples.Answered));

        ((int)answer.StatusCode).ShouldBe(200);
        answer.Header("Content-Type").ShouldBe("application/json");
        answer.Header("Retry-After").ShouldBeNull();
        var queued = _queue.Events.ShouldHaveSingleItem();
        answer.Text().ShouldBe($$"""{"status":"accepted","id":"{{queued.Id}}","kind":"outgoing.answered"}""");
    }

    [Fact]
    public async Task Answer_waits_until_the_queue_has_the_event()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.MayAnswer = gate.Task;
        await using var app = await StartAsync(("TeleCmi__EnqueueDeadline", "00:00:30"));

        var receiving = app.Trigger<ReceiveEvent>().RunAsync(WebhookCall.Post(Samples.Answered));
        receiving.IsCompleted.ShouldBeFalse();
        gate.SetResult();

        ((int)(await receiving).StatusCode).ShouldBe(200);
        _queue.Messages.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("text/plain")]
    [InlineData("not a media type")]
    [InlineData(null)]
    public async Task Json_is_read_whatever_the_content_type_says(string? contentType)
    {
        var answer = await ReceiveAsync(WebhookCall.Post(Samples.Answered, contentType));

        ((int)answer.StatusCode).ShouldBe(200);
        _queue.Messages.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Same_event_by_get_by_form_and_by_post_has_the_same_id()
    {
        var query = Samples.AsQuery(Samples.Answered);
        await using var app = await StartAsync();
        foreach (var call in new[]
        {
            WebhookCall.Post(Samples.Answered),
            WebhookCall.Get(query),
            WebhookCall.Post(query, "application/x-www-form-urlencoded"),
            WebhookCall.Post("", contentType: null, $"{WebhookCall.Address}?{query}"),
        })
        {
            ((int)(await app.Trigger<ReceiveEvent>().RunAsync(call)).StatusCode).ShouldBe(200);
        }

        _queue.Events.Count.ShouldBe(4);
        _queue.Events.Select(callEvent => callEvent.Id).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
        _queue.Events.Select(callEvent => callEvent.Notice.ContentHash).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Function_key_reaches_neither_the_queue_nor_the_answer()
    {
        var answer = await ReceiveAsync(WebhookCall.Get($"code=the-function-key&{Samples.AsQuery(Samples.Answered)}&clientId=default"));

        ((int)answer.StatusCode).ShouldBe(200);
        var envelope = System.Text.Encoding.UTF8.GetString(_queue.Messages.ShouldHaveSingleItem());
        envelope.ShouldNotContain("the-function-key");
        envelope.ShouldNotContain("clientId");
        answer.Text().ShouldNotContain("the-function-key");
    }

    [Fact]
    public async Task Notice_of_another_kind_is_acknowledged_but_not_queued()
    {
        var answer = await ReceiveAsync(WebhookCall.Post(Samples.Hangup));

        ((int)answer.StatusCode).ShouldBe(200);
        answer.Text().ShouldBe("""{"status":"ignored","kind":"outgoing.hangup"}""");
        _queue.Messages.ShouldBeEmpty();
    }

    [Fact]
    public async Task Post_without_body_and_fields_is_not_acknowledged()
    {
        (await ReceiveAsync(WebhookCall.Post("", contentType: null))).ShouldBeProblem(400, "empty");
        _queue.Messages.ShouldBeEmpty();
    }

    [Fact]
    public async Task Get_with_nothing_but_the_key_is_not_acknowledged() =>
        (await ReceiveAsync(WebhookCall.Get("code=the-function-key"))).ShouldBeProblem(400, "empty");

    [Fact]
    public async Task Chunked_post_whose_body_the_platform_dropped_is_told_so()
    {
        var call = WebhookCall.Post("");
        call.Headers.Add("Transfer-Encoding", "chunked");

        (await ReceiveAsync(call)).ShouldBeProblem(411, "length-required");
    }

    [Fact]
    public async Task Event_larger_than_the_limit_is_refused()
    {
        var padding = new string('x', 16 * 1024);

        (await ReceiveAsync(WebhookCall.Post($$"""{"app_id":1,"custom":"{{padding}}"}"""))).ShouldBeProblem(413, "too-large");
        _queue.Messages.ShouldBeEmpty();
    }

    [Fact]
    public async Task Event_of_another_app_is_refused()
    {
        (await ReceiveAsync(WebhookCall.Post(Samples.Answered), ("TeleCmi__AppIds", "1,2"))).ShouldBeProblem(403, "unknown-app");
        _queue.Messages.ShouldBeEmpty();
    }

    [Fact]
    public async Task Event_that_the_queue_refuses_is_to_be_sent_again()
    {
        _queue.IsBroken = true;

        var answer = await ReceiveAsync(WebhookCall.Post(Samples.Answered));

        answer.ShouldBeProblem(503, "storage-unavailable");
        answer.Header("Retry-After").ShouldBe("10");
    }

    [Fact]
    public async Task Event_that_the_queue_does_not_take_in_time_is_to_be_sent_again()
    {
        _queue.MayAnswer = new TaskCompletionSource().Task;

        var answer = await ReceiveAsync(WebhookCall.Post(Samples.Answered));

        answer.ShouldBeProblem(503, "storage-unavailable");
        answer.Header("Retry-After").ShouldBe("10");
    }

    [Fact]
    public async Task Unreadable_body_that_cannot_be_kept_is_to_be_sent_again()
    {
        var answer = await ReceiveAsync(WebhookCall.Post("not json"));

        answer.ShouldBeProblem(503, "storage-unavailable");
        answer.Header("Retry-After").ShouldBe("10");
    }

    [Fact]
    public async Task Event_of_a_sender_that_names_no_host_is_accepted()
    {
        var answer = await ReceiveAsync(WebhookCall.Post(Samples.Answered, address: "http:///api/telecmi/events"));

        ((int)answer.StatusCode).ShouldBe(200);
        _queue.Messages.ShouldHaveSingleItem();
    }

    private async Task<HttpResponseData> ReceiveAsync(WebhookCall call, params (string Name, string Value)[] settings)
    {
        await using var app = await StartAsync(settings);
        return await app.Trigger<ReceiveEvent>().RunAsync(call);
    }

    private Task<RunningApp> StartAsync(params (string Name, string Value)[] settings)
    {
        var all = RunningApp.Settings();
        foreach (var (name, value) in settings)
        {
            all[name] = value;
        }

        return RunningApp.StartAsync(all, services => services.AddSingleton<IEventQueue>(_queue));
    }
}
