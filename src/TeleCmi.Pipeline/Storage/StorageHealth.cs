using Microsoft.Extensions.Logging;
using Polly;
using Polly.Timeout;

namespace TeleCmi.Pipeline.Storage;

/// <summary>Tells whether the receiver could do its work now.</summary>
public sealed partial class StorageHealth(IStore store, TimeProvider clock, ILogger<StorageHealth> logger)
{
    private readonly ResiliencePipeline _deadline = clock.Deadline(TimeSpan.FromSeconds(5));

    /// <summary>Asks storage.</summary>
    /// <returns>False when it does not do its work within 5 s; the log says why.</returns>
    public async Task<bool> IsHealthyAsync(CancellationToken cancellation)
    {
        try
        {
            await _deadline.ExecuteAsync(async token => await store.CheckAsync(token), cancellation);
            return true;
        }
        catch (Exception e) when (e is StorageException or TimeoutRejectedException)
        {
            Log.Unhealthy(logger, e);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 50, Level = LogLevel.Warning, Message = "Storage does not work as it should.")]
        public static partial void Unhealthy(ILogger logger, Exception exception);
    }
}
