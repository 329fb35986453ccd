using Azure.Storage.Queues;

namespace TeleCmi.LoadTest.Load;

/// <summary>Posts the event to a web address.</summary>
/// <param name="address">The address.</param>
/// <param name="text">What to send.</param>
internal sealed class HttpSender(Uri address, NumberedText text) : ISender
{
    private const int Ok = 200;

    private readonly HttpConnection _connection = new(address);

    public async Task<bool> SendAsync(long number) => await _connection.PostAsync(text.Of(number)) == Ok;

    /// <summary>Connects, where somebody listens.</summary>
    public ValueTask<bool> TryConnectAsync() => _connection.TryConnectAsync();

    public void Dispose() => _connection.Dispose();
}

/// <summary>Puts the finished message into a queue: what remains of a receiver when it costs nothing itself.</summary>
internal sealed class QueueSender(QueueClient queue) : ISender
{
    private static readonly TimeSpan NeverExpires = TimeSpan.FromSeconds(-1);

    public async Task<bool> SendAsync(long number)
    {
        await queue.SendMessageAsync(BinaryData.FromBytes(NumberedText.Envelope.Of(number)), timeToLive: NeverExpires);
        return true;
    }

    public void Dispose()
    {
        // The client is shared.
    }
}
