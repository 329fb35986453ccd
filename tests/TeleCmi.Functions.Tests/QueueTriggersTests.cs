using System.Buffers;
using System.Text;
using Azure.Data.Tables;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Events;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Functions.Tests;

/// <summary>The queue triggers, with messages as the worker makes them.</summary>
public sealed class QueueTriggersTests : IDisposable
{
    private readonly TestStore _store = new(TimeProvider.System);

    [Fact]
    public async Task ReceivedEvent_IsBase64OnTheWire_NeverExpires_AndIsJournaled()
    {
        await using var azurite = await Azurite.StartAsync(Repository.Find(), AzuritePorts.Any, dataFolder: null, Console.WriteLine, CancellationToken.None);
        var settings = RunningApp.Settings(azurite.ConnectionString);
        settings["TeleCmi__EnqueueDeadline"] = "00:00:30";
        await using var app = await RunningApp.StartAsync(settings);
        ((int)(await app.Trigger<ReceiveEvent>().RunAsync(WebhookCall.Post(SampleNotices.Answered))).StatusCode).ShouldBe(200);

        var onTheWire = (await new QueueClient(azurite.ConnectionString, "telecmi-events").PeekMessageAsync()).Value;
        Encoding.UTF8.GetString(Convert.FromBase64String(onTheWire.Body.ToString())).ShouldStartWith("{");
        onTheWire.ExpiresOn!.Value.Year.ShouldBe(9999);

        var host = new QueueClient(azurite.ConnectionString, "telecmi-events", new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 });
        QueueMessage message = await host.ReceiveMessageAsync();
        await app.Trigger<ProcessEvent>().RunAsync(message, CancellationToken.None);

        var row = (await new TableClient(azurite.ConnectionString, "CallEvents").QueryAsync<TableEntity>().ToListAsync()).ShouldHaveSingleItem();
        row.GetString("Kind").ShouldBe("outgoing.answered");
        row.GetString("AnsweredBy").ShouldBe("agent");
        row.GetDateTimeOffset("ProcessedAt").ShouldNotBeNull();
        Encoding.UTF8.GetBytes(row.GetString("Event")).ShouldBe(message.Body.ToArray());
    }

    [Fact]
    public async Task MessageThatIsNoEvent_IsLeftForThePlatformToCount()
    {
        await using var app = await StartAsync();

        await Should.ThrowAsync<InvalidDataException>(() => app.Trigger<ProcessEvent>().RunAsync(Message("not an event"), CancellationToken.None));
    }

    [Fact]
    public async Task EventWhoseHandlerIsCutOffByAStop_IsLeftForAnotherTry()
    {
        var handler = new EndlessHandler();
        await using var app = await StartAsync(handler);
        var processing = app.Trigger<ProcessEvent>().RunAsync(Message(Envelope()), CancellationToken.None);
        await handler.Started.Task.WaitAsync(TimeSpan.FromSeconds(30));

        app.BeginToStop();

        await Should.ThrowAsync<HandlerFailedException>(() => processing.WaitAsync(TimeSpan.FromSeconds(30)));
        (await _store.RowsAsync("CallEvents")).ShouldHaveSingleItem().Time("ProcessedAt").ShouldBeNull();
    }

    [Fact]
    public async Task EventWhoseInvocationIsCancelled_IsLeftForAnotherTry()
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
    public async Task PoisonMessage_IsKeptAsItCame_UnderTheDayItWasGivenUp()
    {
        await using var app = await StartAsync();
        var givenUp = new DateTimeOffset(2026, 3, 1, 23, 59, 59, TimeSpan.Zero);

        await app.Trigger<ArchivePoisonEvent>().RunAsync(Message("not an event", givenUp), CancellationToken.None);

        var row = (await _store.RowsAsync("DeadLetters")).ShouldHaveSingleItem();
        row.Text("Reason").ShouldBe("poison");
        row.Bytes("Body").ShouldBe("not an event"u8.ToArray());
        row.Key.Partition.ShouldBe("2026-03-01");
        row.Time("ReceivedAt").ShouldBe(givenUp);
    }

    [Fact]
    public async Task EventThatFailedTooOften_IsKeptWithItsId()
    {
        await using var app = await StartAsync();
        var envelope = Envelope();

        await app.Trigger<ArchivePoisonEvent>().RunAsync(Message(envelope), CancellationToken.None);

        var row = (await _store.RowsAsync("DeadLetters")).ShouldHaveSingleItem();
        row.Text("Kind").ShouldBe("outgoing.answered");
        row.Text("EventId").ShouldBe(Notice().Id);
        row.Bytes("Body").ShouldBe(Encoding.UTF8.GetBytes(envelope));
    }

    [Fact]
    public async Task Archiving_StopsWithTheApp_AndLeavesTheMessage()
    {
        await using var app = await StartAsync();
        var archiving = app.Trigger<ArchivePoisonEvent>();
        app.BeginToStop();

        await Should.ThrowAsync<OperationCanceledException>(() => archiving.RunAsync(Message(Envelope()), CancellationToken.None));
    }

    [Fact]
    public async Task ForwardThatNoDestinationTakes_IsKeptWithItsEvent()
    {
        await using var app = await StartAsync();

        await app.Trigger<ForwardEvent>().RunAsync(Message(Forward()), CancellationToken.None);

        var row = (await _store.RowsAsync("DeadLetters")).ShouldHaveSingleItem();
        row.Text("Reason").ShouldBe("forward");
        row.Text("Destination").ShouldBe("crm");
        row.Bytes("Body").ShouldBe(Encoding.UTF8.GetBytes(Envelope()));
    }

    [Fact]
    public async Task ForwardThatBrokeOffTooOften_IsKeptWithItsEvent()
    {
        await using var app = await StartAsync();

        await app.Trigger<ArchivePoisonForward>().RunAsync(Message(Forward()), CancellationToken.None);

        var row = (await _store.RowsAsync("DeadLetters")).ShouldHaveSingleItem();
        row.Text("Reason").ShouldBe("forward");
        row.Text("EventId").ShouldBe(Notice().Id);
    }

    [Fact]
    public async Task Forwarding_StopsWithTheApp_AndLeavesTheMessage()
    {
        await using var app = await StartAsync();
        var forwarding = app.Trigger<ForwardEvent>();
        app.BeginToStop();

        await Should.ThrowAsync<OperationCanceledException>(() => forwarding.RunAsync(Message(Forward()), CancellationToken.None));
    }

    [Fact]
    public async Task UnreadableBody_IsKeptInDeadLetters_BeforeTheResponse()
    {
        await using var app = await StartAsync();

        var response = await app.Trigger<ReceiveEvent>().RunAsync(WebhookCall.Post("not json", "text/plain"));

        response.ShouldBeProblem(400, "unreadable");
        var row = (await _store.RowsAsync("DeadLetters")).ShouldHaveSingleItem();
        row.Text("Reason").ShouldBe("rejected");
        row.Bytes("Body").ShouldBe("not json"u8.ToArray());
    }

    [Fact]
    public async Task FunctionKey_IsNotKeptWithAnUnreadableQuery()
    {
        await using var app = await StartAsync();

        var response = await app.Trigger<ReceiveEvent>().RunAsync(WebhookCall.Get("code=the-function-key&hello=there"));

        response.ShouldBeProblem(400, "unreadable");
        (await _store.RowsAsync("DeadLetters")).ShouldHaveSingleItem().Bytes("Body").ShouldBe("hello=there"u8.ToArray());
    }

    [Fact]
    public async Task Health_IsGood_WhenStorageWorks()
    {
        await using var app = await StartAsync();

        var response = await app.Trigger<CheckHealth>().RunAsync(WebhookCall.Get(""), CancellationToken.None);

        ((int)response.StatusCode).ShouldBe(200);
        response.Text().ShouldBe("""{"status":"healthy"}""");
    }

    [Fact]
    public async Task Health_IsBad_WhenStorageIsGone_AndTellsNoDetails()
    {
        await using var app = await StartAsync();
        _store.Fail();

        var response = await app.Trigger<CheckHealth>().RunAsync(WebhookCall.Get(""), CancellationToken.None);

        ((int)response.StatusCode).ShouldBe(503);
        response.Text().ShouldBe("""{"status":"unhealthy"}""");
    }

    public void Dispose() => _store.Dispose();

    private Task<RunningApp> StartAsync(ICallEventHandler? handler = null) => RunningApp.StartAsync(replace: services =>
    {
        services.AddSingleton<IStore>(_store);
        if (handler is not null)
        {
            services.AddSingleton(handler);
        }
    });

    // The worker's converter fills a message from what the host sends, and its body is the decoded text.
    private static QueueMessage Message(string body, DateTimeOffset? insertedOn = null) => QueuesModelFactory.QueueMessage(
        "message-id", "pop-receipt", body, dequeueCount: 1, nextVisibleOn: null, insertedOn ?? DateTimeOffset.UnixEpoch, expiresOn: null);

    private static Notice Notice() =>
        Events.Notice.TryRead(SampleNotices.Answered, out var notice, out var fault) ? notice : throw new InvalidDataException(fault);

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
