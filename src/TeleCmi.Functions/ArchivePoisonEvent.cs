using Azure.Storage.Queues.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Hosting;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Functions;

/// <summary>Moves what failed too often from the poison queue, where it would expire, to the table of dead letters.</summary>
public sealed class ArchivePoisonEvent(PoisonArchive archive, IHostApplicationLifetime lifetime)
{
    /// <summary>Archives one message.</summary>
    [Function(nameof(ArchivePoisonEvent))]
    public async Task RunAsync(
        [QueueTrigger($"%{StorageOptions.PoisonQueueName}%", Connection = StorageOptions.ConnectionName)] QueueMessage message,
        CancellationToken cancellation)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lifetime.ApplicationStopping);
        await archive.ArchiveAsync(message.Body.ToMemory(), message.InsertedOn, stopping.Token);
    }
}
