using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Storage.Tests;

/// <summary>What every store's queues do.</summary>
public abstract class QueueContract : IAsyncLifetime
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    private readonly StoreUnderTest _subject;
    private readonly IMessageQueue _queue;

    protected QueueContract(Func<StoreUnderTest> open)
    {
        _subject = open();
        _queue = _subject.Store.Queue($"q{Guid.NewGuid():N}");
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _subject.EndAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Message_ComesAsItWasSentAndIsGoneWhenDeleted()
    {
        byte[] body = [0, 255, 10, 13, .. Enumerable.Range(0, 256).Select(number => (byte)number)];
        await _queue.SendAsync(body, TimeSpan.Zero, default);

        var message = (await _queue.ReceiveAsync(32, Timeout, default)).ShouldHaveSingleItem();
        message.Body.ToArray().ShouldBe(body);
        message.DequeueCount.ShouldBe(1);
        message.InsertedOn.Offset.ShouldBe(TimeSpan.Zero);
        (await _queue.DeleteAsync(message, default)).ShouldBeTrue();

        (await _queue.CountAsync(default)).ShouldBe(0);
        await _subject.PassAsync(Timeout);
        (await _queue.ReceiveAsync(32, Timeout, default)).ShouldBeEmpty();
        (await _queue.DeleteAsync(message, default)).ShouldBeFalse();
        (await _queue.ExtendAsync(message, Timeout, default)).ShouldBeNull();
    }

    [Fact]
    public async Task ReceivedMessage_IsHiddenUntilItsTimeoutIsOver()
    {
        await SendAsync("a");
        var first = (await _queue.ReceiveAsync(1, Timeout, default)).ShouldHaveSingleItem();
        (await _queue.ReceiveAsync(1, Timeout, default)).ShouldBeEmpty();

        await _subject.PassAsync(Timeout);
        var second = (await _queue.ReceiveAsync(1, Long, default)).ShouldHaveSingleItem();
        second.Id.ShouldBe(first.Id);
        second.DequeueCount.ShouldBe(2);
        second.InsertedOn.ShouldBe(first.InsertedOn);
        Text(second.Body).ShouldBe("a");

        // The first one's receipt went with the second delivery.
        (await _queue.ExtendAsync(first, Long, default)).ShouldBeNull();
        (await _queue.DeleteAsync(first, default)).ShouldBeFalse();
        (await _queue.DeleteAsync(second, default)).ShouldBeTrue();
    }

    [Fact]
    public async Task ExtendedMessage_StaysHiddenAndHasANewReceipt()
    {
        await SendAsync("a");
        var received = (await _queue.ReceiveAsync(1, Timeout, default)).ShouldHaveSingleItem();
        var extended = (await _queue.ExtendAsync(received, Long, default)).ShouldNotBeNull();
        extended.DequeueCount.ShouldBe(1);
        Text(extended.Body).ShouldBe("a");

        await _subject.PassAsync(Timeout);
        (await _queue.ReceiveAsync(1, Timeout, default)).ShouldBeEmpty();
        (await _queue.DeleteAsync(received, default)).ShouldBeFalse();
        (await _queue.DeleteAsync(extended, default)).ShouldBeTrue();
    }

    [Fact]
    public async Task MessageExtendedByNothing_IsVisibleAtOnce()
    {
        await SendAsync("a");
        var received = (await _queue.ReceiveAsync(1, Long, default)).ShouldHaveSingleItem();
        (await _queue.ExtendAsync(received, TimeSpan.Zero, default)).ShouldNotBeNull();
        (await _queue.ReceiveAsync(1, Long, default)).ShouldHaveSingleItem().DequeueCount.ShouldBe(2);
    }

    [Fact]
    public async Task DelayedMessage_IsSeenWhenItsDelayIsOver()
    {
        await _queue.SendAsync(Encoding.UTF8.GetBytes("later"), Timeout, default);
        await _queue.SendAsync(Encoding.UTF8.GetBytes("now"), TimeSpan.FromSeconds(-1), default);
        Text((await _queue.PeekAsync(32, default)).ShouldHaveSingleItem().Body).ShouldBe("now");
        Text((await _queue.ReceiveAsync(32, Long, default)).ShouldHaveSingleItem().Body).ShouldBe("now");
        (await _queue.CountAsync(default)).ShouldBe(2);

        await _subject.PassAsync(Timeout);
        Text((await _queue.ReceiveAsync(32, Long, default)).ShouldHaveSingleItem().Body).ShouldBe("later");
    }

    [Fact]
    public async Task Messages_ComeOldestFirst()
    {
        foreach (var number in Enumerable.Range(0, 40))
        {
            await SendAsync(number.ToString(CultureInfo.InvariantCulture));
        }

        var first = await _queue.ReceiveAsync(32, Long, default);
        first.Select(message => Text(message.Body)).ShouldBe(Enumerable.Range(0, 32).Select(number => number.ToString(CultureInfo.InvariantCulture)));
        (await _queue.ReceiveAsync(32, Long, default)).Select(message => Text(message.Body)).ShouldBe(["32", "33", "34", "35", "36", "37", "38", "39"]);
    }

    [Fact]
    public async Task Peek_TakesNothing()
    {
        await SendAsync("a");
        await SendAsync("b");
        (await _queue.PeekAsync(1, default)).ShouldHaveSingleItem().DequeueCount.ShouldBe(0);
        (await _queue.PeekAsync(32, default)).Select(message => Text(message.Body)).ShouldBe(["a", "b"]);
        (await _queue.ReceiveAsync(32, Long, default)).Count.ShouldBe(2);
        (await _queue.PeekAsync(32, default)).ShouldBeEmpty();
        (await _queue.CountAsync(default)).ShouldBe(2);
    }

    [Fact]
    public async Task TwoHundredReceivers_GetEachMessageOnce()
    {
        const int Messages = 200;
        await Task.WhenAll(Enumerable.Range(0, Messages).Select(number => SendAsync(number.ToString(CultureInfo.InvariantCulture))));

        var received = new ConcurrentBag<string>();
        await Task.WhenAll(Enumerable.Range(0, 200).Select(async _ =>
        {
            while (await _queue.ReceiveAsync(2, Long, default) is { Count: > 0 } messages)
            {
                foreach (var message in messages)
                {
                    received.Add(Text(message.Body));
                    (await _queue.DeleteAsync(message, default)).ShouldBeTrue();
                }
            }
        }));

        received.Count.ShouldBe(Messages);
        received.Distinct().Count().ShouldBe(Messages);
        (await _queue.CountAsync(default)).ShouldBe(0);
    }

    [Fact]
    public async Task LargestMessage_IsTakenAndALargerOneRefused()
    {
        var body = new byte[IMessageQueue.MaxMessageBytes];
        Random.Shared.NextBytes(body);
        await _queue.SendAsync(body, TimeSpan.Zero, default);
        (await _queue.ReceiveAsync(1, Long, default)).ShouldHaveSingleItem().Body.ToArray().ShouldBe(body);

        await Should.ThrowAsync<StorageException>(() => _queue.SendAsync(new byte[IMessageQueue.MaxMessageBytes + 1], TimeSpan.Zero, default));
        (await _queue.CountAsync(default)).ShouldBe(1);
    }

    [Fact]
    public async Task UnknownQueue_IsEmpty()
    {
        (await _queue.ReceiveAsync(1, Timeout, default)).ShouldBeEmpty();
        (await _queue.PeekAsync(1, default)).ShouldBeEmpty();
        (await _queue.CountAsync(default)).ShouldBe(0);
    }

    [Fact]
    public async Task Queues_KeepTheirMessagesApart()
    {
        var other = _subject.Store.Queue(_queue.Name + "-poison");
        await SendAsync("a");
        (await other.ReceiveAsync(32, Timeout, default)).ShouldBeEmpty();
        await other.SendAsync(Encoding.UTF8.GetBytes("b"), TimeSpan.Zero, default);
        Text((await _queue.ReceiveAsync(32, Timeout, default)).ShouldHaveSingleItem().Body).ShouldBe("a");
        Text((await other.ReceiveAsync(32, Timeout, default)).ShouldHaveSingleItem().Body).ShouldBe("b");
    }

    [Fact]
    public async Task SentBody_MayBeReusedByItsOwner()
    {
        var body = Encoding.UTF8.GetBytes("first");
        await _queue.SendAsync(body, TimeSpan.Zero, default);
        body.AsSpan().Clear();
        Text((await _queue.ReceiveAsync(1, Timeout, default)).ShouldHaveSingleItem().Body).ShouldBe("first");
    }

    [Fact]
    public async Task CancelledOperation_SaysThatItWasCancelled()
    {
        var cancelled = new CancellationToken(canceled: true);
        await Should.ThrowAsync<OperationCanceledException>(() => _queue.SendAsync(new byte[1], TimeSpan.Zero, cancelled));
        await Should.ThrowAsync<OperationCanceledException>(() => _queue.CountAsync(cancelled));
    }

    [Fact]
    public async Task Check_PassesOnAStoreThatWorks() => await _subject.Store.CheckAsync(default);

    private static string Text(ReadOnlyMemory<byte> body) => Encoding.UTF8.GetString(body.Span);

    private Task SendAsync(string text) => _queue.SendAsync(Encoding.UTF8.GetBytes(text), TimeSpan.Zero, default);
}
