namespace TeleCmi.Pipeline.Storage;

/// <summary>A bound in time for some work.</summary>
/// <param name="time">How long the work may take.</param>
/// <param name="clock">Measures it.</param>
public sealed class Deadline(TimeSpan time, TimeProvider clock)
{
    /// <summary>Runs the work, and cancels it at the deadline.</summary>
    /// <param name="work">The work; it must respect its token.</param>
    /// <param name="cancellation">Cancels it earlier.</param>
    /// <exception cref="TimeoutException">It was cancelled at the deadline.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled earlier.</exception>
    public async Task RunAsync(Func<CancellationToken, Task> work, CancellationToken cancellation)
    {
        // Not a resilience pipeline: what makes one, and its generic code, took a good part of a cold start (docs/performance.md).
        using var timer = new CancellationTokenSource(time, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellation);
        try
        {
            await work(either.Token);
        }
        catch (OperationCanceledException e) when (timer.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"It did not end within {time.TotalSeconds:0.###} s.", e);
        }
    }

    /// <inheritdoc cref="RunAsync(Func{CancellationToken, Task}, CancellationToken)"/>
    /// <returns>What the work returns.</returns>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellation)
    {
        var result = default(T)!;
        await RunAsync(async token => { result = await work(token); }, cancellation);
        return result;
    }
}
