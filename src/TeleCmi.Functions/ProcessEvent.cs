using Azure.Storage.Queues.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Hosting;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Azure;

namespace TeleCmi.Functions;

/// <summary>Processes the events that were received. When it throws, the platform delivers the message again, five times in all.</summary>
public sealed class ProcessEvent(EventProcessor processor, IHostApplicationLifetime lifetime)
{
    /// <summary>Processes one message.</summary>
    [Function(nameof(ProcessEvent))]
    public async Task RunAsync(
        [QueueTrigger($"%{QueueOptions.EventsSetting}%", Connection = AzureStorageOptions.ConnectionName)] QueueMessage message,
        CancellationToken cancellation)
    {
        // The invocation's token is not cancelled when the worker is asked to stop.
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lifetime.ApplicationStopping);
        await processor.ProcessAsync(message.Body.ToMemory(), stopping.Token);
    }
}
