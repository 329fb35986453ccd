using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Functions;

/// <summary>
/// Makes the receiver ready beside the start, so that the first event does not wait for it. When storage does not respond, the log says
/// so before an event is refused.
/// </summary>
internal sealed partial class WarmUp(EventReceiver receiver, IHostApplicationLifetime lifetime, ILogger<WarmUp> logger)
{
    /// <summary>Ends when the receiver is ready, or the log says why it is not.</summary>
    /// <exception cref="OperationCanceledException">The app stops.</exception>
    public async Task RunAsync()
    {
        try
        {
            await receiver.WarmUpAsync(lifetime.ApplicationStopping);
        }
        catch (Exception e) when (e is StorageException or TimeoutException)
        {
            Log.NotReady(logger, e);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 120, Level = LogLevel.Warning, Message = "Storage does not work as it should. Until it does, the response to every event is 503.")]
        public static partial void NotReady(ILogger logger, Exception exception);
    }
}
