using System.Buffers.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Storage.Azure;

/// <summary>Where the account is: <c>TeleCmiStorage</c> as a connection string, or as the prefix of an identity's settings.</summary>
public sealed class AzureStorageOptions
{
    /// <summary>The setting with the connection, or the prefix of its parts.</summary>
    public const string ConnectionName = IStore.Setting;

    /// <summary>A storage connection string, or null when the account is reached by identity.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>The queue service's address, with an identity.</summary>
    public Uri? QueueServiceUri { get; set; }

    /// <summary>The table service's address, with an identity.</summary>
    public Uri? TableServiceUri { get; set; }

    /// <summary><c>managedidentity</c> on Azure; null: whatever identity the developer is signed in with.</summary>
    public string? Credential { get; set; }

    /// <summary>The client id of a user-assigned managed identity; null: the system-assigned one.</summary>
    public string? ClientId { get; set; }

    /// <summary>Takes the settings as they are; whether they are right is for the start to say.</summary>
    public void ReadFrom(IConfiguration configuration) => ReadFrom(key => configuration[key]);

    /// <summary>Takes the settings as they are, from anywhere.</summary>
    /// <param name="setting">A setting's value by its name, such as <c>TeleCmiStorage:credential</c>; null where it is not set.</param>
    public void ReadFrom(Func<string, string?> setting)
    {
        var account = setting($"{ConnectionName}:accountName");
        ConnectionString = Given(setting(ConnectionName));
        QueueServiceUri = ServiceUri(setting($"{ConnectionName}:queueServiceUri"), account, "queue");
        TableServiceUri = ServiceUri(setting($"{ConnectionName}:tableServiceUri"), account, "table");
        Credential = Given(setting($"{ConnectionName}:credential"));
        ClientId = Given(setting($"{ConnectionName}:clientId"));
    }

    private static Uri? ServiceUri(string? address, string? account, string service) =>
        Given(address) is { } uri ? new Uri(uri, UriKind.RelativeOrAbsolute)
        : Given(account) is { } name ? new Uri($"https://{name}.{service}.core.windows.net", UriKind.RelativeOrAbsolute)
        : null;

    private static string? Given(string? value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();
}

internal sealed class AzureStorageOptionsValidator : IValidateOptions<AzureStorageOptions>
{
    public ValidateOptionsResult Validate(string? name, AzureStorageOptions options)
    {
        var faults = new List<string>();
        if (options.ConnectionString is { } connection)
        {
            if (!IsConnectionString(connection))
            {
                faults.Add("TeleCmiStorage: not a storage connection string. Write the connection string of a storage account, UseDevelopmentStorage=true for an Azurite that you run, or leave it out and set TeleCmiStorage__queueServiceUri and TeleCmiStorage__tableServiceUri.");
            }
        }
        else if (options.QueueServiceUri is null && options.TableServiceUri is null)
        {
            faults.Add("TeleCmiStorage: not set. Write a storage connection string (UseDevelopmentStorage=true for an Azurite that you run), or set TeleCmiStorage__queueServiceUri and TeleCmiStorage__tableServiceUri to use an identity.");
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

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    // Not by making a client: the first event would wait for all of the SDK that it takes (docs/performance.md).
    private static bool IsConnectionString(string connection)
    {
        var parts = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in connection.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (part.Split('=', 2) is not [{ Length: > 0 } name, { Length: > 0 } value] || !parts.TryAdd(name, value)
                || (name.EndsWith("Endpoint", StringComparison.OrdinalIgnoreCase) && !IsHttp(value)))
            {
                return false;
            }
        }

        return parts.TryGetValue("UseDevelopmentStorage", out var isEmulator) ? isEmulator.Equals("true", StringComparison.OrdinalIgnoreCase)
            : parts.TryGetValue("AccountKey", out var key) ? parts.ContainsKey("AccountName") && Base64.IsValid(key)
            : parts.ContainsKey("SharedAccessSignature") && (parts.ContainsKey("AccountName") || (parts.ContainsKey("QueueEndpoint") && parts.ContainsKey("TableEndpoint")));
    }

    private static bool IsHttp(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp);

    private static void CheckUri(List<string> faults, string setting, Uri? uri)
    {
        if (uri is not { IsAbsoluteUri: true } || (uri.Scheme != Uri.UriSchemeHttps && !uri.IsLoopback))
        {
            faults.Add($"{setting}: write the service's https address, such as https://<account>.queue.core.windows.net.");
        }
    }
}
