using TeleCmi.Events;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Receiving;

namespace TeleCmi.Pipeline.Observing;

/// <summary>
/// Watches each event on its way, to show it to a person. Register one to be told; without one, nothing is gathered.
/// </summary>
/// <remarks>
/// Called on the event's own way, by many threads at once: whoever watches must be quick, must not throw, and must copy
/// the bytes it wants to keep, because they are only lent for the call.
/// </remarks>
public interface IPipelineObserver
{
    /// <summary>The queue of forwards has the event for a destination.</summary>
    const string Waiting = "waiting";

    /// <summary>A request holds a notice; what is done with it is told by <see cref="Queueing"/> and <see cref="Answered"/>.</summary>
    /// <param name="request">The request.</param>
    /// <param name="asItCame">Its body, or its query's fields without the platform's secret.</param>
    /// <param name="notice">The notice; lent for this call.</param>
    void Read(WebhookRequest request, ReadOnlyMemory<byte> asItCame, Notice notice);

    /// <summary>A request holds no notice that can be read.</summary>
    /// <param name="request">The request.</param>
    /// <param name="asItCame">Its body, or its query's fields without the platform's secret.</param>
    /// <param name="fault">What is wrong with it.</param>
    void Unreadable(WebhookRequest request, ReadOnlyMemory<byte> asItCame, string fault);

    /// <summary>An accepted event is about to be put into the queue: it may be processed before its sender has the answer.</summary>
    /// <param name="request">The request that brought it.</param>
    /// <param name="callEvent">The event, as it will be processed; lent for this call.</param>
    void Queueing(WebhookRequest request, CallEvent callEvent);

    /// <summary>A request has its answer.</summary>
    /// <param name="request">The request.</param>
    /// <param name="outcome">How it was answered, as telemetry names it.</param>
    /// <param name="answer">The answer.</param>
    void Answered(WebhookRequest request, string outcome, WebhookAnswer answer);

    /// <summary>Work on a message begins; it may be another try, or a replay.</summary>
    void Processing(CallEvent callEvent);

    /// <summary>All work on a message is done.</summary>
    /// <param name="processed">The event and its place in the journal.</param>
    /// <param name="outcome">How it ended, as telemetry names it.</param>
    void Processed(ProcessedEvent processed, string outcome);

    /// <summary>A try failed; the queue delivers the message again, or gives it up.</summary>
    void Failed(CallEvent callEvent, Exception failure);

    /// <summary>A message that failed too often is kept as a dead letter.</summary>
    /// <param name="callEvent">The event, when the message is one.</param>
    /// <param name="letter">What is kept.</param>
    void Archived(CallEvent? callEvent, DeadLetter letter);

    /// <summary>An event is on its way to a destination, or has ended it.</summary>
    /// <param name="callEvent">The event.</param>
    /// <param name="destination">The destination's name.</param>
    /// <param name="outcome">How far it is, as telemetry names it; <see cref="Waiting"/> when its queue has just got it.</param>
    void HandedOn(CallEvent callEvent, string destination, string outcome);
}
