using Azure;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace TeleCmi.Pipeline.Storage;

/// <summary>Tells whether the receiver could do its work now: the queue and the tables answer.</summary>
public sealed partial class StorageHealth(
    StorageClients clients, IOptions<StorageOptions> options, TimeProvider clock, ILogger<StorageHealth> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Asks storage.</summary>
    /// <returns>False when either service does not answer as it should within 5 s; the log says why.</returns>
    public async Task<bool> IsHealthyAsync(CancellationToken cancellation)
    {
        try
        {
            await Deadline.RunAsync(
                deadline => Task.WhenAll(
                    // A queue or table that is not there yet is made with the first event.
                    clients.Queue(options.Value.EventsQueue).ExistsAsync(deadline),
                    clients.Table(Journaling.Journal.TableName).GetEntityIfExistsAsync<Azure.Data.Tables.TableEntity>("health", "health", cancellationToken: deadline)),
                Patience,
                clock,
                cancellation);
            return true;
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException or TimeoutException or Azure.Identity.AuthenticationFailedException)
        {
            Log.Unhealthy(logger, e);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 50, Level = LogLevel.Warning, Message = "Storage does not answer as it should.")]
        public static partial void Unhealthy(ILogger logger, Exception exception);
    }
}
