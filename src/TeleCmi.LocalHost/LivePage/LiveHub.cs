using System.Text.Json;
using System.Threading.Channels;
using TeleCmi.Events;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Observing;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Receiving;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>
/// Keeps the latest journeys in memory, a bounded number, and tells whoever watches which have changed. Everything else
/// the page shows comes from the journal.
/// </summary>
internal sealed class LiveHub(TimeProvider clock) : IPipelineObserver
{
    /// <summary>How many journeys are kept: with the largest events some 17 MB.</summary>
    public const int Capacity = 500;

    private readonly Lock _lock = new();
    private readonly Queue<Journey> _latest = new(Capacity + 1);
    private readonly List<Watch> _watches = [];
    private readonly LiveStatistics _statistics = new(clock);
    private long _dropped;

    /// <summary>Another one after each start, so that the page knows.</summary>
    public string Instance { get; } = DeliveryKey.NewId();

    public bool IsWatched
    {
        get
        {
            lock (_lock)
            {
                return _watches.Count > 0;
            }
        }
    }

    public void Read(WebhookRequest request, ReadOnlyMemory<byte> asItCame, Notice notice)
    {
        if (request.Tag is LiveRequest live)
        {
            live.Notice = notice.Copy();
            live.Content = asItCame.Equals(notice.Json) ? live.Notice.Json : asItCame.ToArray();
        }
    }

    public void Unreadable(WebhookRequest request, ReadOnlyMemory<byte> asItCame, string fault)
    {
        if (request.Tag is LiveRequest live)
        {
            live.Content = asItCame.ToArray();
            live.Fault = fault;
        }
    }

    public void Queueing(WebhookRequest request, CallEvent callEvent)
    {
        if (request.Tag is not LiveRequest live)
        {
            return;
        }

        live.Journey = new Journey(callEvent.ReceivedAt, DeliveryKey.Of(callEvent))
        {
            Request = live,
            Notice = live.Notice,
        };
        lock (_lock)
        {
            Add(live.Journey);
        }
    }

    public void Answered(WebhookRequest request, string outcome, WebhookAnswer answer)
    {
        if (request.Tag is LiveRequest live)
        {
            Answered(live, outcome, answer);
        }
    }

    /// <summary>A request has its answer, from the pipeline or from the door.</summary>
    public void Answered(LiveRequest live, string outcome, WebhookAnswer answer)
    {
        var elapsed = clock.GetElapsedTime(live.Started).TotalMilliseconds;
        lock (_lock)
        {
            _statistics.Received(elapsed);
            var journey = live.Journey ?? Add(new Journey(live.ReceivedAt) { Request = live, Notice = live.Notice });
            journey.AnsweredMs = Math.Round(elapsed, 1);
            journey.Status = answer.StatusCode;
            journey.Answer = answer.Body;
            journey.Fault ??= live.Fault ?? (answer.StatusCode >= 400 ? DetailOf(answer) : null);
            var state = StateOf(outcome);
            // It may have been processed before its sender had the answer.
            if (journey.State is JourneyState.Received)
            {
                journey.State = state;
            }

            _statistics.Count(state);
            Changed(journey);
        }
    }

    public void Processing(CallEvent callEvent)
    {
        lock (_lock)
        {
            var journey = Of(callEvent);
            journey.Tries++;
            journey.StartedMs ??= SinceReceipt(callEvent);
            if (journey.State is JourneyState.Dead)
            {
                journey.State = JourneyState.Retrying;
            }

            Changed(journey);
        }
    }

    public void Processed(ProcessedEvent processed, string outcome)
    {
        lock (_lock)
        {
            var journey = Of(processed.Event);
            journey.State = processed.Entry.Outcome switch
            {
                JournalOutcome.Duplicate => JourneyState.Duplicate,
                JournalOutcome.Variant => JourneyState.Variant,
                _ => JourneyState.Processed,
            };
            journey.Fault = null;
            journey.JournalKey = processed.Entry.Key;
            journey.ProcessedMs = SinceReceipt(processed.Event);
            _statistics.Processed();
            _statistics.Count(journey.State);
            Changed(journey);
        }
    }

    public void Failed(CallEvent callEvent, Exception failure)
    {
        lock (_lock)
        {
            var journey = Of(callEvent);
            journey.State = JourneyState.Retrying;
            journey.Fault = failure is HandlerFailedException { InnerException: { } cause } ? cause.Message : failure.Message;
            Changed(journey);
        }
    }

    public void Archived(CallEvent? callEvent, DeadLetter letter)
    {
        lock (_lock)
        {
            var journey = callEvent is null ? Add(new Journey(letter.ReceivedAt)) : Of(callEvent);
            journey.State = JourneyState.Dead;
            journey.Fault ??= letter.Error;
            _statistics.Count(JourneyState.Dead);
            Changed(journey);
        }
    }

    public void HandedOn(CallEvent callEvent, string destination, string outcome)
    {
        lock (_lock)
        {
            var journey = Of(callEvent);
            journey.HandedOn[destination] = outcome;
            if (outcome is ForwardOutcome.DeadLettered)
            {
                journey.State = JourneyState.Dead;
                journey.Fault = $"It could not be handed on to {destination}.";
                _statistics.Count(JourneyState.Dead);
            }
            else if (journey.State is JourneyState.Dead && outcome is ForwardOutcome.Delivered)
            {
                // A replay; that it had been processed before is why there was something to hand on.
                journey.State = JourneyState.Processed;
                journey.Fault = null;
            }

            if (journey.HandedOn.Values.All(end => end is ForwardOutcome.Delivered or ForwardOutcome.Skipped))
            {
                journey.HandedOnMs = SinceReceipt(callEvent);
            }

            Changed(journey);
        }
    }

    public T? Find<T>(string id, Func<Journey, T?> select)
        where T : class
    {
        lock (_lock)
        {
            return _latest.FirstOrDefault(journey => journey.Id == id) is { } journey ? select(journey) : null;
        }
    }

    public StatsView Statistics(IReadOnlyList<QueueView> queues)
    {
        lock (_lock)
        {
            return _statistics.ToView(queues);
        }
    }

    /// <summary>Begins to watch: everything there is, and from now on every change.</summary>
    public Watch Begin(out IReadOnlyList<JourneyView> journeys, out long dropped)
    {
        lock (_lock)
        {
            journeys = [.. _latest.Select(journey => journey.ToView())];
            dropped = _dropped;
            var watch = new Watch(this);
            _watches.Add(watch);
            return watch;
        }
    }

    private Journey Of(CallEvent callEvent)
    {
        var delivery = DeliveryKey.Of(callEvent);
        // Looked for one by one: an index would have to be kept for every event received.
        return _latest.LastOrDefault(journey => journey.Delivery == delivery)
            ?? Add(new Journey(callEvent.ReceivedAt, delivery)
            {
                Notice = callEvent.Notice.Copy(),
                Message = callEvent.Envelope.ToArray(),
                State = JourneyState.Queued,
            });
    }

    private Journey Add(Journey journey)
    {
        _latest.Enqueue(journey);
        if (_latest.Count > Capacity)
        {
            var oldest = _latest.Dequeue();
            _dropped++;
            foreach (var watch in _watches)
            {
                watch.Forget(oldest);
            }
        }

        Changed(journey);
        return journey;
    }

    private void Changed(Journey journey)
    {
        foreach (var watch in _watches)
        {
            watch.Add(journey);
        }
    }

    private double SinceReceipt(CallEvent callEvent) =>
        Math.Round(Math.Max(0, (clock.GetUtcNow() - callEvent.ReceivedAt).TotalMilliseconds), 1);

    private static string StateOf(string outcome) => outcome switch
    {
        "accepted" => JourneyState.Queued,
        "ignored" => JourneyState.Ignored,
        "rejected" => JourneyState.Rejected,
        "unavailable" => JourneyState.Unavailable,
        _ => JourneyState.Refused,
    };

    private static string? DetailOf(WebhookAnswer answer)
    {
        using var problem = JsonDocument.Parse(answer.Body);
        return problem.RootElement.TryGetProperty("detail", out var detail) ? detail.GetString() : null;
    }

    /// <summary>One page that watches: the journeys that have changed since it last looked, never more than are kept.</summary>
    internal sealed class Watch(LiveHub hub) : IDisposable
    {
        private readonly HashSet<Journey> _changed = [];
        private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

        /// <summary>Waits until something has changed.</summary>
        public async Task WaitAsync(CancellationToken cancellation) => await _signal.Reader.ReadAsync(cancellation);

        /// <summary>Takes what has changed.</summary>
        public IReadOnlyList<JourneyView> Take()
        {
            lock (hub._lock)
            {
                JourneyView[] views = [.. _changed.Select(journey => journey.ToView())];
                _changed.Clear();
                return views;
            }
        }

        public void Dispose()
        {
            lock (hub._lock)
            {
                hub._watches.Remove(this);
            }
        }

        internal void Add(Journey journey)
        {
            _changed.Add(journey);
            _signal.Writer.TryWrite(true);
        }

        internal void Forget(Journey journey) => _changed.Remove(journey);
    }
}
