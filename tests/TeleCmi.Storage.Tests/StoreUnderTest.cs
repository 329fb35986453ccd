using Microsoft.Extensions.Time.Testing;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Sqlite;
using TeleCmi.TestSupport;

namespace TeleCmi.Storage.Tests;

/// <summary>One store for one test.</summary>
/// <param name="Store">The store, empty or with what other tests left under other names.</param>
/// <param name="PassAsync">Lets time pass for it.</param>
/// <param name="EndAsync">Ends it.</param>
public sealed record StoreUnderTest(IStore Store, Func<TimeSpan, Task> PassAsync, Func<ValueTask> EndAsync)
{
    public static StoreUnderTest SqliteFile()
    {
        var folder = new TemporaryFolder();
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 10, 5, 8, 0, 0, TimeSpan.Zero));
        var store = new SqliteStore(Path.Combine(folder.Path, "telecmi.db"), clock);
        return new StoreUnderTest(store, Advance(clock), async () =>
        {
            await store.DisposeAsync();
            folder.Dispose();
        });
    }

    public static StoreUnderTest SqliteMemory()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 10, 5, 8, 0, 0, TimeSpan.Zero));
        var store = SqliteStore.InMemory(clock);
        return new StoreUnderTest(store, Advance(clock), store.DisposeAsync);
    }

    private static Func<TimeSpan, Task> Advance(FakeTimeProvider clock) => time =>
    {
        clock.Advance(time);
        return Task.CompletedTask;
    };
}

public sealed class SqliteFileQueueTests() : QueueContract(StoreUnderTest.SqliteFile);

public sealed class SqliteMemoryQueueTests() : QueueContract(StoreUnderTest.SqliteMemory);

public sealed class SqliteFileTableTests() : TableContract(StoreUnderTest.SqliteFile);

public sealed class SqliteMemoryTableTests() : TableContract(StoreUnderTest.SqliteMemory);
