using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;

namespace TeleCmi.LocalHost;

/// <summary>Keeps a message hidden while it is worked on; each renewal changes the receipt that deleting it needs.</summary>
internal sealed partial class MessageLease : IAsyncDisposable
{
    private readonly QueueClient _queue;
    private readonly string _messageId;
    private readonly TimeSpan _length;
    private readonly CancellationTokenSource _done = new();
    private readonly ILogger _logger;
    private readonly Task _renewing;
    private string _receipt;

    public MessageLease(QueueClient queue, QueueMessage message, TimeSpan length, TimeProvider clock, ILogger logger)
    {
        _queue = queue;
        _messageId = message.MessageId;
        _receipt = message.PopReceipt;
        _length = length;
        _logger = logger;
        _renewing = RenewAsync(clock);
    }

    /// <summary>Removes the message: its work is done.</summary>
    public async Task DeleteAsync()
    {
        await DisposeAsync();
        try
        {
            await _queue.DeleteMessageAsync(_messageId, _receipt);
        }
        catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.MessageNotFound)
        {
            // A retry of a delete whose answer was lost.
        }
    }

    /// <summary>Lets the message come again after a pause.</summary>
    public async Task ReturnAsync(TimeSpan pause)
    {
        await DisposeAsync();
        await _queue.UpdateMessageAsync(_messageId, _receipt, visibilityTimeout: pause);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_renewing.IsCompleted)
        {
            await _done.CancelAsync();
        }

        await _renewing;
        _done.Dispose();
    }

    private async Task RenewAsync(TimeProvider clock)
    {
        try
        {
            while (true)
            {
                await Task.Delay(_length / 2, clock, _done.Token);

                // Not cut short when the work ends: storage may have given a new receipt already, and the delete needs it.
                UpdateReceipt renewed = await _queue.UpdateMessageAsync(_messageId, _receipt, visibilityTimeout: _length);
                _receipt = renewed.PopReceipt;
            }
        }
        catch (OperationCanceledException)
        {
            // The work is done.
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            // The message may be delivered a second time meanwhile; the journal makes that harmless.
            Log.NotRenewed(_logger, e, _messageId);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 110, Level = LogLevel.Warning, Message = "The lease of message {MessageId} could not be renewed; it may be delivered a second time.")]
        public static partial void NotRenewed(ILogger logger, Exception exception, string messageId);
    }
}
