using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Sqlite;
using TeleCmi.TestSupport;

namespace TeleCmi.EndToEnd.Tests;

/// <summary>The check of storage at start says what is wrong, and ends nothing.</summary>
public sealed class StorageProbeTests
{
    [Fact]
    public async Task CheckThatFailsInAWayNobodyThoughtOf_IsSaid_AndTheReceiverWorks()
    {
        await using var host = await ReceiverHost.StartAsync(store: new OddStore(SqliteStore.InMemory(TimeProvider.System)));

        await Eventually.HoldsAsync(() => Task.FromResult(host.Log.Any(line => line.Message.StartsWith(OddStore.Fault, StringComparison.Ordinal))));
        using var response = await host.PostAsync(SampleNotices.Answered);
        response.EnsureSuccessStatusCode();
        await host.SettledAsync();
        (await host.Storage.FinishedAsync()).ShouldHaveSingleItem();
    }

    private sealed class OddStore(SqliteStore inner) : IStore
    {
        public const string Fault = "Nobody thought of this.";

        public IMessageQueue Queue(string name) => inner.Queue(name);

        public ITable Table(string name) => inner.Table(name);

        public Task CheckAsync(CancellationToken cancellation) => throw new NotSupportedException(Fault);
    }
}
