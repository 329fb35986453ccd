using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TeleCmi.Events;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Processing;

/// <summary>Runs the handlers that an event still needs, and notes in the journal how they ended.</summary>
public sealed partial class HandlerRunner(
    Journal journal, IOptions<TeleCmiOptions> options, TeleCmiMetrics metrics, TimeProvider clock, ILogger<HandlerRunner> logger)
{
    // An outage of the journal's table would have to last for this many events before one is forgotten.
    private const int MostRemembered = 10_000;

    // Longer than the clocks of two instances differ.
    private static readonly TimeSpan ClaimMargin = TimeSpan.FromSeconds(30);

    private readonly Deadline _deadline = new(options.Value.HandlerDeadline, clock);

    // What has finished but could not be noted in the journal: the next delivery notes it and does not run it again.
    private readonly ConcurrentDictionary<RowKey, IReadOnlySet<string>> _notNoted = new();

    /// <summary>For how long a delivery claims the handlers: as long as they may take.</summary>
    public TimeSpan ClaimFor(int handlers) => (options.Value.HandlerDeadline * handlers) + ClaimMargin;

    /// <summary>Runs the handlers that have not finished.</summary>
    /// <param name="callEvent">The event.</param>
    /// <param name="entry">Its entry, whose handlers this delivery has claimed.</param>
    /// <param name="lanes">The handlers that apply to the event: in a lane one after another, the lanes beside each other.</param>
    /// <param name="cancellation">Ends the try; what has finished is noted all the same.</param>
    /// <exception cref="HandlerFailedException">A handler failed; the others have run.</exception>
    public async Task RunAsync(CallEvent callEvent, JournalEntry entry, IReadOnlyList<IReadOnlyList<ICallEventHandler>> lanes, CancellationToken cancellation)
    {
        var done = _notNoted.GetValueOrDefault(entry.ClaimKey);
        var states = new Dictionary<string, string>(StringComparer.Ordinal);
        var failures = new List<Exception>();

        foreach (var (name, failure) in (await Task.WhenAll(lanes.Select(RunLaneAsync))).SelectMany(lane => lane))
        {
            states[name] = failure is null ? HandlerState.Done : HandlerState.Failed;
            if (failure is not null)
            {
                failures.Add(failure);
            }
        }

        await NoteAsync(entry, states, failures.LastOrDefault());
        if (failures.Count > 0)
        {
            throw new HandlerFailedException(callEvent.Id, failures);
        }

        async Task<List<(string Name, Exception? Failure)>> RunLaneAsync(IReadOnlyList<ICallEventHandler> lane)
        {
            var ends = new List<(string Name, Exception? Failure)>();
            foreach (var handler in lane.Where(handler => entry.Unfinished.Contains(handler.Name, StringComparer.Ordinal)))
            {
                ends.Add((handler.Name, done?.Contains(handler.Name) == true ? null : await RunAsync(handler, callEvent, cancellation)));
            }

            return ends;
        }
    }

    // Also when the app is stopping: what has finished must not run again.
    private async Task NoteAsync(JournalEntry entry, Dictionary<string, string> states, Exception? failure)
    {
        try
        {
            await journal.NoteHandlersAsync(entry, states, failure, CancellationToken.None);
            _notNoted.TryRemove(entry.ClaimKey, out _);
        }
        catch (StorageException)
        {
            if (_notNoted.Count < MostRemembered)
            {
                _notNoted[entry.ClaimKey] = states.Where(state => state.Value == HandlerState.Done).Select(state => state.Key).ToHashSet(StringComparer.Ordinal);
            }

            throw;
        }
    }

    private async Task<Exception?> RunAsync(ICallEventHandler handler, CallEvent callEvent, CancellationToken cancellation)
    {
        var started = clock.GetTimestamp();
        Exception? failure = null;
        try
        {
            await _deadline.RunAsync(
                // A handler that ignores its token, or blocks its thread, must not hold up the others.
                token => Task.Run(() => handler.HandleAsync(callEvent, token), CancellationToken.None).WaitAsync(token),
                cancellation);
        }
        catch (Exception e)
        {
            failure = e;
            Log.HandlerFailed(logger, e, handler.Name, callEvent.Id);
        }

        metrics.Handled(handler.Name, failure is null, clock.GetElapsedTime(started));
        return failure;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 22, Level = LogLevel.Warning, Message = "Handler {Handler} failed on event {EventId}.")]
        public static partial void HandlerFailed(ILogger logger, Exception exception, string handler, string eventId);
    }
}

/// <summary>One or more handlers of an event failed; the event has to be tried again.</summary>
public sealed class HandlerFailedException(string eventId, IReadOnlyCollection<Exception> failures)
    : AggregateException($"{failures.Count} handler(s) failed on event {eventId}.", failures);
