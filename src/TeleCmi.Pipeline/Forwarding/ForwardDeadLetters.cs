using System.Security.Cryptography;
using System.Text;
using TeleCmi.Events;
using TeleCmi.Pipeline.DeadLetters;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>Keeps what could not be forwarded, so that it can be replayed to that destination alone.</summary>
internal sealed class ForwardDeadLetters(DeadLetterStore store, TimeProvider clock)
{
    public Task KeepAsync(ForwardMessage message, string error, ForwardAttempt? attempt, CancellationToken cancellation) => store.KeepAsync(
        new DeadLetter
        {
            Reason = DeadLetterReason.Forward,
            Kind = message.Event.Kind.Name(),
            EventId = message.Event.Id,
            ReceivedAt = message.Event.ReceivedAt,
            Error = error,
            Body = message.Event.Envelope,
            Destination = message.Destination,
            Status = attempt?.Status,
            Answer = attempt?.Answer,
            Discriminator = Hash(Encoding.UTF8.GetBytes($"{message.Destination}|{message.Event.Id}")),
        },
        cancellation);

    public Task KeepUnreadableAsync(ReadOnlyMemory<byte> body, string fault, CancellationToken cancellation) => store.KeepAsync(
        new DeadLetter
        {
            Reason = DeadLetterReason.Forward,
            ReceivedAt = clock.GetUtcNow(),
            Error = fault,
            Body = body,
            Discriminator = Hash(body.Span),
        },
        cancellation);

    private static string Hash(ReadOnlySpan<byte> text) => Convert.ToHexStringLower(SHA256.HashData(text).AsSpan(0, 16));
}
