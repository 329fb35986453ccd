namespace TeleCmi.Pipeline.Processing;

/// <summary>One or more handlers of an event failed; the event has to be tried again.</summary>
public sealed class HandlerFailedException(string eventId, IReadOnlyCollection<Exception> failures)
    : AggregateException($"{failures.Count} handler(s) failed on event {eventId}.", failures);
