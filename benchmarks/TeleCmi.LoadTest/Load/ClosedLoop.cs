using System.Diagnostics;

namespace TeleCmi.LoadTest.Load;

/// <summary>Finds what a target can do at most: every connection sends its next event as soon as the last one is answered.</summary>
internal static class ClosedLoop
{
    private const int MostEvents = 2_000_000;

    /// <summary>Runs it.</summary>
    /// <returns>Acknowledged events, and the time that they took.</returns>
    public static async Task<(long Acknowledged, TimeSpan Elapsed)> RunAsync(IReadOnlyCollection<ISender> senders, TimeSpan duration, Action<double> progress)
    {
        var began = Stopwatch.GetTimestamp();
        long next = 0;
        long acknowledged = 0;
        await Task.WhenAll(senders.Select(sender => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(began) < duration && Interlocked.Increment(ref next) is < MostEvents and var number)
            {
                if (await sender.SendAsync(number))
                {
                    Interlocked.Increment(ref acknowledged);
                }
            }
        })));
        progress(duration.TotalSeconds);
        return (acknowledged, Stopwatch.GetElapsedTime(began));
    }
}
