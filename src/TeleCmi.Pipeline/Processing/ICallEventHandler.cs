using TeleCmi.Events;

namespace TeleCmi.Pipeline.Processing;

/// <summary>
/// The place for your own work on an event. Register one with
/// <c>services.AddCallEventHandler&lt;T&gt;()</c>; it runs after the event is in the journal.
/// </summary>
/// <remarks>
/// It runs at least once per event: use <see cref="CallEvent.Id"/> to make an effect that must not repeat happen once.
/// When it throws, or passes <c>TeleCmi__HandlerDeadline</c>, the event is tried again later, and only the handlers that
/// have not finished run again; after five tries it becomes a dead letter, which can be replayed.
/// </remarks>
public interface ICallEventHandler
{
    /// <summary>A stable name, a letter and then letters, digits or underscores, at most 64: the journal keeps the handler's state under it.</summary>
    string Name { get; }

    /// <summary>
    /// Whether there is work to do on an event: where there is none the journal keeps no state, so it costs nothing.
    /// Called before the event is journaled; the result must depend on the event and the settings alone.
    /// </summary>
    bool AppliesTo(CallEvent callEvent) => true;

    /// <summary>Does the work.</summary>
    /// <param name="callEvent">The event.</param>
    /// <param name="cancellation">Cancelled at the deadline or when the app stops.</param>
    Task HandleAsync(CallEvent callEvent, CancellationToken cancellation);
}
