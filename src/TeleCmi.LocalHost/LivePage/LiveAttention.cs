using System.Globalization;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Sqlite;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>What needs a person now.</summary>
internal sealed class LiveAttention(
    IStore store, PipelineQueues queues, DeadLetterStore letters, ForwardDestinations destinations, DestinationStates states, TimeProvider clock)
{
    private const long LittleSpace = 500_000_000;

    private readonly Deadline _deadline = new(TimeSpan.FromSeconds(10), clock);

    /// <summary>Asks storage, which also knows how the destinations are.</summary>
    public async Task<AttentionView> GetAsync(CancellationToken cancellation)
    {
        var needs = new List<NeedView>();
        int? count = null;
        try
        {
            await _deadline.RunAsync(
                async token =>
                {
                    count = (await letters.CountAsync(token)).Total;
                    if (count > 0)
                    {
                        needs.Add(new NeedView("dead-letters", $"{CountOf(count.Value, "dead letter")}: fix the cause, then replay, or discard."));
                    }

                    var failing = await states.ReadAsync(token);
                    foreach (var destination in destinations.All)
                    {
                        if (await states.IsDisabledAsync(destination, token))
                        {
                            needs.Add(new NeedView(null, $"Destination {destination.Name} is disabled, because it responded with 410 (Gone): nothing is sent to it. When it is back, run telecmi forward resume --name {destination.Name}."));
                        }
                        else if (failing.FirstOrDefault(state => state.Destination == destination.Name) is { FailingSince: { } since } state && clock.GetUtcNow() - since > DestinationStates.LongFailing)
                        {
                            needs.Add(new NeedView(null, $"Destination {destination.Name} has been failing for more than {DestinationStates.LongFailing.TotalMinutes:0} minutes{(state.Fault is { } fault ? $": {fault}" : "")}."));
                        }
                    }

                    foreach (var queue in await queues.GetStatesAsync(token))
                    {
                        if (queue.OldestVisible is { } oldest && clock.GetUtcNow() - oldest > PipelineQueues.LongWaiting)
                        {
                            needs.Add(new NeedView(null, $"Queue {queue.Name}: the oldest of {CountOf(queue.Messages, "message")} has waited for more than {PipelineQueues.LongWaiting.TotalMinutes:0} minutes. See the receiver's log for what fails."));
                        }
                    }

                    await store.CheckAsync(token);
                },
                cancellation);
        }
        catch (Exception e) when (e is StorageException or TimeoutException)
        {
            var fault = e is StorageException ? e.Message : "It does not respond within 10 s.";
            needs.Insert(0, new NeedView(null, $"Storage does not work as it should, and events may be refused with 503. {fault}"));
        }

        if (FreeSpace() is { } free and < LittleSpace)
        {
            needs.Add(new NeedView(null, string.Create(CultureInfo.InvariantCulture, $"The disk of the store has {free / 1_000_000} MB left: free some space, before events are refused.")));
        }

        return new AttentionView(count, needs);
    }

    private long? FreeSpace()
    {
        if (store is not SqliteStore { File: var file } || Path.GetDirectoryName(file) is not { } folder)
        {
            return null;
        }

        try
        {
            return new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(file)! : folder).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // A network share has no drive to ask; what storage itself reports is above.
            return null;
        }
    }

    private static string CountOf(int count, string what) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} {what}{(count == 1 ? "" : "s")}");
}
