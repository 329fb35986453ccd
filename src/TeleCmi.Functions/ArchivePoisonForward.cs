using Azure.Storage.Queues.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Hosting;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Functions;

/// <summary>Moves forwards that broke off too often from their poison queue, where they would expire, to the table of dead letters.</summary>
public sealed class ArchivePoisonForward(ForwardProcessor processor, IHostApplicationLifetime lifetime)
{
    /// <summary>Archives one message.</summary>
    [Function(nameof(ArchivePoisonForward))]
    public async Task RunAsync(
        [QueueTrigger($"%{StorageOptions.ForwardsPoisonQueueName}%", Connection = StorageOptions.ConnectionName)] QueueMessage message,
        CancellationToken cancellation)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lifetime.ApplicationStopping);
        await processor.ArchiveAsync(message.Body.ToMemory(), stopping.Token);
    }
}
