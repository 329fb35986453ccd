using System.Runtime.InteropServices;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>Counts, of the last five minutes and since the start. Changed and read under the hub's lock only.</summary>
internal sealed class LiveStatistics(TimeProvider clock)
{
    public const int BucketSeconds = 5;

    private const int Buckets = 60;
    private const int SamplesPerBucket = 500;

    private readonly Bucket?[] _ring = new Bucket?[Buckets];
    private readonly Dictionary<string, long> _totals = new(StringComparer.Ordinal);

    public void Received(double responseMs)
    {
        Count("all");
        Current().Add(responseMs);
    }

    public void Processed() => Current().Processed++;

    public void Count(string state) => CollectionsMarshal.GetValueRefOrAddDefault(_totals, state, out _)++;

    public StatsView ToView(IReadOnlyList<QueueView> queues)
    {
        var last = NumberOfNow();
        var all = new List<double>();
        var views = new BucketView[Buckets];
        for (var i = 0; i < Buckets; i++)
        {
            var bucket = At(last - Buckets + 1 + i);
            if (bucket is null)
            {
                views[i] = new BucketView(0, 0, null, null);
                continue;
            }

            var sorted = bucket.ResponseMs.ToArray();
            Array.Sort(sorted);
            all.AddRange(sorted);
            views[i] = new BucketView(bucket.Received, bucket.Processed, Percentile(sorted, 0.5), Percentile(sorted, 0.95));
        }

        var whole = all.Order().ToArray();
        return new StatsView(
            new Dictionary<string, long>(_totals, StringComparer.Ordinal), BucketSeconds, views, Percentile(whole, 0.5), Percentile(whole, 0.95), queues);
    }

    private static double? Percentile(double[] sorted, double share) =>
        sorted.Length == 0 ? null : Math.Round(sorted[(int)Math.Ceiling(share * sorted.Length) - 1], 1);

    private long NumberOfNow() => clock.GetUtcNow().ToUnixTimeSeconds() / BucketSeconds;

    private Bucket? At(long number) => _ring[number % Buckets] is { } bucket && bucket.Number == number ? bucket : null;

    private Bucket Current()
    {
        var number = NumberOfNow();
        var bucket = _ring[number % Buckets] ??= new Bucket();
        if (bucket.Number != number)
        {
            bucket.Reset(number);
        }

        return bucket;
    }

    private sealed class Bucket
    {
        private readonly double[] _responseMs = new double[SamplesPerBucket];

        public long Number { get; private set; } = -1;

        public int Received { get; private set; }

        public int Processed { get; set; }

        /// <summary>The times to the response; under load the latest of them.</summary>
        public ReadOnlySpan<double> ResponseMs => _responseMs.AsSpan(0, Math.Min(Received, SamplesPerBucket));

        public void Reset(long number)
        {
            Number = number;
            Received = 0;
            Processed = 0;
        }

        public void Add(double responseMs) => _responseMs[Received++ % SamplesPerBucket] = responseMs;
    }
}
