using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using TeleCmi.Events;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Receiving;

/// <summary>
/// Sends dead letters through the queue again. A dead letter leaves the table only after the queue has it, so a replay that
/// breaks off loses nothing; done again it queues the same event, with the same time of receipt, a second time, and the
/// journal recognises that. What a destination did not accept goes to that destination alone.
/// </summary>
public sealed partial class DeadLetterReplay(
    DeadLetterStore deadLetters, PipelineQueues queues, ForwardQueue forwards, EventFilter filter, ILogger<DeadLetterReplay> logger)
{
    /// <summary>Replays one letter.</summary>
    /// <param name="letter">The letter, read with its body.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <exception cref="StorageException">Storage failed; the letter is still there.</exception>
    public async Task<ReplayResult> ReplayAsync(StoredDeadLetter letter, CancellationToken cancellation)
    {
        using var message = new PooledBuffer(letter.Letter.Body.Length + EventEnvelope.MaxOverhead);
        if (!TryPrepare(letter.Letter, message, out var eventId, out var enveloped, out var fault))
        {
            Log.Stays(logger, letter.Id, fault);
            return new ReplayResult(ReplayOutcome.Stays, null, fault);
        }

        await (letter.Letter is { Reason: DeadLetterReason.Forward, Destination: { } destination } && enveloped is not null
            ? forwards.SendAsync(destination, enveloped, cancellation)
            : queues.Events.SendAsync(message.Written, TimeSpan.Zero, cancellation));

        // The queue has it: interrupted now, it would only be in both places.
        var removed = await deadLetters.RemoveAsync(letter, CancellationToken.None);
        Log.Replayed(logger, letter.Id, eventId);
        return removed
            ? new ReplayResult(ReplayOutcome.Replayed, eventId, null)
            : new ReplayResult(ReplayOutcome.CameBack, eventId, "It was replayed and has already failed again.");
    }

    private bool TryPrepare(
        DeadLetter letter, PooledBuffer message, [NotNullWhen(true)] out string? eventId, out EnvelopedEvent? enveloped, [NotNullWhen(false)] out string? fault)
    {
        eventId = null;
        enveloped = null;
        switch (letter.Reason)
        {
            case DeadLetterReason.Forward when letter.Destination is null:
                fault = "It does not say which destination it was meant for.";
                return false;

            case DeadLetterReason.Poison or DeadLetterReason.Forward:
                if (!EventEnvelope.TryReadAny(letter.Body, out enveloped, out fault)
                    || (letter.Reason is DeadLetterReason.Poison && !EventEnvelope.TryRead(letter.Body, out _, out fault)))
                {
                    return false;
                }

                letter.Body.Span.CopyTo(message.GetSpan(letter.Body.Length));
                message.Advance(letter.Body.Length);
                eventId = enveloped.Id;
                return true;

            case DeadLetterReason.Rejected:
                if (!TryReadAgain(letter.Body, out var notice, out fault))
                {
                    return false;
                }

                // With the time of the first receipt, every replay of this dead letter makes the same message.
                EventEnvelope.Write(message, notice, letter.ReceivedAt, traceParent: null);
                eventId = notice.Id;
                return true;

            default:
                fault = "A dead letter of this reason cannot be replayed.";
                return false;
        }
    }

    // Read and filtered as the receiver does now: it may know more kinds or have other settings than it had then.
    private bool TryReadAgain(ReadOnlyMemory<byte> body, [NotNullWhen(true)] out Notice? notice, [NotNullWhen(false)] out string? fault)
    {
        var json = body;
        if (LooksLikeFields(body.Span))
        {
            // Not pooled: the notice keeps using it.
            var fields = new System.Buffers.ArrayBufferWriter<byte>(body.Length * 2);
            if (NoticeForm.WriteJson(body.Span, fields) < 0)
            {
                notice = null;
                fault = "A field is not valid UTF-8 text.";
                return false;
            }

            json = fields.WrittenMemory;
        }

        if (!Notice.TryRead(json, out notice, out fault))
        {
            return false;
        }

        var refusal = filter.RefusalOf(notice);
        fault = refusal == WebhookCase.UnknownApp ? "It can be read now, but its app id is not in TeleCmi__AppIds."
            : refusal is not null ? $"It can be read now, but its kind, {notice.Kind.Name()}, is not in TeleCmi__AcceptedEvents."
            : notice.Json.Length > TeleCmiOptions.LargestEventBytes ? "It can be read now, but is too large for the queue."
            : null;
        return fault is null;
    }

    // The Content-Type is not kept; fields have an equals sign, and do not begin as JSON does.
    private static bool LooksLikeFields(ReadOnlySpan<byte> body) =>
        body.Contains((byte)'=') && body.TrimStart(" \t\r\n\uFEFF"u8) is not [(byte)'{' or (byte)'[' or (byte)'"', ..];

    private static partial class Log
    {
        [LoggerMessage(EventId = 33, Level = LogLevel.Information, Message = "Dead letter {DeadLetter} was replayed: the queue has event {EventId}.")]
        public static partial void Replayed(ILogger logger, DeadLetterId deadLetter, string eventId);

        [LoggerMessage(EventId = 34, Level = LogLevel.Warning, Message = "Dead letter {DeadLetter} was not replayed and stays: {Fault}")]
        public static partial void Stays(ILogger logger, DeadLetterId deadLetter, string fault);
    }
}

/// <summary>How a replay ended.</summary>
public enum ReplayOutcome
{
    /// <summary>The queue has the event, and the letter is gone.</summary>
    Replayed,

    /// <summary>The queue had the event, and it became a dead letter again before the old one was removed.</summary>
    CameBack,

    /// <summary>Not replayed: a person has to look at it.</summary>
    Stays,
}

/// <summary>What became of a replay.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="EventId">The event's id, when there is one.</param>
/// <param name="Fault">Why it is still there.</param>
public sealed record ReplayResult(ReplayOutcome Outcome, string? EventId, string? Fault);
