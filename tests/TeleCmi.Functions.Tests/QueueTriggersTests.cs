using System.Buffers;
using System.Text;
using Azure.Data.Tables;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Events;
using TeleCmi.Pipeline.Processing;
using TeleCmi.TestSupport;

namespace TeleCmi.Functions.Tests;

/// <summary>The queue triggers, with messages as the worker makes them, over a real Azurite.</summary>
public sealed class QueueTriggersTests(AzuriteFixture azurite)
{
    private readonly string _storage = azurite.NewStorage();

    [Fact]
    public async Task Event_that_was_received_is_journaled_from_its_queue_message()
    {
        await using var app = await StartAsync();
        ((int)(await app.Trigger<ReceiveEvent>().RunAsync(WebhookCall.Post(Samples.Answered))).StatusCode).ShouldBe(200);
        var queue = new QueueClient(_storage, "telecmi-events", new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 });
        QueueMessage message = await queue.ReceiveMessageAsync();

        await app.Trigger<ProcessEvent>().RunAsync(message, CancellationToken.None);

        var row = (await RowsAsync("CallEvents")).ShouldHaveSingleItem();
        row.GetString("Kind").ShouldBe("outgoing.answered");
        row.GetString("AnsweredBy").ShouldBe("agent");
        row.GetDateTimeOffset("ProcessedAt").ShouldNotBeNull();
        Encoding.UTF8.GetBytes(row.GetString("Event")).ShouldBe(message.Body.ToArray());
    }

    [Fact]
    public async Task Message_that_is_no_event_is_left_for_the_platform_to_count()
    {
        await using var app = await StartAsync();

        await Should.ThrowAsync<InvalidDataException>(() => app.Trigger<ProcessEvent>().RunAsync(Message("not an event"), CancellationToken.None));
    }

    [Fact]
    public async Task Event_whose_handler_is_cut_off_by_a_stop_is_left_for_another_try()
    {
        var handler = new EndlessHandler();
        await using var app = await StartAsync(handler);
        var processing = app.Trigger<ProcessEvent>().RunAsync(Message(Envelope()), CancellationToken.None);
        await handler.Started.Task.WaitAsync(TimeSpan.FromSeconds(30));

        app.BeginToStop();

        await Should.ThrowAsync<HandlerFailedException>(() => processing.WaitAsync(TimeSpan.FromSeconds(30)));
        (await RowsAsync("CallEvents")).ShouldHaveSingleItem().GetDateTimeOffset("ProcessedAt").ShouldBeNull();
    }

    [Fact]
    public async Task Event_whose_invocation_is_cancelled_is_left_for_another_try()
    {
        var handler = new EndlessHandler();
        await using var app = await StartAsync(handler);
        using var invocation = new CancellationTokenSource();
        var processing = app.Trigger<ProcessEvent>().RunAsync(Message(Envelope()), invocation.Token);
        await handler.Started.Task.WaitAsync(TimeSpan.FromSeconds(30));

        await invocation.CancelAsync();

        await Should.ThrowAsync<HandlerFailedException>(() => processing.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task Poison_message_is_kept_as_it_came_under_the_day_it_was_given_up()
    {
        await using var app = await StartAsync();
        var givenUp = new DateTimeOffset(2026, 3, 1, 23, 59, 59, TimeSpan.Zero);

        await app.Trigger<ArchivePoisonEvent>().RunAsync(Message("not an event", givenUp), CancellationToken.None);

        var row = (await RowsAsync("DeadLetters")).ShouldHaveSingleItem();
        row.GetString("Reason").ShouldBe("poison");
        row.GetBinary("Body").ShouldBe("not an event"u8.ToArray());
        row.PartitionKey.ShouldBe("2026-03-01");
        row.GetDateTimeOffset("ReceivedAt").ShouldBe(givenUp);
    }

    [Fact]
    public async Task Event_that_failed_too_often_is_kept_with_its_id()
    {
        await using var app = await StartAsync();
        var envelope = Envelope();

        await app.Trigger<ArchivePoisonEvent>().RunAsync(Message(envelope), CancellationToken.None);

        var row = (await RowsAsync("DeadLetters")).ShouldHaveSingleItem();
        row.GetString("Kind").ShouldBe("outgoing.answered");
        row.GetString("EventId").ShouldBe(Notice().Id);
        row.GetBinary("Body").ShouldBe(Encoding.UTF8.GetBytes(envelope));
    }

    [Fact]
    public async Task Archiving_stops_with_the_app_and_leaves_the_message()
    {
        await using var app = await StartAsync();
        var archiving = app.Trigger<ArchivePoisonEvent>();
        app.BeginToStop();

        await Should.ThrowAsync<OperationCanceledException>(() => archiving.RunAsync(Message(Envelope()), CancellationToken.None));
    }

    [Fact]
    public async Task Forward_that_no_destination_takes_is_kept_with_its_event()
    {
        await using var app = await StartAsync();

        await app.Trigger<ForwardEvent>().RunAsync(Message(Forward()), CancellationToken.None);

        var row = (await RowsAsync("DeadLetters")).ShouldHaveSingleItem();
        row.GetString("Reason").ShouldBe("forward");
        row.GetString("Destination").ShouldBe("crm");
        row.GetBinary("Body").ShouldBe(Encoding.UTF8.GetBytes(Envelope()));
    }

    [Fact]
    public async Task Forward_that_broke_off_too_often_is_kept_with_its_event()
    {
        await using var app = await StartAsync();

        await app.Trigger<ArchivePoisonForward>().RunAsync(Message(Forward()), CancellationToken.None);

        var row = (await RowsAsync("DeadLetters")).ShouldHaveSingleItem();
        row.GetString("Reason").ShouldBe("forward");
        row.GetString("EventId").ShouldBe(Notice().Id);
    }

    [Fact]
    public async Task Forwarding_stops_with_the_app_and_leaves_the_message()
    {
        await using var app = await StartAsync();
        var forwarding = app.Trigger<ForwardEvent>();
        app.BeginToStop();

        await Should.ThrowAsync<OperationCanceledException>(() => forwarding.RunAsync(Message(Forward()), CancellationToken.None));
    }

    [Fact]
    public async Task Unreadable_body_is_kept_in_dead_letters_before_the_answer()
    {
        await using var app = await StartAsync();

        var answer = await app.Trigger<ReceiveEvent>().RunAsync(WebhookCall.Post("not json", "text/plain"));

        answer.ShouldBeProblem(400, "unreadable");
        var row = (await RowsAsync("DeadLetters")).ShouldHaveSingleItem();
        row.GetString("Reason").ShouldBe("rejected");
        row.GetBinary("Body").ShouldBe("not json"u8.ToArray());
    }

    [Fact]
    public async Task Function_key_is_not_kept_with_an_unreadable_query()
    {
        await using var app = await StartAsync();

        var answer = await app.Trigger<ReceiveEvent>().RunAsync(WebhookCall.Get("code=the-function-key&hello=there"));

        answer.ShouldBeProblem(400, "unreadable");
        (await RowsAsync("DeadLetters")).ShouldHaveSingleItem().GetBinary("Body").ShouldBe("hello=there"u8.ToArray());
    }

    [Fact]
    public async Task Health_is_good_when_storage_answers()
    {
        await using var app = await StartAsync();

        var answer = await app.Trigger<CheckHealth>().RunAsync(WebhookCall.Get(""), CancellationToken.None);

        ((int)answer.StatusCode).ShouldBe(200);
        answer.Text().ShouldBe("""{"status":"healthy"}""");
    }

    [Fact]
    public async Task Health_is_bad_when_storage_is_gone_and_tells_no_details()
    {
        await using var app = await RunningApp.StartAsync();

        var answer = await app.Trigger<CheckHealth>().RunAsync(WebhookCall.Get(""), CancellationToken.None);

        ((int)answer.StatusCode).ShouldBe(503);
        answer.Text().ShouldBe("""{"status":"unhealthy"}""");
    }

    private Task<RunningApp> StartAsync(ICallEventHandler? handler = null)
    {
        var settings = RunningApp.Settings(_storage);
        settings["TeleCmi__EnqueueDeadline"] = "00:00:30";
        return RunningApp.StartAsync(settings, services =>
        {
            if (handler is not null)
            {
                services.AddSingleton(handler);
            }
        });
    }

    private async Task<IReadOnlyList<TableEntity>> RowsAsync(string table)
    {
        var rows = new List<TableEntity>();
        await foreach (var row in new TableClient(_storage, table).QueryAsync<TableEntity>())
        {
            rows.Add(row);
        }

        return rows;
    }

    // The worker's converter fills a message from what the host sends, and its body is the decoded text.
    private static QueueMessage Message(string body, DateTimeOffset? insertedOn = null) => QueuesModelFactory.QueueMessage(
        "message-id", "pop-receipt", body, dequeueCount: 1, nextVisibleOn: null, insertedOn, expiresOn: null);

    private static Notice Notice() =>
        Events.Notice.TryRead(Encoding.UTF8.GetBytes(Samples.Answered), out var notice, out var fault) ? notice : throw new InvalidDataException(fault);

    private static string Envelope()
    {
        var envelope = new ArrayBufferWriter<byte>();
        EventEnvelope.Write(envelope, Notice(), new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero), traceParent: null);
        return Encoding.UTF8.GetString(envelope.WrittenSpan);
    }

    private static string Forward() =>
        $$"""{"destination":"crm","attempt":1,"deferrals":0,"queuedAt":"2026-03-01T12:00:01Z","envelope":{{Envelope()}}}""";

    private sealed class EndlessHandler : ICallEventHandler
    {
        public TaskCompletionSource Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Name => "endless";

        public Task HandleAsync(CallEvent callEvent, CancellationToken cancellation)
        {
            Started.TrySetResult();
            return Task.Delay(Timeout.Infinite, cancellation);
        }
    }
}
