using Azure;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Options;

namespace TeleCmi.Pipeline.Storage;

/// <summary>Tells how full the queues are.</summary>
public sealed class QueueStates(StorageClients clients, IOptions<StorageOptions> options, TimeProvider clock)
{
    private const int MostPeeked = 32;

    /// <summary>Looks at every queue of the product.</summary>
    public async Task<IReadOnlyList<QueueState>> GetAsync(CancellationToken cancellation)
    {
        var storage = options.Value;
        return
        [
            await GetAsync(storage.EventsQueue, isPoison: false, cancellation),
            await GetAsync(storage.PoisonQueue, isPoison: true, cancellation),
            // A forward that waits for another try is put in long before it can be seen: its age says nothing.
            await GetAsync(storage.ForwardsQueue, isPoison: false, cancellation) with { OldestVisible = null },
            await GetAsync(storage.ForwardsPoisonQueue, isPoison: true, cancellation),
        ];
    }

    private Task<QueueState> GetAsync(string name, bool isPoison, CancellationToken cancellation) => Deadline.RunAsync(
        async deadline =>
        {
            var queue = clients.UndecodedQueue(name);
            try
            {
                QueueProperties properties = await queue.GetPropertiesAsync(deadline);
                Azure.Storage.Queues.Models.PeekedMessage[] front = await queue.PeekMessagesAsync(MostPeeked, deadline);
                return new QueueState(name, isPoison, properties.ApproximateMessagesCount, front.Min(message => message.InsertedOn));
            }
            catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound)
            {
                // It is made with the first message.
                return new QueueState(name, isPoison, 0, null);
            }
        },
        Deadline.OfStorage,
        clock,
        cancellation);
}

/// <summary>How full a queue is.</summary>
/// <param name="Name">The queue.</param>
/// <param name="IsPoison">Whether it holds what failed too often.</param>
/// <param name="Messages">How many messages, about.</param>
/// <param name="OldestVisible">When the oldest of those at the front was put in; those that are being worked on, or wait for another try, are not seen.</param>
public sealed record QueueState(string Name, bool IsPoison, int Messages, DateTimeOffset? OldestVisible);
