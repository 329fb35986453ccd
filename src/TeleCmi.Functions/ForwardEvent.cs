using Azure.Storage.Queues.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Hosting;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Azure;

namespace TeleCmi.Functions;

/// <summary>Forwards events again whose first attempt failed or had to wait. One that fails goes back into the queue by itself; only when storage fails does this throw.</summary>
public sealed class ForwardEvent(ForwardProcessor processor, IHostApplicationLifetime lifetime)
{
    /// <summary>Makes one attempt.</summary>
    [Function(nameof(ForwardEvent))]
    public async Task RunAsync(
        [QueueTrigger($"%{QueueOptions.ForwardsSetting}%", Connection = AzureStorageOptions.ConnectionName)] QueueMessage message,
        CancellationToken cancellation)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lifetime.ApplicationStopping);
        await processor.ProcessAsync(message.Body.ToMemory(), message.InsertedOn ?? default, stopping.Token);
    }
}
