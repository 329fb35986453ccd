using Azure.Storage.Queues;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Pipeline.Storage;
using TeleCmi.TestSupport;

namespace TeleCmi.Pipeline.Tests;

public sealed class StorageQueueTests(AzuriteFixture azurite, StorageRequests requests)
{
    [Fact]
    public async Task AMissingQueue_IsMadeOnce_AndThenAMessageIsOneRequest()
    {
        var storage = azurite.NewStorage();
        await using var pipeline = new PipelineUnderTest(storage);
        var queue = pipeline.Services.GetRequiredService<IEventQueue>();

        await queue.EnqueueAsync("first"u8.ToArray(), CancellationToken.None);
        var path = new Uri(pipeline.Queue("telecmi-events").Uri.AbsoluteUri).AbsolutePath;
        requests.Of(storage).ShouldBe([$"POST {path}/messages", $"PUT {path}", $"POST {path}/messages"]);

        await queue.EnqueueAsync("second"u8.ToArray(), CancellationToken.None);
        requests.Of(storage).Count.ShouldBe(4);
    }

    [Fact]
    public async Task ManyAtOnceIntoAMissingQueue_AllArrive()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());
        var queue = pipeline.Services.GetRequiredService<IEventQueue>();

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => queue.EnqueueAsync("x"u8.ToArray(), CancellationToken.None)));

        (await pipeline.QueuedAsync()).Count.ShouldBe(20);
    }

    [Fact]
    public async Task AMessage_IsBase64OnTheWireAndNeverExpires()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());

        await pipeline.Services.GetRequiredService<IEventQueue>().EnqueueAsync("{\"a\":\"ä\"}"u8.ToArray(), CancellationToken.None);

        var message = (await pipeline.Queue("telecmi-events").PeekMessageAsync()).Value;
        message.Body.ToString().ShouldBe(Convert.ToBase64String("{\"a\":\"ä\"}"u8));
        message.ExpiresOn!.Value.Year.ShouldBe(9999);
    }

    [Fact]
    public async Task ADelayedMessage_IsNotSeenBeforeItsTime()
    {
        var storage = azurite.NewStorage();
        var client = new QueueClient(storage, "later", new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 });

        await new StorageQueue(client).EnqueueAsync("x"u8.ToArray(), TimeSpan.FromHours(1), CancellationToken.None);

        (await client.ReceiveMessageAsync()).Value.ShouldBeNull();
        (await client.GetPropertiesAsync()).Value.ApproximateMessagesCount.ShouldBe(1);
    }
}
