using System.Diagnostics.Metrics;
using TeleCmi.Events;

namespace TeleCmi.Pipeline.Telemetry;

/// <summary>Everything that is counted and timed; the names are in <see cref="TelemetryNames"/>.</summary>
public sealed class TeleCmiMetrics
{
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800],
    };

    private readonly Counter<long> _received;
    private readonly Counter<long> _processed;
    private readonly Counter<long> _deadLetters;
    private readonly Histogram<double> _receiveDuration;
    private readonly Histogram<double> _enqueueDuration;
    private readonly Histogram<double> _lag;
    private readonly Histogram<double> _handlerDuration;
    private readonly Counter<long> _forwards;
    private readonly Histogram<double> _forwardDuration;
    private readonly Counter<long> _reconciled;
    private readonly Gauge<double> _completeUpTo;

    /// <summary>Creates the instruments.</summary>
    public TeleCmiMetrics(IMeterFactory meterFactory)
    {
        var meter = meterFactory.Create(TelemetryNames.Source);
        _received = meter.CreateCounter<long>(TelemetryNames.EventsReceived, "{event}", "Requests by kind and outcome");
        _processed = meter.CreateCounter<long>(TelemetryNames.EventsProcessed, "{event}", "Processed messages by kind and outcome");
        _deadLetters = meter.CreateCounter<long>(TelemetryNames.DeadLetters, "{event}", "Dead letters by reason");
        _receiveDuration = meter.CreateHistogram(TelemetryNames.ReceiveDuration, "s", "From the request to its response", advice: Seconds);
        _enqueueDuration = meter.CreateHistogram(TelemetryNames.EnqueueDuration, "s", "Until the queue has the event", advice: Seconds);
        _lag = meter.CreateHistogram(TelemetryNames.EventLag, "s", "From receipt to processed", advice: Seconds);
        _handlerDuration = meter.CreateHistogram(TelemetryNames.HandlerDuration, "s", "One handler's run", advice: Seconds);
        _forwards = meter.CreateCounter<long>(TelemetryNames.Forwards, "{forward}", "Forwards by destination and outcome");
        _forwardDuration = meter.CreateHistogram(TelemetryNames.ForwardDuration, "s", "One delivery attempt", advice: Seconds);
        _reconciled = meter.CreateCounter<long>(TelemetryNames.ReconciledCalls, "{call}", "Calls compared with TeleCMI's reports by outcome");
        _completeUpTo = meter.CreateGauge<double>(TelemetryNames.CompleteUpTo, "s", "Up to when nothing is missing, in seconds since 1970");
    }

    /// <summary>A request has its response.</summary>
    /// <param name="kind">The kind, or null when the body could not be read.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="elapsed">From the request to the response.</param>
    public void Received(EventKind? kind, string outcome, TimeSpan elapsed)
    {
        _received.Add(1, new(TelemetryNames.Kind, NameOf(kind)), new(TelemetryNames.Outcome, outcome));
        _receiveDuration.Record(elapsed.TotalSeconds, new KeyValuePair<string, object?>(TelemetryNames.Outcome, outcome));
    }

    /// <summary>The queue took an event, or did not.</summary>
    public void Enqueued(bool taken, TimeSpan elapsed) =>
        _enqueueDuration.Record(elapsed.TotalSeconds, new KeyValuePair<string, object?>(TelemetryNames.Outcome, taken ? "stored" : "failed"));

    /// <summary>A message was processed.</summary>
    /// <param name="kind">The kind, or null when the message is not ours.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="lag">From receipt to now, when it is done; never negative, whatever the clocks say.</param>
    public void Processed(EventKind? kind, string outcome, TimeSpan? lag)
    {
        _processed.Add(1, new(TelemetryNames.Kind, NameOf(kind)), new(TelemetryNames.Outcome, outcome));
        if (lag is { } time)
        {
            _lag.Record(Math.Max(0, time.TotalSeconds), new KeyValuePair<string, object?>(TelemetryNames.Kind, NameOf(kind)));
        }
    }

    /// <summary>A handler ran.</summary>
    public void Handled(string handler, bool succeeded, TimeSpan elapsed) =>
        _handlerDuration.Record(elapsed.TotalSeconds, new(TelemetryNames.Handler, handler), new(TelemetryNames.Outcome, succeeded ? "done" : "failed"));

    /// <summary>A forward was worked on.</summary>
    /// <param name="destination">The destination's name.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="elapsed">How long the attempt took; null when none was made.</param>
    public void Forwarded(string destination, string outcome, TimeSpan? elapsed)
    {
        _forwards.Add(1, new(TelemetryNames.Destination, destination), new(TelemetryNames.Outcome, outcome));
        if (elapsed is { } time)
        {
            _forwardDuration.Record(time.TotalSeconds, new(TelemetryNames.Destination, destination), new(TelemetryNames.Outcome, outcome));
        }
    }

    /// <summary>A dead letter was kept.</summary>
    public void DeadLettered(string reason, string? kind) =>
        _deadLetters.Add(1, new(TelemetryNames.Reason, reason), new(TelemetryNames.Kind, kind ?? "unreadable"));

    /// <summary>Calls were compared with TeleCMI's reports.</summary>
    public void Reconciled(string outcome, long calls) => _reconciled.Add(calls, new KeyValuePair<string, object?>(TelemetryNames.Outcome, outcome));

    /// <summary>Up to this moment nothing is missing.</summary>
    public void CompleteUpTo(DateTimeOffset moment) => _completeUpTo.Record(moment.ToUnixTimeSeconds());

    private static string NameOf(EventKind? kind) => kind?.Name() ?? "unreadable";
}
