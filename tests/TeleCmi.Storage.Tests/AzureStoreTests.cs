using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Azure;
using TeleCmi.TestSupport;

[assembly: AssemblyFixture(typeof(AzuriteFixture))]

namespace TeleCmi.Storage.Tests;

/// <summary>The contract on an Azurite, or on the account whose connection string TELECMI_TEST_STORAGE holds; every test uses names of its own.</summary>
public static class AzureStores
{
    public static StoreUnderTest Open(AzuriteFixture azurite)
    {
        var connection = Environment.GetEnvironmentVariable("TELECMI_TEST_STORAGE") is { Length: > 0 } account ? account : azurite.NewStorage();

        // An emulator on a busy machine pauses for seconds, and a try that is repeated too early finds deleted what it deletes.
        IStore store = new AzureStore(Options.Create(new AzureStorageOptions { ConnectionString = connection }), tryTimeout: TimeSpan.FromSeconds(18));

        // The service counts in its own time, in whole seconds.
        return new StoreUnderTest(store, time => Task.Delay(time + TimeSpan.FromSeconds(1)), () => ValueTask.CompletedTask);
    }
}

public sealed class AzureQueueTests(AzuriteFixture azurite) : QueueContract(() => AzureStores.Open(azurite));

public sealed class AzureTableTests(AzuriteFixture azurite) : TableContract(() => AzureStores.Open(azurite));
