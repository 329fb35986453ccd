using Microsoft.Extensions.Logging;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>Processes the messages of the forwards queue and of its poison queue.</summary>
public sealed partial class ForwardProcessor(
    ForwardDestinations destinations, Forwarder forwarder, CompletedCalls calls, DeliveryLog log, ForwardDeadLetters deadLetters, ILogger<ForwardProcessor> logger)
{
    /// <summary>Processes a message; when it returns, the message may be deleted.</summary>
    /// <param name="message">The message's body.</param>
    /// <param name="insertedOn">When the queue got it: the same for every delivery of the message.</param>
    /// <param name="cancellation">Ends the try; the message is then delivered again.</param>
    /// <exception cref="StorageException">Storage failed.</exception>
    public async Task ProcessAsync(ReadOnlyMemory<byte> message, DateTimeOffset insertedOn, CancellationToken cancellation)
    {
        if (ForwardMessage.TryRead(message, out var forward, out var fault))
        {
            var due = forward;
            if (forward.Event.Kind != CompletedCall.Kind && destinations.Find(forward.Destination) is { SendsCalls: true } destination)
            {
                due = await calls.CheckAsync(destination, forward, cancellation);
                if (forward.Check is null)
                {
                    // A replay was noted as a delivery that waits, but it was only a check.
                    await log.ForgetAsync(forward, cancellation);
                }
            }

            if (due is not null)
            {
                await forwarder.ForwardAsync(due, cancellation);
            }

            return;
        }

        await deadLetters.KeepUnreadableAsync(message, insertedOn, fault, cancellation);
        Log.Unreadable(logger, fault);
    }

    /// <summary>Keeps for good a forward that failed too often outside the delivery itself.</summary>
    /// <returns>False when the message is not a forward.</returns>
    internal async Task<bool> TryArchiveAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        if (!ForwardMessage.TryRead(message, out var forward, out _))
        {
            return false;
        }

        const string Error = "Forwarding broke off too often, because of storage or the end of the process; whether the receiver has it is not known.";
        await forwarder.GiveUpAsync(forward, Error, result: null, cancellation);
        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 66, Level = LogLevel.Error, Message = "A message that is not a forward of this app is kept in DeadLetters: {Fault}")]
        public static partial void Unreadable(ILogger logger, string fault);
    }
}
