using System.Buffers;
using Azure.Storage.Queues;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace TeleCmi.Pipeline.Storage;

/// <summary>
/// Where the queues and tables are. The names are flat settings because the queue triggers use them, and nested ones
/// never wake a Functions app from zero (Azure/azure-functions-host issue 8261).
/// </summary>
public sealed class StorageOptions
{
    /// <summary>The setting with the connection, or the prefix of its parts.</summary>
    public const string ConnectionName = "TeleCmiStorage";

    /// <summary>The setting that names the events queue.</summary>
    public const string EventsQueueName = "TeleCmiEventsQueue";

    /// <summary>The setting that names the poison queue.</summary>
    public const string PoisonQueueName = "TeleCmiPoisonQueue";

    /// <summary>The setting that names the forwards queue.</summary>
    public const string ForwardsQueueName = "TeleCmiForwardsQueue";

    /// <summary>The setting that names the forwards' poison queue.</summary>
    public const string ForwardsPoisonQueueName = "TeleCmiForwardsPoisonQueue";

    /// <summary>A storage connection string, or null when the account is reached by identity.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>The queue service's address, with an identity.</summary>
    public Uri? QueueServiceUri { get; set; }

    /// <summary>The table service's address, with an identity.</summary>
    public Uri? TableServiceUri { get; set; }

    /// <summary><c>managedidentity</c> on Azure; empty: whatever identity the developer is signed in with.</summary>
    public string? Credential { get; set; }

    /// <summary>The client id of a user-assigned managed identity; empty: the system-assigned one.</summary>
    public string? ClientId { get; set; }

    /// <summary>The queue of accepted events.</summary>
    public string EventsQueue { get; set; } = "telecmi-events";

    /// <summary>The queue of events that failed too often.</summary>
    public string PoisonQueue { get; set; } = "telecmi-events-poison";

    /// <summary>The queue of calls to be made to destinations.</summary>
    public string ForwardsQueue { get; set; } = "telecmi-forwards";

    /// <summary>The queue of calls that broke off too often.</summary>
    public string ForwardsPoisonQueue { get; set; } = "telecmi-forwards-poison";

    /// <summary>Takes the settings as they are; whether they are right is for the start to say.</summary>
    public void ReadFrom(IConfiguration configuration)
    {
        var connection = configuration.GetSection(ConnectionName);
        var account = connection["accountName"];
        ConnectionString = NullIfBlank(connection.Value);
        QueueServiceUri = ServiceUri(connection, "queueServiceUri", account, "queue");
        TableServiceUri = ServiceUri(connection, "tableServiceUri", account, "table");
        Credential = NullIfBlank(connection["credential"]);
        ClientId = NullIfBlank(connection["clientId"]);
        EventsQueue = NullIfBlank(configuration[EventsQueueName]) ?? EventsQueue;
        PoisonQueue = NullIfBlank(configuration[PoisonQueueName]) ?? $"{EventsQueue}-poison";
        ForwardsQueue = NullIfBlank(configuration[ForwardsQueueName]) ?? ForwardsQueue;
        ForwardsPoisonQueue = NullIfBlank(configuration[ForwardsPoisonQueueName]) ?? $"{ForwardsQueue}-poison";
    }

    private static Uri? ServiceUri(IConfigurationSection connection, string key, string? account, string service) =>
        NullIfBlank(connection[key]) is { } address ? new Uri(address, UriKind.RelativeOrAbsolute)
        : NullIfBlank(account) is { } name ? new Uri($"https://{name}.{service}.core.windows.net", UriKind.RelativeOrAbsolute)
        : null;

    private static string? NullIfBlank(string? value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();
}

internal sealed class StorageOptionsValidator : IValidateOptions<StorageOptions>
{
    private static readonly SearchValues<char> QueueNameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    public ValidateOptionsResult Validate(string? name, StorageOptions options)
    {
        var faults = new List<string>();
        if (options.ConnectionString is { } connection)
        {
            if (!IsConnectionString(connection))
            {
                faults.Add("TeleCmiStorage: not a storage connection string. Write UseDevelopmentStorage=true for Azurite, the connection string of a storage account, or leave it out and set TeleCmiStorage__queueServiceUri and TeleCmiStorage__tableServiceUri.");
            }
        }
        else if (options.QueueServiceUri is null && options.TableServiceUri is null)
        {
            faults.Add("TeleCmiStorage: not set. Write a storage connection string (UseDevelopmentStorage=true for Azurite), or set TeleCmiStorage__queueServiceUri and TeleCmiStorage__tableServiceUri to use an identity.");
        }
        else
        {
            CheckUri(faults, "TeleCmiStorage__queueServiceUri", options.QueueServiceUri);
            CheckUri(faults, "TeleCmiStorage__tableServiceUri", options.TableServiceUri);
            if (options.Credential is not null && !options.Credential.Equals("managedidentity", StringComparison.OrdinalIgnoreCase))
            {
                faults.Add("TeleCmiStorage__credential: write managedidentity, or leave it out to use the identity you are signed in with.");
            }
        }

        CheckQueueName(faults, StorageOptions.EventsQueueName, options.EventsQueue);
        CheckQueueName(faults, StorageOptions.PoisonQueueName, options.PoisonQueue);
        CheckQueueName(faults, StorageOptions.ForwardsQueueName, options.ForwardsQueue);
        CheckQueueName(faults, StorageOptions.ForwardsPoisonQueueName, options.ForwardsPoisonQueue);
        CheckPoisonQueue(faults, StorageOptions.PoisonQueueName, options.PoisonQueue, options.EventsQueue);
        CheckPoisonQueue(faults, StorageOptions.ForwardsPoisonQueueName, options.ForwardsPoisonQueue, options.ForwardsQueue);
        if (options.ForwardsQueue == options.EventsQueue)
        {
            faults.Add($"{StorageOptions.ForwardsQueueName}: must be another queue than {StorageOptions.EventsQueueName}.");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static bool IsConnectionString(string connection)
    {
        try
        {
            _ = new QueueServiceClient(connection);
            return true;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }

    private static void CheckUri(List<string> faults, string setting, Uri? uri)
    {
        if (uri is not { IsAbsoluteUri: true } || (uri.Scheme != Uri.UriSchemeHttps && !uri.IsLoopback))
        {
            faults.Add($"{setting}: write the service's https address, such as https://<account>.queue.core.windows.net.");
        }
    }

    private static void CheckQueueName(List<string> faults, string setting, string queue)
    {
        if (queue is not { Length: >= 3 and <= 63 } || queue.AsSpan().ContainsAnyExcept(QueueNameCharacters)
            || queue.StartsWith('-') || queue.EndsWith('-') || queue.Contains("--", StringComparison.Ordinal))
        {
            faults.Add($"{setting}: '{queue}' is not a queue name (3 to 63 of a-z 0-9 -, beginning and ending with a letter or digit, no two hyphens together).");
        }
    }

    private static void CheckPoisonQueue(List<string> faults, string setting, string poisonQueue, string queue)
    {
        if (poisonQueue != $"{queue}-poison")
        {
            faults.Add($"{setting}: must be '{queue}-poison', because that is where the platform puts what failed too often.");
        }
    }
}
