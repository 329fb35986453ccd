using Microsoft.Extensions.Logging;

namespace TeleCmi.Pipeline.Storage;

/// <summary>Tells whether the receiver could do its work now.</summary>
public sealed partial class StorageHealth(IStore store, TimeProvider clock, ILogger<StorageHealth> logger)
{
    private readonly Deadline _deadline = new(TimeSpan.FromSeconds(5), clock);

    /// <summary>Asks storage.</summary>
    /// <returns>False when it does not do its work within 5 s; the log says why.</returns>
    public async Task<bool> IsHealthyAsync(CancellationToken cancellation)
    {
        try
        {
            await _deadline.RunAsync(store.CheckAsync, cancellation);
            return true;
        }
        catch (Exception e) when (e is StorageException or TimeoutException)
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
