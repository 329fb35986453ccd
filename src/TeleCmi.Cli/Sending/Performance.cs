namespace TeleCmi.Cli.Sending;

/// <summary>What came of sending.</summary>
internal sealed class Performance
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, int> _answers = new(StringComparer.Ordinal);
    private readonly List<double> _milliseconds = [];

    public int Sent { get; private set; }

    public int Fine { get; private set; }

    public TimeSpan Elapsed { get; set; }

    public IReadOnlyDictionary<string, int> Answers => _answers;

    public double PerSecond => Elapsed > TimeSpan.Zero ? Sent / Elapsed.TotalSeconds : 0;

    public void Add(Answer answer)
    {
        lock (_lock)
        {
            Sent++;
            Fine += answer.IsFine ? 1 : 0;
            _answers[answer.Label] = _answers.GetValueOrDefault(answer.Label) + 1;
            _milliseconds.Add(answer.Latency.TotalMilliseconds);
        }
    }

    /// <summary>The latency, in milliseconds, that this share of the answers did not exceed (nearest rank).</summary>
    public IReadOnlyList<(string Name, double Milliseconds)> Latencies()
    {
        if (_milliseconds.Count == 0)
        {
            return [];
        }

        _milliseconds.Sort();
        return [("p50", Rank(0.50)), ("p95", Rank(0.95)), ("p99", Rank(0.99)), ("max", _milliseconds[^1])];
    }

    private double Rank(double share) => _milliseconds[Math.Max(0, (int)Math.Ceiling(share * _milliseconds.Count) - 1)];
}
