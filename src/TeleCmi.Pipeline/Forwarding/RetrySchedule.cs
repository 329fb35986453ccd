namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// When a failed attempt is made again: after seconds, minutes, then hours, about two days in all, each delay a little
/// longer or shorter by chance, so that what failed together does not come again together.
/// </summary>
public sealed class RetrySchedule
{
    private const double Jitter = 0.2;

    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromDays(1);
    private static readonly TimeSpan FirstDeferral = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestDeferral = TimeSpan.FromMinutes(10);

    private readonly TimeSpan[] _delays;

    /// <summary>A schedule of these delays between the attempts.</summary>
    public RetrySchedule(params IReadOnlyList<TimeSpan> delays)
    {
        _delays = [.. delays];
        Life = _delays.Aggregate(TimeSpan.Zero, (sum, delay) => sum + delay) * 1.5;
    }

    /// <summary>Twelve attempts within about 48 hours.</summary>
    public static RetrySchedule Default { get; } = new(
        TimeSpan.FromSeconds(5),
        TimeSpan.FromSeconds(30),
        TimeSpan.FromMinutes(2),
        TimeSpan.FromMinutes(10),
        TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(1),
        TimeSpan.FromHours(2),
        TimeSpan.FromHours(4),
        TimeSpan.FromHours(8),
        TimeSpan.FromHours(14),
        TimeSpan.FromHours(18));

    /// <summary>How many attempts are made.</summary>
    public int Attempts => _delays.Length + 1;

    /// <summary>What is older than this becomes a dead letter, also when it was put back more often than it was tried.</summary>
    public TimeSpan Life { get; }

    /// <summary>The delay after a failed attempt.</summary>
    /// <param name="attempt">Which attempt failed; the first is 1.</param>
    /// <param name="retryAfter">What the receiver asked for; a longer wait than ours is honoured, up to a day.</param>
    /// <returns>Null when that was the last.</returns>
    public TimeSpan? After(int attempt, TimeSpan? retryAfter)
    {
        if (attempt > _delays.Length)
        {
            return null;
        }

        var delay = Vary(_delays[attempt - 1]);
        var asked = retryAfter < LongestRetryAfter ? retryAfter : LongestRetryAfter;
        return retryAfter is not null && asked > delay ? Lengthen(asked.Value) : delay;
    }

    /// <summary>The delay before an attempt that was not made, because no request may be made to the destination now.</summary>
    /// <param name="deferrals">How often that has happened since the last attempt.</param>
    /// <param name="atLeast">How long the destination is to be left alone.</param>
    public static TimeSpan AfterDeferral(int deferrals, TimeSpan atLeast)
    {
        var delay = FirstDeferral * Math.Pow(2, Math.Clamp(deferrals, 0, 16));
        delay = delay < LongestDeferral ? delay : LongestDeferral;
        return Lengthen(delay > atLeast ? delay : atLeast);
    }

    private static TimeSpan Vary(TimeSpan delay) => delay * (1 - Jitter + (Random.Shared.NextDouble() * 2 * Jitter));

    // Whoever asked for a wait gets no less than it.
    private static TimeSpan Lengthen(TimeSpan delay) => delay * (1 + (Random.Shared.NextDouble() * Jitter));
}
