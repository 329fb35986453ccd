namespace TeleCmi.Cli.Sending;

/// <summary>What came of sending.</summary>
internal sealed class SendReport
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, int> _responses = new(StringComparer.Ordinal);
    private readonly List<double> _milliseconds = [];

    public int Sent { get; private set; }

    public int Acknowledged { get; private set; }

    public TimeSpan Elapsed { get; set; }

    public IReadOnlyDictionary<string, int> Responses => _responses;

    public double PerSecond => Elapsed > TimeSpan.Zero ? Sent / Elapsed.TotalSeconds : 0;

    public void Add(NoticeResponse response)
    {
        lock (_lock)
        {
            Sent++;
            Acknowledged += response.IsAcknowledged ? 1 : 0;
            _responses[response.Label] = _responses.GetValueOrDefault(response.Label) + 1;
            _milliseconds.Add(response.Latency.TotalMilliseconds);
        }
    }

    /// <summary>The latencies, in milliseconds, that 50, 95 and 99 % of the responses did not exceed (nearest rank), and the longest.</summary>
    public IReadOnlyDictionary<string, double> Latencies()
    {
        _milliseconds.Sort();
        return _milliseconds.Count == 0
            ? new OrderedDictionary<string, double>(StringComparer.Ordinal)
            : new OrderedDictionary<string, double>(StringComparer.Ordinal) { ["p50"] = Rank(0.50), ["p95"] = Rank(0.95), ["p99"] = Rank(0.99), ["max"] = Rank(1) };
    }

    private double Rank(double share) => Math.Round(_milliseconds[(int)Math.Ceiling(share * _milliseconds.Count) - 1], 2);
}
