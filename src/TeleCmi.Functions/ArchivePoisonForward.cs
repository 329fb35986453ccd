using Azure.Storage.Queues.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Hosting;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Azure;

namespace TeleCmi.Functions;

/// <summary>Keeps forwards that failed too often as dead letters; in the poison queue they would expire.</summary>
public sealed class ArchivePoisonForward(PoisonArchive archive, IHostApplicationLifetime lifetime)
{
    /// <summary>Archives one message.</summary>
    [Function(nameof(ArchivePoisonForward))]
    public async Task RunAsync(
        [QueueTrigger($"%{QueueOptions.ForwardsSetting}%{QueueOptions.PoisonSuffix}", Connection = AzureStorageOptions.ConnectionName)] QueueMessage message,
        CancellationToken cancellation)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lifetime.ApplicationStopping);
        await archive.ArchiveAsync(message.Body.ToMemory(), message.InsertedOn ?? default, stopping.Token);
    }
}
