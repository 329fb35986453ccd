using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace TeleCmi.TestSupport;

/// <summary>Waits for a condition, with a deadline.</summary>
public static class Eventually
{
    // Longer than a message is hidden when the reply of storage was lost: such a one is late, and nothing is wrong.
    private static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(150);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    /// <summary>Looks until the condition holds.</summary>
    /// <exception cref="TimeoutException">It did not hold in time; the message names the condition.</exception>
    public static async Task HoldsAsync(
        Func<Task<bool>> condition, TimeSpan? deadline = null, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > (deadline ?? DefaultDeadline))
            {
                throw new TimeoutException($"Did not hold within {deadline ?? DefaultDeadline}: {what}");
            }

            await Task.Delay(Interval);
        }
    }
}
