using Polly;
using Polly.CircuitBreaker;
using Polly.RateLimiting;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// Stands before one destination and turns calls away that must not be made now: while it keeps failing (a circuit
/// breaker), while it asked to be left alone, or when enough are in flight. So a dead or slow receiver takes few of the
/// workers that all destinations share.
/// </summary>
internal sealed class DestinationGate
{
    public static readonly TimeSpan BreakDuration = TimeSpan.FromSeconds(30);

    private const int FailuresThatOpen = 5;
    private const double FailureRatio = 0.8;

    // A short burst waits here for the next free place; more would eat the workers of the other destinations.
    private const int Waiting = 4;

    private static readonly TimeSpan FailureWindow = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    private readonly ResiliencePipeline<ForwardAttempt> _pipeline;
    private readonly TimeProvider _clock;
    private long _pausedUntil;

    public DestinationGate(int maxConcurrency, TimeProvider clock)
    {
        _clock = clock;

        // The limiter stands outside: to the breaker a call that was not made would be a success.
        _pipeline = new ResiliencePipelineBuilder<ForwardAttempt> { TimeProvider = clock }
            .AddConcurrencyLimiter(maxConcurrency, Waiting)
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<ForwardAttempt>
            {
                FailureRatio = FailureRatio,
                MinimumThroughput = FailuresThatOpen,
                SamplingDuration = FailureWindow,
                BreakDuration = BreakDuration,
                ShouldHandle = static outcome => ValueTask.FromResult(outcome.Outcome.Result?.Verdict is ForwardVerdict.Retry),
            })
            .Build();
    }

    /// <summary>Makes a call, if it may be made now.</summary>
    public async Task<GateAnswer> TryAsync(Func<CancellationToken, Task<ForwardAttempt>> call, CancellationToken cancellation)
    {
        var pause = new DateTimeOffset(Interlocked.Read(ref _pausedUntil), TimeSpan.Zero) - _clock.GetUtcNow();
        if (pause > TimeSpan.Zero)
        {
            return new(null, "it asked to be left alone", pause);
        }

        try
        {
            var attempt = await _pipeline.ExecuteAsync(async token => await call(token), cancellation);
            if (attempt is { Verdict: ForwardVerdict.Retry, RetryAfter: { } asked })
            {
                var until = _clock.GetUtcNow() + (asked < LongestPause ? asked : LongestPause);
                Interlocked.Exchange(ref _pausedUntil, until.UtcTicks);
            }

            return new(attempt, null, TimeSpan.Zero);
        }
        catch (BrokenCircuitException e)
        {
            return new(null, "it keeps failing", e.RetryAfter ?? BreakDuration);
        }
        catch (RateLimiterRejectedException)
        {
            return new(null, "enough calls are in flight", TimeSpan.Zero);
        }
    }
}

/// <summary>What came of a call.</summary>
/// <param name="Attempt">How it ended; null when it was not made.</param>
/// <param name="WhyNot">Why it was not made.</param>
/// <param name="AtLeast">How long to wait before asking again.</param>
internal readonly record struct GateAnswer(ForwardAttempt? Attempt, string? WhyNot, TimeSpan AtLeast);
