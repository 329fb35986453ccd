using System.Text.RegularExpressions;
using TeleCmi.Events;
using TeleCmi.Pipeline.Forwarding;

namespace TeleCmi.Pipeline.Processing;

/// <summary>Everything that works on an event: the user's handlers, and one for each destination.</summary>
public sealed partial class EventHandlers
{
    // Your own handlers run one after another; each destination beside them, so that a slow one delays nobody.
    private readonly ICallEventHandler[][] _lanes;

    /// <summary>Checks the handlers' names, which are part of column names in the journal.</summary>
    /// <exception cref="InvalidOperationException">A name cannot be a column, or two handlers have the same.</exception>
    public EventHandlers(IEnumerable<ICallEventHandler> handlers, ForwardDestinations destinations, Forwarder forwarder)
    {
        _lanes = [[.. handlers], .. destinations.All.Where(destination => !destination.SendsCalls).Select(destination => new ICallEventHandler[] { new ForwardHandler(destination, forwarder) })];
        ICallEventHandler[] all = [.. _lanes.SelectMany(lane => lane)];
        if (all.FirstOrDefault(handler => !Name().IsMatch(handler.Name)) is { } misnamed)
        {
            throw new InvalidOperationException($"The handler name '{misnamed.Name}' is invalid: use a letter and then letters, digits or underscores, at most 64.");
        }

        if (all.CountBy(handler => handler.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(name => name.Value > 1).Key is { } twice)
        {
            throw new InvalidOperationException($"Two handlers have the same name: {twice}.");
        }
    }

    /// <summary>Those that have work to do on an event, in lanes that run beside each other.</summary>
    public IReadOnlyList<IReadOnlyList<ICallEventHandler>> For(CallEvent callEvent) =>
        [.. _lanes.Select(lane => Array.FindAll(lane, handler => handler.AppliesTo(callEvent))).Where(lane => lane.Length > 0)];

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_]{0,63}$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Name();

    // As a handler a destination has a column in the journal: a duplicate is forwarded to nobody again, and an interrupted
    // try resumes with the destinations that are missing.
    private sealed class ForwardHandler(ForwardDestination destination, Forwarder forwarder) : ICallEventHandler
    {
        public string Name { get; } = destination.Filter.Handler;

        public bool AppliesTo(CallEvent callEvent) => destination.Accepts(callEvent);

        public Task HandleAsync(CallEvent callEvent, CancellationToken cancellation) => forwarder.ForwardAsync(destination, callEvent, cancellation);
    }
}
