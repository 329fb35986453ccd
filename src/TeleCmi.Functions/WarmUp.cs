using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Azure;

namespace TeleCmi.Functions;

/// <summary>
/// Makes storage ready beside the start, so that the first event does not wait for it: the SDK is loaded, the queue service has a
/// connection and, with a managed identity, there is a token. They belong to the process, not to a client, so the app's own client
/// finds them: the SDK's clients share one HTTP transport, and MSAL shares its cache of managed identities' tokens.
/// </summary>
internal sealed partial class WarmUp
{
    private readonly Task _asked;

    /// <summary>Asks for the events queue, for which neither the app nor its configuration need be built.</summary>
    /// <param name="variable">An environment variable's value: so the platform gives the settings. What is wrong with them is for the app's start to say.</param>
    public WarmUp(Func<string, string?> variable) => _asked = Task.Run(() =>
    {
        var storage = new AzureStorageOptions();
        storage.ReadFrom(setting => variable(setting.Replace(":", "__", StringComparison.Ordinal)));
        if (storage is { ConnectionString: null, QueueServiceUri: null } || variable(QueueOptions.EventsSetting) is not { Length: > 0 } events)
        {
            return Task.CompletedTask;
        }

        // Peeking takes the same way as sending does, there and back, and changes nothing.
        return new AzureStore(Options.Create(storage)).Queue(events).PeekAsync(1, CancellationToken.None);
    });

    /// <summary>Ends when storage has responded, or the log says that it does not, before an event is refused.</summary>
    public async Task ReportAsync(ILogger<WarmUp> logger)
    {
        try
        {
            await _asked;
        }
        catch (StorageException e)
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
