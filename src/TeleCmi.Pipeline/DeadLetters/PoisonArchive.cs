using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using TeleCmi.Events;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Observing;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.DeadLetters;

/// <summary>Keeps for good what failed too often: the platform would let a poison message expire after 7 days.</summary>
public sealed partial class PoisonArchive(
    DeadLetterStore deadLetters, Journal journal, TimeProvider clock, ILogger<PoisonArchive> logger, IPipelineObserver? observer = null)
{
    /// <summary>Archives one message of the poison queue.</summary>
    /// <param name="message">The message's body.</param>
    /// <param name="insertedOn">When the poison queue got it, if known.</param>
    /// <param name="cancellation">Ends the attempt; the message is then delivered again.</param>
    public Task ArchiveAsync(ReadOnlyMemory<byte> message, DateTimeOffset? insertedOn, CancellationToken cancellation) =>
        Deadline.RunAsync(
            deadline => ArchiveCoreAsync(message, insertedOn ?? clock.GetUtcNow(), deadline),
            Deadline.OfStorage,
            clock,
            cancellation);

    private async Task ArchiveCoreAsync(ReadOnlyMemory<byte> message, DateTimeOffset insertedOn, CancellationToken cancellation)
    {
        if (!EventEnvelope.TryRead(message, out var callEvent, out var fault))
        {
            var unreadable = new DeadLetter
            {
                Reason = DeadLetterReason.Poison,
                ReceivedAt = insertedOn,
                Error = fault,
                Body = message,
                Discriminator = Hash(message.Span),
            };
            await deadLetters.KeepAsync(unreadable, cancellation);
            Log.UnreadableArchived(logger, fault);
            observer?.Archived(callEvent: null, unreadable);
            return;
        }

        var progress = await journal.ProgressOfAsync(callEvent, cancellation);
        if (progress is { IsFinished: true })
        {
            // Processed, but the process died each time before it could remove the message.
            Log.AlreadyFinished(logger, callEvent.Id);
            return;
        }

        // Resends of one event that all fail are one dead letter: the first delivery's.
        var letter = new DeadLetter
        {
            Reason = DeadLetterReason.Poison,
            Kind = callEvent.Kind.Name(),
            EventId = callEvent.Id,
            ReceivedAt = progress?.FirstReceivedAt ?? callEvent.ReceivedAt,
            Error = "Processing failed too often; the log has each failure under the event's id, the journal each handler's state.",
            Body = message,
            Discriminator = DiscriminatorOf(callEvent),
        };
        await deadLetters.KeepAsync(letter, cancellation);
        if (await journal.ProgressOfAsync(callEvent, cancellation) is { IsFinished: true })
        {
            // Another delivery got through in between, too early to find this letter.
            await deadLetters.WithdrawAsync(callEvent, letter.ReceivedAt, cancellation);
            Log.AlreadyFinished(logger, callEvent.Id);
            return;
        }

        Log.Archived(logger, callEvent.Id);
        observer?.Archived(callEvent, letter);
    }

    /// <summary>The same for every delivery of an event, so that all find the one dead letter.</summary>
    internal static string DiscriminatorOf(CallEvent callEvent) => Hash(Encoding.UTF8.GetBytes($"{callEvent.Id} {callEvent.Notice.ContentHash}"));

    // The platform may copy a message to the poison queue twice; it is one dead letter all the same.
    private static string Hash(ReadOnlySpan<byte> identity) => Convert.ToHexStringLower(SHA256.HashData(identity).AsSpan(0, 16));

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
