using Microsoft.Extensions.Logging;
using TeleCmi.Events;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Processing;

/// <summary>Keeps for good what failed too often, of both queues: the platform lets a poison message expire after 7 days.</summary>
public sealed partial class PoisonArchive(
    DeadLetterStore deadLetters, Journal journal, ForwardProcessor forwards, PipelineEvents events, ILogger<PoisonArchive> logger)
{
    /// <summary>Archives one message of a poison queue.</summary>
    /// <param name="message">The message's body.</param>
    /// <param name="insertedOn">When the poison queue got it: the same for every delivery of the message.</param>
    /// <param name="cancellation">Ends the try; the message is then delivered again.</param>
    /// <exception cref="StorageException">It is not kept yet.</exception>
    public async Task ArchiveAsync(ReadOnlyMemory<byte> message, DateTimeOffset insertedOn, CancellationToken cancellation)
    {
        if (EventEnvelope.TryRead(message, out var callEvent, out var fault))
        {
            await ArchiveAsync(callEvent, message, cancellation);
        }
        else if (!await forwards.TryArchiveAsync(message, cancellation))
        {
            var unreadable = new DeadLetter
            {
                Reason = DeadLetterReason.Poison,
                ReceivedAt = insertedOn,
                Error = fault,
                Body = message,
                Discriminator = DeadLetter.DiscriminatorOf(message.Span),
            };
            await deadLetters.KeepAsync(unreadable, cancellation);
            Log.UnreadableArchived(logger, fault);
            Publish(callEvent: null, unreadable);
        }
    }

    private async Task ArchiveAsync(CallEvent callEvent, ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        var progress = await journal.ProgressOfAsync(callEvent, cancellation);
        if (progress is { IsFinished: true })
        {
            // Processed, but the process died each time before it could remove the message.
            Log.AlreadyFinished(logger, callEvent.Id);
            return;
        }

        // Deliveries of one event that all fail are one dead letter: the first delivery's.
        var letter = new DeadLetter
        {
            Reason = DeadLetterReason.Poison,
            Kind = callEvent.Kind.Name(),
            EventId = callEvent.Id,
            ReceivedAt = progress?.FirstReceivedAt ?? callEvent.ReceivedAt,
            Error = progress switch
            {
                { LastFailure: { } failure } => $"Processing failed {PipelineQueues.MaxDequeueCount} times, at last with {failure}",
                null => "The event never reached the journal: storage failed, or the process ended each time.",
                _ => "The process ended each time before the handlers had finished.",
            },
            Body = message,
            Discriminator = DeadLetter.DiscriminatorOf(callEvent),
        };
        await deadLetters.KeepAsync(letter, cancellation);
        if (await journal.ProgressOfAsync(callEvent, cancellation) is { IsFinished: true })
        {
            // Another delivery succeeded in between, before this dead letter existed to be removed.
            await deadLetters.WithdrawAsync(callEvent, letter.ReceivedAt, cancellation);
            Log.AlreadyFinished(logger, callEvent.Id);
            return;
        }

        Log.Archived(logger, callEvent.Id);
        Publish(callEvent, letter);
    }

    private void Publish(CallEvent? callEvent, DeadLetter letter)
    {
        if (events.IsHeard)
        {
            events.Publish(new PoisonArchived(callEvent, letter));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 30, Level = LogLevel.Error, Message = "Event {EventId} failed too often and is kept in DeadLetters.")]
        public static partial void Archived(ILogger logger, string eventId);

        [LoggerMessage(EventId = 31, Level = LogLevel.Error, Message = "A message that is not an event of this app is kept in DeadLetters: {Fault}")]
        public static partial void UnreadableArchived(ILogger logger, string fault);

        [LoggerMessage(EventId = 32, Level = LogLevel.Warning, Message = "Event {EventId} came to the poison queue but the journal shows it finished: dropped.")]
        public static partial void AlreadyFinished(ILogger logger, string eventId);
    }
}
