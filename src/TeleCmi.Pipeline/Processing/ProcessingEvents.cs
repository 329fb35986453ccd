using TeleCmi.Events;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Processing;

/// <summary>Work on a message begins; it may be another try, or a replay.</summary>
/// <param name="Event">The event; lent for this call.</param>
public sealed record ProcessingStarted(CallEvent Event) : PipelineEvent;

/// <summary>A delivery of an event needs no further work.</summary>
/// <param name="Event">The event; lent for this call.</param>
/// <param name="Entry">Its place in the journal.</param>
public sealed record ProcessedEvent(CallEvent Event, JournalEntry Entry) : PipelineEvent;

/// <summary>A try failed; the queue delivers the message again, or gives it up.</summary>
/// <param name="Event">The event; lent for this call.</param>
/// <param name="Failure">Why.</param>
public sealed record ProcessingFailed(CallEvent Event, Exception Failure) : PipelineEvent;

/// <summary>A message that failed too often is kept as a dead letter.</summary>
/// <param name="Event">The event, when the message is one; lent for this call.</param>
/// <param name="Letter">What is kept.</param>
public sealed record PoisonArchived(CallEvent? Event, DeadLetter Letter) : PipelineEvent;
