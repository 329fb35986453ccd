using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;
using TeleCmi.Events;
using TeleCmi.Events.Samples;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>Sends a signed sample to a receiver, just as a real event would go, and explains the response.</summary>
public sealed class ForwardTest(EventSender sender, IOptions<ForwardOptions> options, TimeProvider clock)
{
    /// <summary>What the sample's ids begin with, so that a receiver can tell it from a call.</summary>
    public const string IdPrefix = "forward-test-";

    private readonly AddressPolicy _policy = ForwardDestinations.PolicyOf(options.Value);

    /// <summary>Makes a destination of settings that a person gave, under the same rules as those of the app.</summary>
    /// <param name="written">The settings.</param>
    /// <param name="faults">Gets a sentence for each that is wrong.</param>
    /// <param name="destination">The destination, when nothing is wrong.</param>
    public bool TryAddress(ForwardDestinationOptions written, ICollection<string> faults, [NotNullWhen(true)] out ForwardDestination? destination) =>
        ForwardDestination.TryCreate(written, _policy, faults, out destination);

    /// <summary>Sends the documented sample of a customer's answer, with ids of its own.</summary>
    /// <param name="destination">From the settings, or made with <see cref="TryAddress"/>.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public async Task<ForwardTestResult> RunAsync(ForwardDestination destination, CancellationToken cancellation)
    {
        var sample = Sample();
        var result = await sender.SendAsync(destination, EnvelopedEvent.Of(sample), destination.Timeout, cancellation);
        return new ForwardTestResult(sample.Id, result, Explain(result));
    }

    /// <summary>What the response means, and what to do about it.</summary>
    public static string Explain(DeliveryResult result) => result switch
    {
        { Outcome: DeliveryOutcome.Delivered } =>
            $"{result.Reason} A real event would be done. Check that the receiver has verified the signature: it should respond with 400 or 401 to a wrong one.",
        { Outcome: DeliveryOutcome.Gone } =>
            $"{result.Reason} A real event would disable this destination until its Url is changed or it is resumed.",
        { Status: 401 or 403 } =>
            $"{result.Reason} The receiver refuses the request: check that both sides have the same secret, and that the receiver verifies the raw body. A real event would go to DeadLetters at once.",
        { Status: 404 or 405 } =>
            $"{result.Reason} Check the Url: this path takes no POST. A real event would go to DeadLetters at once.",
        { Status: 415 } =>
            $"{result.Reason} The receiver must take application/cloudevents+json. A real event would go to DeadLetters at once.",
        { Outcome: DeliveryOutcome.Refused } =>
            $"{result.Reason} A real event would go to DeadLetters at once.",
        { RetryAfter: { } wait } =>
            $"{result.Reason} It asks for the next request in {wait.TotalSeconds:0} s; a real event would wait that long and be sent again.",
        _ => $"{result.Reason} A real event would be sent again, for about two days, and then go to DeadLetters.",
    };

    private CallEvent Sample()
    {
        var now = clock.GetUtcNow();
        var fresh = DocumentedNotices.OutgoingAnsweredByCustomer.Fresh(Guid.NewGuid().ToString(), now, IdPrefix);
        if (!Notice.TryRead(fresh.Utf8, out var read, out var fault))
        {
            throw new InvalidDataException(fault);
        }

        var envelope = new ArrayBufferWriter<byte>();
        EventEnvelope.Write(envelope, read, now, traceParent: null);
        return EventEnvelope.TryRead(envelope.WrittenMemory, out var sample, out fault) ? sample : throw new InvalidDataException(fault);
    }
}

/// <summary>What came of a test.</summary>
/// <param name="EventId">The sample's id.</param>
/// <param name="Result">How the attempt ended.</param>
/// <param name="Explanation">What that means.</param>
public sealed record ForwardTestResult(string EventId, DeliveryResult Result, string Explanation);
