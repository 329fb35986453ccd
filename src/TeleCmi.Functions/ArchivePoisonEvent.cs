using Azure.Storage.Queues.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Hosting;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Azure;

namespace TeleCmi.Functions;

/// <summary>Keeps events that failed too often as dead letters; in the poison queue they would expire.</summary>
public sealed class ArchivePoisonEvent(PoisonArchive archive, IHostApplicationLifetime lifetime)
{
    /// <summary>Archives one message.</summary>
    [Function(nameof(ArchivePoisonEvent))]
    public async Task RunAsync(
        [QueueTrigger($"%{QueueOptions.EventsSetting}%{QueueOptions.PoisonSuffix}", Connection = AzureStorageOptions.ConnectionName)] QueueMessage message,
        CancellationToken cancellation)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lifetime.ApplicationStopping);
        await archive.ArchiveAsync(message.Body.ToMemory(), message.InsertedOn ?? default, stopping.Token);
    }
}
