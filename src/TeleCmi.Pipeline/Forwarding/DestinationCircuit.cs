using Polly;
using Polly.CircuitBreaker;
using Polly.RateLimiting;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// Guards one destination: no request is made while it keeps failing (a circuit breaker), while it asked to be left alone,
/// or when its share of the workers is in use. Nothing waits here, so a dead or slow receiver holds up no other destination.
/// </summary>
internal sealed class DestinationCircuit
{
    public static readonly TimeSpan BreakDuration = TimeSpan.FromSeconds(30);

    private const int FailuresThatOpen = 5;
    private const double FailureRatio = 0.8;

    private static readonly TimeSpan FailureWindow = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromHours(1);

    private readonly ResiliencePipeline<DeliveryResult> _pipeline;
    private readonly TimeProvider _clock;
    private long _notBefore;

    public DestinationCircuit(int maxConcurrency, TimeProvider clock)
    {
        _clock = clock;

        // The limiter stands outside: to the breaker a request that was not made would be a success.
        _pipeline = new ResiliencePipelineBuilder<DeliveryResult> { TimeProvider = clock }
            .AddConcurrencyLimiter(maxConcurrency, queueLimit: 0)
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<DeliveryResult>
            {
                FailureRatio = FailureRatio,
                MinimumThroughput = FailuresThatOpen,
                SamplingDuration = FailureWindow,
                BreakDuration = BreakDuration,
                ShouldHandle = static outcome => ValueTask.FromResult(outcome.Outcome.Result?.Outcome is DeliveryOutcome.Retry),
            })
            .Build();
    }

    /// <summary>Makes a delivery attempt, if one may be made now.</summary>
    public async Task<CircuitResult> TryAsync(Func<CancellationToken, Task<DeliveryResult>> deliver, CancellationToken cancellation)
    {
        var wait = new DateTimeOffset(Interlocked.Read(ref _notBefore), TimeSpan.Zero) - _clock.GetUtcNow();
        if (wait > TimeSpan.Zero)
        {
            return new(null, "it asked to be left alone", wait);
        }

        try
        {
            var result = await _pipeline.ExecuteAsync(async token => await deliver(token), cancellation);
            if (result is { Outcome: DeliveryOutcome.Retry, RetryAfter: { } asked })
            {
                var until = _clock.GetUtcNow() + (asked < LongestRetryAfter ? asked : LongestRetryAfter);
                Interlocked.Exchange(ref _notBefore, until.UtcTicks);
            }

            return new(result, null, TimeSpan.Zero);
        }
        catch (BrokenCircuitException e)
        {
            return new(null, "it keeps failing", e.RetryAfter ?? BreakDuration);
        }
        catch (RateLimiterRejectedException)
        {
            return new(null, "its share of the workers is in use", TimeSpan.Zero);
        }
    }
}

/// <summary>What came of an attempt.</summary>
/// <param name="Result">How it ended; null when none was made.</param>
/// <param name="WhyNot">Why none was made.</param>
/// <param name="AtLeast">How long to wait before the next one.</param>
internal readonly record struct CircuitResult(DeliveryResult? Result, string? WhyNot, TimeSpan AtLeast);
