using System.Diagnostics;

namespace TeleCmi.LoadTest.Load;

/// <summary>Finds what a target can do at most: every connection sends its next event as soon as the last one is acknowledged.</summary>
internal static class ClosedLoop
{
    /// <summary>The most events of one run, and so the numbers that it uses up.</summary>
    public const int MostEvents = 1_000_000;

    /// <summary>Runs it.</summary>
    /// <param name="senders">What sends.</param>
    /// <param name="first">The first event's number.</param>
    /// <param name="duration">For how long.</param>
    /// <returns>The numbers of the acknowledged events, and the time that they took.</returns>
    public static async Task<(List<long> Acknowledged, TimeSpan Elapsed)> RunAsync(IReadOnlyCollection<ISender> senders, long first, TimeSpan duration)
    {
        var began = Stopwatch.GetTimestamp();
        var next = -1;
        var acknowledged = await Task.WhenAll(senders.Select(sender => Task.Run(async () =>
        {
            var numbers = new List<long>();
            while (Stopwatch.GetElapsedTime(began) < duration && Interlocked.Increment(ref next) is < MostEvents and var number)
            {
                if (await sender.SendAsync(first + number))
                {
                    numbers.Add(first + number);
                }
            }

            return numbers;
        })));
        return ([.. acknowledged.SelectMany(numbers => numbers)], Stopwatch.GetElapsedTime(began));
    }
}
