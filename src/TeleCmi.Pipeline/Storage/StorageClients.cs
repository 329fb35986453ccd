using Azure.Core;
using Azure.Data.Tables;
using Azure.Identity;
using Azure.Storage.Queues;
using Microsoft.Extensions.Options;

namespace TeleCmi.Pipeline.Storage;

/// <summary>The clients of the one storage account, with time-outs that suit a webhook instead of the SDK's 100 s.</summary>
public sealed class StorageClients
{
    private readonly Lazy<QueueServiceClient> _queues;
    private readonly Lazy<QueueServiceClient> _undecodedQueues;
    private readonly Lazy<TableServiceClient> _tables;

    /// <summary>Makes the clients when they are first used.</summary>
    public StorageClients(IOptions<StorageOptions> options)
    {
        var credential = new Lazy<TokenCredential>(() => CredentialOf(options.Value));
        _queues = new(() => Queues(options.Value, credential, QueueMessageEncoding.Base64));
        _undecodedQueues = new(() => Queues(options.Value, credential, QueueMessageEncoding.None));
        _tables = new(() => options.Value.ConnectionString is { } connection
            ? new TableServiceClient(connection, TableOptions())
            : new TableServiceClient(options.Value.TableServiceUri, credential.Value, TableOptions()));
    }

    /// <summary>
    /// Loads the storage SDK, which takes about as long as putting a web server together: call it on a thread of its own
    /// while the host is made.
    /// </summary>
    public static void Load() => _ = new QueueServiceClient("UseDevelopmentStorage=true");

    /// <summary>A queue whose messages are Base64 on the wire, as the queue trigger expects.</summary>
    public QueueClient Queue(string name) => _queues.Value.GetQueueClient(name);

    /// <summary>A queue whose messages come as they are on the wire: with decoding, one that is not Base64 would hide the others.</summary>
    public QueueClient UndecodedQueue(string name) => _undecodedQueues.Value.GetQueueClient(name);

    /// <summary>A table.</summary>
    public TableClient Table(string name) => _tables.Value.GetTableClient(name);

    private static TokenCredential CredentialOf(StorageOptions options) =>
        options.Credential is null ? new DefaultAzureCredential()
        : options.ClientId is { } clientId ? new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(clientId))
        : new ManagedIdentityCredential(ManagedIdentityId.SystemAssigned);

    private static QueueServiceClient Queues(StorageOptions storage, Lazy<TokenCredential> credential, QueueMessageEncoding encoding)
    {
        var options = new QueueClientOptions { MessageEncoding = encoding };
        SetRetries(options.Retry);
        return storage.ConnectionString is { } connection
            ? new QueueServiceClient(connection, options)
            : new QueueServiceClient(storage.QueueServiceUri, credential.Value, options);
    }

    private static TableClientOptions TableOptions()
    {
        var options = new TableClientOptions();
        SetRetries(options.Retry);
        return options;
    }

    // Three tries, each at most 3 s, inside the caller's own deadline.
    private static void SetRetries(RetryOptions retry)
    {
        retry.Mode = RetryMode.Exponential;
        retry.MaxRetries = 2;
        retry.Delay = TimeSpan.FromMilliseconds(200);
        retry.MaxDelay = TimeSpan.FromSeconds(1);
        retry.NetworkTimeout = TimeSpan.FromSeconds(3);
    }
}
