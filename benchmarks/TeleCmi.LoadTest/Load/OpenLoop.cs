using System.Diagnostics;

namespace TeleCmi.LoadTest.Load;

/// <summary>
/// Sends at a fixed rate, whether responses come or not, and takes each latency from the moment at which the event should
/// have been sent: a slow target cannot hide behind a sender that waits for it.
/// </summary>
internal static class OpenLoop
{
    // Below this the thread does not sleep, because it would wake too late; it yields instead.
    private static readonly TimeSpan ShortestSleep = TimeSpan.FromMilliseconds(1.5);
    private static readonly TimeSpan ResponseDeadline = TimeSpan.FromSeconds(15);

    /// <summary>Runs it.</summary>
    /// <param name="senders">What sends, as many as may be waiting for a response at once.</param>
    /// <param name="schedule">How many events, how fast, and which number the first one has.</param>
    /// <param name="progress">Told of every event sent.</param>
    public static async Task<LoadResult> RunAsync(IReadOnlyCollection<ISender> senders, Schedule schedule, Action progress)
    {
        using var state = new State(senders, schedule);
        var pacing = new Thread(() => state.Pace(progress)) { IsBackground = true, Priority = ThreadPriority.AboveNormal };
        pacing.Start();
        await state.WhenSentAsync();
        return state.Result();
    }

    private sealed class State(IReadOnlyCollection<ISender> senders, Schedule schedule) : IDisposable
    {
        private readonly System.Collections.Concurrent.ConcurrentBag<ISender> _idle = [.. senders];
        private readonly SemaphoreSlim _free = new(senders.Count);
        private readonly TimeSpan[] _latencies = new TimeSpan[schedule.Count];
        private readonly bool[] _acknowledged = new bool[schedule.Count];
        private readonly Task[] _sends = new Task[schedule.Count];
        private readonly TaskCompletionSource _allSent = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private long _began;

        public void Pace(Action progress)
        {
            _began = Stopwatch.GetTimestamp();
            for (var i = 0; i < schedule.Count; i++)
            {
                WaitUntil(schedule.DueAt(i));
                _sends[i] = SendAsync(i);
                progress();
            }

            _allSent.SetResult();
        }

        public async Task WhenSentAsync()
        {
            await _allSent.Task;
            await Task.WhenAll(_sends);
        }

        public LoadResult Result()
        {
            var elapsed = Stopwatch.GetElapsedTime(_began);
            var acknowledged = Enumerable.Range(0, schedule.Count).Where(i => _acknowledged[i]).ToArray();
            return new LoadResult(
                schedule.Count,
                [.. acknowledged.Select(i => schedule.First + i)],
                elapsed,
                Latencies.Of(acknowledged.Select(i => _latencies[i])));
        }

        public void Dispose() => _free.Dispose();

        private void WaitUntil(TimeSpan due)
        {
            while (due - Stopwatch.GetElapsedTime(_began) is { Ticks: > 0 } left)
            {
                if (left > ShortestSleep)
                {
#pragma warning disable RS0030 // A thread that keeps time has nothing else to wait for.
                    Thread.Sleep(left - TimeSpan.FromMilliseconds(1));
#pragma warning restore RS0030
                }
                else
                {
                    Thread.Yield();
                }
            }
        }

        private async Task SendAsync(int i)
        {
            await _free.WaitAsync();
            _idle.TryTake(out var sender);
            try
            {
                _acknowledged[i] = await sender!.SendAsync(schedule.First + i).WaitAsync(ResponseDeadline);
            }
            catch (Exception e) when (e is IOException or TimeoutException)
            {
                // Not acknowledged.
            }

            _latencies[i] = Stopwatch.GetElapsedTime(_began) - schedule.DueAt(i);
            _idle.Add(sender!);
            _free.Release();
        }
    }
}

/// <summary>When which event is to be sent.</summary>
/// <param name="First">The first event's number.</param>
/// <param name="Count">How many.</param>
/// <param name="PerSecond">The arrival rate.</param>
internal sealed record Schedule(long First, int Count, double PerSecond)
{
    /// <summary>When the event of that index is due, from the beginning.</summary>
    public TimeSpan DueAt(int index) => TimeSpan.FromSeconds(index / PerSecond);
}

/// <summary>How a load was borne.</summary>
/// <param name="Sent">The events sent.</param>
/// <param name="Acknowledged">The numbers of those that were acknowledged.</param>
/// <param name="Elapsed">From the first event to the last response.</param>
/// <param name="Latencies">Of the acknowledged ones, from the intended time of sending.</param>
internal sealed record LoadResult(int Sent, IReadOnlyList<long> Acknowledged, TimeSpan Elapsed, Latencies Latencies)
{
    /// <summary>Acknowledged events per second.</summary>
    public double Throughput => Acknowledged.Count / Elapsed.TotalSeconds;
}

/// <summary>What makes a target acknowledge an event; one at a time.</summary>
internal interface ISender : IDisposable
{
    /// <summary>Sends the event of that number.</summary>
    /// <returns>Whether it was acknowledged.</returns>
    Task<bool> SendAsync(long number);
}
