using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Events;
using TeleCmi.Pipeline;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Azure;

namespace TeleCmi.StorageCost.Tests;

/// <summary>Each request to storage is money and time, so their number is a promise. Every request that Azurite logs counts.</summary>
public sealed class StorageCostTests(LoggedAzurite azurite) : IClassFixture<LoggedAzurite>
{
    private const string Enqueue = "POST telecmi-events/messages";
    private const string Receive = "GET telecmi-events/messages";
    private const string Delete = "DELETE telecmi-events/messages";
    private const string Insert = "POST CallEvents";
    private const string Find = "GET CallEvents";
    private const string Note = "PATCH CallEvents";
    private const string NoteDelivery = "PUT Deliveries";

    private int _calls;

    [Fact]
    public async Task ReceivedEvent_CostsOneRequest()
    {
        await using var pipeline = Pipeline();

        (await CostOfAsync(() => PostAsync(pipeline, NewCall()))).ShouldBe([Enqueue]);

        await DrainAsync(pipeline);
    }

    [Fact]
    public async Task NoticeThatIsNotAccepted_CostsNone()
    {
        await using var pipeline = Pipeline();

        (await CostOfAsync(() => PostAsync(pipeline, SampleNotices.AnsweredWith(("status", "hangup"))))).ShouldBeEmpty();
    }

    [Fact]
    public async Task EventThatNobodyHandles_CostsOneInsert_AndTheQueuesOwnReceiveAndDelete()
    {
        await using var pipeline = Pipeline();

        (await CostOfProcessingAsync(pipeline, NewCall)).ShouldBe([Receive, Insert, Delete]);
    }

    [Fact]
    public async Task EventWithAHandler_CostsOneMoreToNoteItsEnd()
    {
        await using var pipeline = Pipeline(services => services.AddCallEventHandler<NoWork>());

        (await CostOfProcessingAsync(pipeline, NewCall)).ShouldBe([Receive, Insert, Note, Delete]);
    }

    [Fact]
    public async Task Duplicate_CostsOneMoreToFindIt_AndOneToWithdrawItsDeadLetter()
    {
        await using var pipeline = Pipeline();
        var call = NewCall();
        await PostAsync(pipeline, call);
        await DrainAsync(pipeline);

        (await CostOfProcessingAsync(pipeline, () => call)).ShouldBe([Receive, Insert, Find, "DELETE DeadLetters", Delete]);
    }

    [Fact]
    public async Task ForwardDeliveredAtTheFirstAttempt_CostsWhatAHandlerCosts_AndTheNoteOfTheDelivery_AndNothingOfTheForwardsQueue()
    {
        await using var pipeline = Pipeline(Receiver, Destination);

        (await CostOfProcessingAsync(pipeline, NewCall)).ShouldBe([Receive, Insert, NoteDelivery, Note, Delete]);
    }

    [Fact]
    public async Task ForwardThatHasToWait_CostsANewMessage_ItsReceiveAndDelete_ALookWhetherItWasErased_AndTwoNotes()
    {
        await using var pipeline = Pipeline(Receiver, Destination);
        await CostOfProcessingAsync(pipeline, NewCall);
        var status = HttpStatusCode.ServiceUnavailable;
        await using var failing = Pipeline(services => Receiver(services, () => status), Destination);

        (await CostOfProcessingAsync(failing, NewCall)).ShouldBe([Receive, Insert, NoteDelivery, "POST telecmi-forwards/messages", Note, Delete]);

        status = HttpStatusCode.OK;
        (await CostOfAsync(async () =>
        {
            await failing.GetRequiredService<ForwardQueue>().SendAsync("crm", EventOf(NewCall()), CancellationToken.None);
            await azurite.TakeRequestsAsync();
            await ProcessAsync(
                failing.GetRequiredService<PipelineQueues>().Forwards,
                message => failing.GetRequiredService<ForwardProcessor>().ProcessAsync(message.Body, message.InsertedOn, CancellationToken.None));
        })).ShouldBe(["GET telecmi-forwards/messages", "GET Deliveries", NoteDelivery, "DELETE Deliveries", "DELETE telecmi-forwards/messages"]);
    }

    [Fact]
    public async Task MissingQueue_IsMadeWithItsFirstMessage_AlsoByManyAtOnce()
    {
        await using var pipeline = Pipeline();
        var store = pipeline.GetRequiredService<IStore>();
        await azurite.TakeRequestsAsync();
        await SendAsync("new-queue");
        (await azurite.TakeRequestsAsync()).ShouldBe(["POST new-queue/messages", "PUT new-queue", "POST new-queue/messages"]);

        await SendAsync("new-queue");
        (await azurite.TakeRequestsAsync()).ShouldBe(["POST new-queue/messages"]);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => SendAsync("another-queue")));
        (await store.Queue("another-queue").CountAsync(CancellationToken.None)).ShouldBe(20);

        Task SendAsync(string queue) => store.Queue(queue).SendAsync("x"u8.ToArray(), TimeSpan.Zero, CancellationToken.None);
    }

    private static (string, string)[] Destination =>
    [
        ("TeleCmi:Forward:0:Url", "https://crm.example.com"), ("TeleCmi:Forward:0:Name", "crm"),
        ("TeleCmi:Forward:0:Secrets", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    ];

    private ServiceProvider Pipeline(Action<IServiceCollection>? change = null, params (string Name, string Value)[] settings)
    {
        var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder()
                .AddInMemoryCollection([new("TeleCmiStorage", azurite.Storage), .. settings.Select(setting => new KeyValuePair<string, string?>(setting.Name, setting.Value))])
                .Build())
            .AddLogging()
            .AddTeleCmiPipeline()
            .AddAzureStorage();
        change?.Invoke(services);
        return services.BuildServiceProvider();
    }

    private byte[] NewCall() => SampleNotices.AnsweredCall($"{Guid.NewGuid()}-{++_calls}");

    // What is done once only, such as making a queue, is not what an event costs: the work is done twice, and counted once.
    private async Task<IReadOnlyList<string>> CostOfAsync(Func<Task> work)
    {
        await work();
        await azurite.TakeRequestsAsync();
        await work();
        return await azurite.TakeRequestsAsync();
    }

    private async Task<IReadOnlyList<string>> CostOfProcessingAsync(ServiceProvider pipeline, Func<byte[]> notice)
    {
        await PostAsync(pipeline, notice());
        await DrainAsync(pipeline);
        await PostAsync(pipeline, notice());
        await azurite.TakeRequestsAsync();
        await DrainAsync(pipeline);
        return await azurite.TakeRequestsAsync();
    }

    private static async Task PostAsync(ServiceProvider pipeline, byte[] notice)
    {
        var response = await pipeline.GetRequiredService<EventReceiver>().ReceiveAsync(
            new WebhookRequest(IsPost: true, "", new MemoryStream(notice), "application/json", notice.Length, HasTransferEncoding: false));
        response.Status.ShouldBe(200);
    }

    private static Task DrainAsync(ServiceProvider pipeline) => ProcessAsync(
        pipeline.GetRequiredService<PipelineQueues>().Events,
        message => pipeline.GetRequiredService<EventProcessor>().ProcessAsync(message.Body, CancellationToken.None));

    // As a pump does: one receive for all that is there, a delete for each.
    private static async Task ProcessAsync(IMessageQueue queue, Func<ReceivedMessage, Task> process)
    {
        foreach (var message in await queue.ReceiveAsync(IMessageQueue.MaxBatch, TimeSpan.FromMinutes(1), CancellationToken.None))
        {
            await process(message);
            (await queue.DeleteAsync(message, CancellationToken.None)).ShouldBeTrue();
        }
    }

    private static EnvelopedEvent EventOf(byte[] notice)
    {
        var envelope = new System.Buffers.ArrayBufferWriter<byte>();
        EventEnvelope.Write(envelope, Notice.TryRead(notice, out var read, out var fault) ? read : throw new InvalidDataException(fault), DateTimeOffset.UnixEpoch, traceParent: null);
        return EventEnvelope.TryReadAny(envelope.WrittenMemory, out var enveloped, out fault) ? enveloped : throw new InvalidDataException(fault);
    }

    private static void Receiver(IServiceCollection services) => Receiver(services, () => HttpStatusCode.OK);

    private static void Receiver(IServiceCollection services, Func<HttpStatusCode> status) =>
        services.AddHttpClient(EventSender.ClientName).ConfigurePrimaryHttpMessageHandler(() => new RespondingReceiver(status));

    private sealed class RespondingReceiver(Func<HttpStatusCode> status) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(status()));
    }

    private sealed class NoWork : ICallEventHandler
    {
        public string Name => "no_work";

        public Task HandleAsync(CallEvent callEvent, CancellationToken cancellation) => Task.CompletedTask;
    }
}
