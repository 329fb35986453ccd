using Azure.Storage.Queues.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Hosting;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Functions;

/// <summary>Hands events on to their destinations. A call that fails goes back into the queue by itself; only when storage fails does this throw.</summary>
public sealed class ForwardEvent(ForwardProcessor processor, IHostApplicationLifetime lifetime)
{
    /// <summary>Makes one call.</summary>
    [Function(nameof(ForwardEvent))]
    public async Task RunAsync(
        [QueueTrigger($"%{StorageOptions.ForwardsQueueName}%", Connection = StorageOptions.ConnectionName)] QueueMessage message,
        CancellationToken cancellation)
    {
        // The invocation's token is not cancelled when the worker is told to stop.
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lifetime.ApplicationStopping);
        await processor.ProcessAsync(message.Body.ToMemory(), stopping.Token);
    }
}
