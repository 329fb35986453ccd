using System.Text;
using TeleCmi.Events;
using TeleCmi.Pipeline.DeadLetters;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>Keeps what could not be forwarded, so that it can be replayed to that destination alone.</summary>
public sealed class ForwardDeadLetters(DeadLetterStore store)
{
    /// <summary>Where the dead letter of a delivery is, if there is one.</summary>
    internal static DeadLetterId IdOf(string destination, string eventId, DateTimeOffset receivedAt) =>
        DeadLetterId.Of(receivedAt, DiscriminatorOf(destination, eventId));

    internal Task KeepAsync(ForwardMessage message, string error, DeliveryResult? result, CancellationToken cancellation) => store.KeepAsync(
        new DeadLetter
        {
            Reason = DeadLetterReason.Forward,
            Kind = message.Event.Kind.Name(),
            EventId = message.Event.Id,
            ReceivedAt = message.Event.ReceivedAt,
            Error = error,
            Body = message.Event.Envelope,
            Destination = message.Destination,
            Status = result?.Status,
            ResponseBody = result?.ResponseBody,
            Discriminator = DiscriminatorOf(message.Destination, message.Event.Id),
        },
        cancellation);

    internal Task KeepUnreadableAsync(ReadOnlyMemory<byte> body, DateTimeOffset insertedOn, string fault, CancellationToken cancellation) => store.KeepAsync(
        new DeadLetter
        {
            Reason = DeadLetterReason.Forward,
            ReceivedAt = insertedOn,
            Error = fault,
            Body = body,
            Discriminator = DeadLetter.DiscriminatorOf(body.Span),
        },
        cancellation);

    private static string DiscriminatorOf(string destination, string eventId) => DeadLetter.DiscriminatorOf(Encoding.UTF8.GetBytes($"{destination}|{eventId}"));
}
