namespace TeleCmi.Pipeline.Storage;

/// <summary>Bounds a call to storage or to a handler in time.</summary>
internal static class Deadline
{
    /// <summary>How long one step of processing may wait for storage.</summary>
    public static readonly TimeSpan OfStorage = TimeSpan.FromSeconds(20);

    /// <summary>Runs a step that is cancelled at the deadline.</summary>
    /// <exception cref="TimeoutException">The deadline passed first.</exception>
    public static async Task RunAsync(
        Func<CancellationToken, Task> step, TimeSpan deadline, TimeProvider clock, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        using var linked = cancellation.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation) : null;
        try
        {
            var running = step(linked?.Token ?? timeout.Token);
            if (!running.IsCompleted)
            {
                // A small body is there with its request: reading it needs no timer.
                timeout.CancelAfter(deadline);
            }

            await running;
        }
        catch (OperationCanceledException e) when (timeout.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"No answer within {deadline}.", e);
        }
    }

    /// <summary>Runs a step with a result that is cancelled at the deadline.</summary>
    /// <exception cref="TimeoutException">The deadline passed first.</exception>
    public static async Task<T> RunAsync<T>(
        Func<CancellationToken, Task<T>> step, TimeSpan deadline, TimeProvider clock, CancellationToken cancellation)
    {
        Task<T>? running = null;
        await RunAsync(Begin, deadline, clock, cancellation);
        return await running!;

        Task Begin(CancellationToken token) => running = step(token);
    }
}
