using Azure.Core;
using Azure.Data.Tables;
using Azure.Identity;
using Azure.Storage.Queues;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Storage.Azure;

/// <summary>The storage ports on one Azure Storage account, with time-outs that suit a webhook instead of the SDK's 100 s.</summary>
public sealed class AzureStore : IStore
{
    private readonly Lazy<QueueServiceClient> _queues;
    private readonly Lazy<TableServiceClient> _tables;

    /// <summary>Makes the clients when they are first used.</summary>
    public AzureStore(IOptions<AzureStorageOptions> options)
        : this(options, TimeSpan.FromSeconds(3))
    {
    }

    /// <param name="options">Where the account is.</param>
    /// <param name="tryTimeout">How long one of the three tries of an operation may take.</param>
    internal AzureStore(IOptions<AzureStorageOptions> options, TimeSpan tryTimeout)
    {
        _queues = new(() =>
        {
            // Encoded by AzureQueue: with the client's own decoding, one message that is not Base64 hides the others.
            var client = new QueueClientOptions { MessageEncoding = QueueMessageEncoding.None };
            SetRetries(client.Retry, tryTimeout);
            return options.Value.ConnectionString is { } connection
                ? new QueueServiceClient(connection, client)
                : new QueueServiceClient(options.Value.QueueServiceUri, Identity.Of(options.Value), client);
        });
        _tables = new(() =>
        {
            var client = new TableClientOptions();
            SetRetries(client.Retry, tryTimeout);
            return options.Value.ConnectionString is { } connection
                ? new TableServiceClient(connection, client)
                : new TableServiceClient(options.Value.TableServiceUri, Identity.Of(options.Value), client);
        });
    }

    /// <inheritdoc/>
    public IMessageQueue Queue(string name) => new AzureQueue(name, new(() => _queues.Value.GetQueueClient(name)));

    /// <inheritdoc/>
    public ITable Table(string name) => new AzureTable(name, new(() => _tables.Value.GetTableClient(name)));

    /// <inheritdoc/>
    public Task CheckAsync(CancellationToken cancellation) => AzureFaults.MapAsync(
        async deadline =>
        {
            // What does not exist yet is created with the first event.
            await Task.WhenAll(
                _queues.Value.GetQueueClient("telecmi-health").ExistsAsync(deadline),
                _tables.Value.GetTableClient("health").GetEntityIfExistsAsync<TableEntity>("health", "health", cancellationToken: deadline));
            return true;
        },
        cancellation);

    // Three tries: a busy service is tried again, and every operation ends well before its deadline.
    private static void SetRetries(RetryOptions retry, TimeSpan tryTimeout)
    {
        retry.Mode = RetryMode.Exponential;
        retry.MaxRetries = 2;
        retry.Delay = TimeSpan.FromMilliseconds(200);
        retry.MaxDelay = TimeSpan.FromSeconds(1);
        retry.NetworkTimeout = tryTimeout;
    }

    // A class of its own, so that Azure.Identity is not loaded where a connection string is used.
    private static class Identity
    {
        public static TokenCredential Of(AzureStorageOptions options) =>
            options.Credential is null ? new DefaultAzureCredential()
            : options.ClientId is { } clientId ? new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(clientId))
            : new ManagedIdentityCredential(ManagedIdentityId.SystemAssigned);
    }
}
