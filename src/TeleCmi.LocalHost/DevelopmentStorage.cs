using Azure;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LocalHost;

/// <summary>Sees to it that storage is there before the receiver opens its door.</summary>
internal static class DevelopmentStorage
{
    private const string Setting = "UseDevelopmentStorage=true";

    /// <summary>Starts Azurite when the development storage is asked for and nothing listens there.</summary>
    /// <returns>The emulator, to be stopped at the end; null when it is not ours.</returns>
    public static async Task<Azurite?> EnsureAsync(ConfigurationManager configuration, Action<string> progress, CancellationToken cancellation)
    {
        var connection = configuration[StorageOptions.ConnectionName]?.Trim().TrimEnd(';');
        if (!string.Equals(connection, Setting, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var options = configuration.GetSection(LocalHostOptions.SectionName).Get<LocalHostOptions>() ?? new LocalHostOptions();
        var ports = AzuritePorts.From(options.AzuritePort);
        configuration[StorageOptions.ConnectionName] = Azurite.ConnectionStringFor(ports);
        if (await Azurite.IsListeningAsync(ports.Queue, cancellation) && await Azurite.IsListeningAsync(ports.Table, cancellation))
        {
            await RefuseOldAzuriteAsync(ports, cancellation);
            progress($"Azurite: using the one that listens on ports {ports.Queue} and {ports.Table}");
            return null;
        }

        var repository = Repository.Find();
        var data = Path.GetFullPath(options.AzuriteFolder is { Length: > 0 } folder ? folder : Path.Combine(repository, ".azurite"));
        progress("Azurite: starting ...");
        var azurite = await Azurite.StartAsync(repository, ports, data, progress, cancellation);
        progress($"Azurite: listening on ports {ports.Queue} and {ports.Table}, data in {data}");
        return azurite;
    }

    private static async Task RefuseOldAzuriteAsync(AzuritePorts ports, CancellationToken cancellation)
    {
        try
        {
            await new Azure.Storage.Queues.QueueServiceClient(Azurite.ConnectionStringFor(ports)).GetPropertiesAsync(cancellation);
        }
        catch (RequestFailedException e) when (e.ErrorCode == "InvalidHeaderValue")
        {
            throw new StartupException($"The Azurite on port {ports.Queue} refuses the storage SDK's API version: start it with --skipApiVersionCheck, or stop it and this program starts its own.", e);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            throw new StartupException($"What listens on port {ports.Queue} does not answer like Azurite: stop it, or pass --storage with the connection string of a storage account.", e);
        }
    }
}
