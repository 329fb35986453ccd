using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;
using TeleCmi.Events;
using TeleCmi.Events.Samples;
using TeleCmi.Pipeline.Calls;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>Sends a signed sample to a receiver, just as a real {what} would go, and explains the response.</summary>
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

    /// <summary>Sends the documented sample of a customer's answer, or to a destination for calls a call that is made of documented samples; with ids of its own.</summary>
    /// <param name="destination">From the settings, or made with <see cref="TryAddress"/>.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public async Task<ForwardTestResult> RunAsync(ForwardDestination destination, CancellationToken cancellation)
    {
        var round = Guid.NewGuid().ToString();
        var sample = destination.SendsCalls ? SampleCall(round) : EnvelopedEvent.Of(Sample(round, DocumentedNotices.OutgoingAnsweredByCustomer, clock.GetUtcNow()));
        var result = await sender.SendAsync(destination, sample, destination.Timeout, isBackfill: false, cancellation);
        return new ForwardTestResult(sample.Id, result, Explain(result, destination));
    }

    private static string Explain(DeliveryResult result, ForwardDestination destination)
    {
        var what = destination.SendsCalls ? "call" : "event";
        return result switch
        {
            { Outcome: DeliveryOutcome.Delivered } =>
                $"{result.Reason} A real {what} would be done. Check that the receiver has verified the signature: it should respond with 400 or 401 to a wrong one.",
            { Outcome: DeliveryOutcome.Gone } =>
                $"{result.Reason} A real {what} would disable this destination until its Url is changed or it is resumed.",
            { Status: 401 or 403 } =>
                $"{result.Reason} The receiver refuses the request: check that both sides have the same secret, and that the receiver verifies the raw body. A real {what} would go to DeadLetters at once.",
            { Status: 404 or 405 } =>
                $"{result.Reason} Check {destination.NameOf(nameof(destination.Url))}: this path takes no POST. A real {what} would go to DeadLetters at once.",
            { Status: 415 } =>
                $"{result.Reason} The receiver must take application/cloudevents+json. A real {what} would go to DeadLetters at once.",
            { Outcome: DeliveryOutcome.Refused } =>
                $"{result.Reason} A real {what} would go to DeadLetters at once.",
            { RetryAfter: { } wait } =>
                $"{result.Reason} It asks for the next request in {wait.TotalSeconds:0} s; a real {what} would wait that long and be sent again.",
            _ => $"{result.Reason} A real {what} would be sent again, for about two days, and then go to DeadLetters.",
        };
    }

    // An outgoing call that took 22 s: each notice is received some seconds after the one before.
    private EnvelopedEvent SampleCall(string round)
    {
        (string Name, int Second)[] notices =
        [
            ("chub-event-outgoing-started-a", 0), ("chub-event-outgoing-answered-a", 4), ("chub-event-outgoing-answered-b", 16), ("chub-event-outgoing-hangup-b", 22),
            ("chub-event-outgoing-hangup-a", 22), ("chub-cdr-outgoing-answered-b", 24), ("chub-cdr-outgoing-answered-a", 24),
        ];
        var (samples, start) = (DocumentedNotices.Load(), clock.GetUtcNow().AddSeconds(-30));
        CallEvent[] events = [.. notices.Select(notice => Sample(round, samples.Single(sample => sample.Name == notice.Name), start.AddSeconds(notice.Second)))];
        var first = events[0].Notice;
        var call = CallReducer.Reduce($"{first.AppIdText}{CallRecord.IdSeparator}{first.ConversationUuid}", events.Select(CallNotice.Of), clock.GetUtcNow());
        return CompletedCall.Of(call, CompletedCall.DocumentOf(call) with { Revision = 1 }, traceParent: null);
    }

    private static CallEvent Sample(string round, DocumentedNotice notice, DateTimeOffset receivedAt)
    {
        var fresh = notice.Fresh(round, receivedAt, IdPrefix);
        if (!Notice.TryRead(fresh.Utf8, out var read, out var fault))
        {
            throw new InvalidDataException(fault);
        }

        var envelope = new ArrayBufferWriter<byte>();
        EventEnvelope.Write(envelope, read, receivedAt, traceParent: null);
        return EventEnvelope.TryRead(envelope.WrittenMemory, out var sample, out fault) ? sample : throw new InvalidDataException(fault);
    }
}

/// <summary>What came of a test.</summary>
/// <param name="EventId">The sample's id.</param>
/// <param name="Result">How the attempt ended.</param>
/// <param name="Explanation">What that means.</param>
public sealed record ForwardTestResult(string EventId, DeliveryResult Result, string Explanation);
