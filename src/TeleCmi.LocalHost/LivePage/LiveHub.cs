using System.Threading.Channels;
using TeleCmi.Events;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>
/// Listens to the pipeline, keeps the latest journeys in memory, a bounded number, and tells whoever watches which have
/// changed. Everything else the page shows comes from the journal.
/// </summary>
internal sealed class LiveHub
{
    /// <summary>How many journeys are kept: with the largest events some 30 MB.</summary>
    public const int Capacity = 500;

    /// <summary>How many refused requests are kept beside them: anybody can send those, and they must not push anything else out.</summary>
    public const int RefusedCapacity = 50;

    private readonly Lock _lock = new();
    private readonly Dictionary<RequestId, LiveRequest> _open = [];
    private readonly Queue<Journey> _latest = new();
    private readonly Queue<Journey> _refused = new();
    private readonly List<Watch> _watches = [];
    private readonly LiveStatistics _statistics;
    private readonly TimeProvider _clock;
    private long _lastRequest;
    private long _lastJourney;
    private long _dropped;

    /// <summary>Listens for as long as the process runs.</summary>
    public LiveHub(PipelineEvents events, TimeProvider clock)
    {
        _clock = clock;
        _statistics = new LiveStatistics(clock);
        events.Listen(On);
    }

    /// <summary>Another one after each start, so that the page knows.</summary>
    public string Instance { get; } = JourneyKey.NewId();

    /// <summary>Notes a request that has just come in; <see cref="RequestEnded"/> ends it.</summary>
    public RequestId Arrived(HttpContext context, bool hasToken) => Arrived(LiveRequest.Of(context, hasToken, _clock));

    /// <summary>Notes a request that has just come in; <see cref="RequestEnded"/> ends it.</summary>
    public RequestId Arrived(LiveRequest request)
    {
        lock (_lock)
        {
            var id = new RequestId(++_lastRequest);
            _open.Add(id, request);
            return id;
        }
    }

    public T? Find<T>(string id, Func<Journey, T?> select)
        where T : class
    {
        lock (_lock)
        {
            return _latest.Concat(_refused).FirstOrDefault(journey => journey.Id == id) is { } journey ? select(journey) : null;
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
            journeys = [.. InOrder().Select(journey => journey.ToView())];
            dropped = _dropped;
            var watch = new Watch(this);
            _watches.Add(watch);
            return watch;
        }
    }

    private void On(PipelineEvent pipelineEvent)
    {
        lock (_lock)
        {
            switch (pipelineEvent)
            {
                case RequestRead read when _open.TryGetValue(read.Request, out var request):
                    request.Content = read.Content.ToArray();
                    request.Json = read.Json.Equals(read.Content) ? request.Content : read.Json.ToArray();
                    break;
                case EventQueueing queueing when _open.TryGetValue(queueing.Request, out var request):
                    request.Journeys.Add(Add(New(queueing.Event, request)));
                    break;
                case RequestEnded ended when _open.Remove(ended.Request, out var request):
                    Ended(request, ended.Response);
                    break;
                case ProcessingStarted started:
                    Started(Of(started.Event));
                    break;
                case ProcessedEvent processed:
                    Processed(Of(processed.Event), processed.Entry);
                    break;
                case ProcessingFailed failed:
                    Failed(Of(failed.Event), failed.Failure);
                    break;
                case PoisonArchived archived:
                    var dead = archived.Event is { } callEvent ? Of(callEvent) : Add(new Journey(archived.Letter.ReceivedAt));
                    Died(dead, dead.Fault ?? archived.Letter.Error);
                    break;
                case ForwardChanged forward:
                    Forwarded(Of(forward.Event), forward.Destination, forward.Outcome);
                    break;
            }
        }
    }

    private void Ended(LiveRequest request, WebhookResponse response)
    {
        var elapsed = _clock.GetElapsedTime(request.Started).TotalMilliseconds;
        var state = StateOf(response.Case);
        if (request.Journeys.Count == 0)
        {
            // A report of which no record is of an accepted kind.
            state = state is JourneyState.Queued ? JourneyState.Ignored : state;
            request.Journeys.Add(Add(new Journey(request.ReceivedAt) { Request = request, IsRefused = state is JourneyState.Refused }));
        }

        foreach (var journey in request.Journeys)
        {
            journey.ResponseMs = Math.Round(elapsed, 1);
            journey.Response = response;
            journey.Fault ??= response.Detail;

            // It may have been processed before its sender had the response.
            if (journey.State is JourneyState.Received)
            {
                journey.State = state;
            }

            _statistics.Received(elapsed);
            _statistics.Count(state);
            Changed(journey);
        }
    }

    private void Started(Journey journey)
    {
        journey.Tries++;
        journey.StartedMs ??= SinceReceipt(journey);
        if (journey.State is JourneyState.Dead)
        {
            journey.State = JourneyState.Retrying;
        }
    }

    private void Processed(Journey journey, JournalEntry entry)
    {
        if (entry.Outcome is JournalOutcome.Claimed)
        {
            journey.State = JourneyState.Retrying;
            journey.Fault = "Another arrival of this event is being processed at this moment.";
            return;
        }

        journey.JournalKey = entry.Key;
        journey.ProcessedMs = SinceReceipt(journey);
        _statistics.Processed();

        // The first attempt to forward is a part of processing, and may have been the last.
        if (journey.Forwards?.ContainsValue(ForwardOutcome.DeadLettered) != true)
        {
            journey.Fault = null;
            journey.State = entry.Outcome switch
            {
                JournalOutcome.Duplicate => JourneyState.Duplicate,
                JournalOutcome.Variant => JourneyState.Variant,
                _ => JourneyState.Processed,
            };
            _statistics.Count(journey.State);
        }
    }

    private static void Failed(Journey journey, Exception failure)
    {
        journey.State = JourneyState.Retrying;
        journey.Fault = failure is HandlerFailedException { InnerException: { } cause } ? cause.Message : failure.Message;
    }

    private void Died(Journey journey, string fault)
    {
        journey.State = JourneyState.Dead;
        journey.Fault = fault;
        _statistics.Count(JourneyState.Dead);
    }

    private void Forwarded(Journey journey, string destination, string outcome)
    {
        journey.Forwards ??= new(StringComparer.Ordinal);
        journey.Forwards[destination] = outcome;
        if (outcome is ForwardOutcome.DeadLettered)
        {
            Died(journey, $"It could not be forwarded to {destination}.");
        }
        else if (journey.State is JourneyState.Dead && outcome is ForwardOutcome.Delivered)
        {
            // A replay; that it had been processed before is why there was something to forward.
            journey.State = JourneyState.Processed;
            journey.Fault = null;
        }

        if (journey.Forwards.Values.All(end => end is ForwardOutcome.Delivered or ForwardOutcome.Skipped))
        {
            journey.ForwardedMs = SinceReceipt(journey);
        }
    }

    // The journey of an event that has changed.
    private Journey Of(CallEvent callEvent)
    {
        var key = JourneyKey.Of(callEvent);

        // Looked for one by one: an index would have to be kept for every event received.
        if (_latest.LastOrDefault(journey => journey.Key == key) is not { } known)
        {
            return Add(New(callEvent, request: null));
        }

        Changed(known);
        return known;
    }

    private static Journey New(CallEvent callEvent, LiveRequest? request) => new(callEvent.ReceivedAt)
    {
        Key = JourneyKey.Of(callEvent),
        Request = request,
        Envelope = callEvent.Envelope.ToArray(),
        State = request is null ? JourneyState.Queued : JourneyState.Received,
    };

    private Journey Add(Journey journey)
    {
        var (ring, capacity) = journey.IsRefused ? (_refused, RefusedCapacity) : (_latest, Capacity);
        journey.Number = ++_lastJourney;
        ring.Enqueue(journey);
        if (ring.Count > capacity)
        {
            var oldest = ring.Dequeue();
            _dropped++;
            foreach (var watch in _watches)
            {
                watch.Forget(oldest);
            }
        }

        Changed(journey);
        return journey;
    }

    private IEnumerable<Journey> InOrder() => _latest.Concat(_refused).OrderBy(journey => journey.Number);

    private void Changed(Journey journey)
    {
        foreach (var watch in _watches)
        {
            watch.Add(journey);
        }
    }

    private double SinceReceipt(Journey journey) => Math.Round(Math.Max(0, (_clock.GetUtcNow() - journey.ReceivedAt).TotalMilliseconds), 1);

    private static string StateOf(WebhookCase outcome) =>
        outcome == WebhookCase.Accepted ? JourneyState.Queued
        : outcome == WebhookCase.Ignored ? JourneyState.Ignored
        : outcome == WebhookCase.Rejected ? JourneyState.Rejected
        : outcome == WebhookCase.Unavailable ? JourneyState.Unavailable
        : JourneyState.Refused;

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
                // In order of arrival, which a set does not keep: the page shows the last one on top.
                JourneyView[] views = [.. hub.InOrder().Where(_changed.Contains).Select(journey => journey.ToView())];
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
