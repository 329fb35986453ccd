using Azure;
using Azure.Identity;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.LocalHost;

/// <summary>
/// Looks at the queue once, while the web server is still being put together: whoever starts the receiver hears at once
/// when storage does not answer, and the first event does not wait until the storage SDK is ready.
/// </summary>
internal static class FirstLook
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Looks, and says so when there is nothing to see.</summary>
    public static async Task RunAsync(IConfiguration configuration, Action<string> say, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Patience);
        try
        {
            var storage = new StorageOptions();
            storage.ReadFrom(configuration);
            await new StorageClients(Options.Create(storage)).Queue(storage.EventsQueue).PeekMessagesAsync(maxMessages: 1, deadline.Token);
        }
        catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound)
        {
            // It is made with the first event.
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException or AuthenticationFailedException or OperationCanceledException)
        {
            if (!cancellation.IsCancellationRequested)
            {
                say($"Storage does not answer as it should ({LogText.OfCause(e)}): until it does, events are refused with 503.");
            }
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException)
        {
            // A setting is wrong: the start says which.
        }
    }
}
