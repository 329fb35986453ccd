using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LocalHost;

/// <summary>Keeps a message hidden while it is worked on; each extension changes the receipt that deleting it needs.</summary>
internal sealed partial class MessageVisibility : IAsyncDisposable
{
    private readonly IMessageQueue _queue;
    private readonly TimeSpan _timeout;
    private readonly CancellationTokenSource _done = new();
    private readonly ILogger _logger;
    private readonly Task _extending;
    private ReceivedMessage _message;

    public MessageVisibility(IMessageQueue queue, ReceivedMessage message, TimeSpan timeout, TimeProvider clock, ILogger logger)
    {
        _queue = queue;
        _message = message;
        _timeout = timeout;
        _logger = logger;
        _extending = ExtendAsync(clock);
    }

    /// <summary>Removes the message: its work is done. One that is gone already is the retry of a delete whose reply was lost.</summary>
    public async Task DeleteAsync()
    {
        await DisposeAsync();
        await _queue.DeleteAsync(_message, CancellationToken.None);
    }

    /// <summary>Lets the message come again after a delay.</summary>
    public async Task ReturnAsync(TimeSpan delay)
    {
        await DisposeAsync();
        await _queue.ExtendAsync(_message, delay, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_extending.IsCompleted)
        {
            await _done.CancelAsync();
        }

        await _extending;
        _done.Dispose();
    }

    private async Task ExtendAsync(TimeProvider clock)
    {
        try
        {
            while (true)
            {
                await Task.Delay(_timeout / 2, clock, _done.Token);

                // Not cut short when the work ends: storage may have given a new receipt already, and the delete needs it.
                _message = await _queue.ExtendAsync(_message, _timeout, CancellationToken.None) ?? throw new StorageException("The message is visible again.");
            }
        }
        catch (OperationCanceledException)
        {
            // The work is done.
        }
        catch (StorageException e)
        {
            // The message may be delivered a second time meanwhile; the journal makes that harmless.
            Log.NotExtended(_logger, e, _message.Id);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 110, Level = LogLevel.Warning, Message = "The visibility timeout of message {MessageId} could not be extended; it may be delivered a second time.")]
        public static partial void NotExtended(ILogger logger, Exception exception, string messageId);
    }
}
