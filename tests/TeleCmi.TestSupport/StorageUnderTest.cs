using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Azure;
using TeleCmi.Storage.Sqlite;

namespace TeleCmi.TestSupport;

/// <summary>Looks at a store's queues and tables from outside, as a judge would.</summary>
public sealed class StorageUnderTest(IStore store) : IDisposable
{
    private const int PageSize = 1000;

    private ServiceProvider? _owned;

    public IStore Store => store;

    /// <summary>Opens what a storage setting names.</summary>
    public static StorageUnderTest Open(string setting)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new(IStore.Setting, setting)]).Build();
        var services = new ServiceCollection().AddSingleton(TimeProvider.System).AddSingleton<IConfiguration>(configuration);
        if (!services.TryAddSqliteStorage(configuration, folder: null))
        {
            services.AddAzureStorage();
        }

        var provider = services.BuildServiceProvider();
        return new StorageUnderTest(provider.GetRequiredService<IStore>()) { _owned = provider };
    }

    public Task<IReadOnlyList<TableRow>> JournalAsync() => RowsAsync("CallEvents");

    /// <summary>The ids of the events whose work is done.</summary>
    public async Task<IReadOnlyList<string>> FinishedAsync() =>
        [.. (await JournalAsync()).Where(row => row.Time("ProcessedAt") is not null).Select(row => row.Text("EventId")!)];

    public Task<IReadOnlyList<TableRow>> DeadLettersAsync() => RowsAsync("DeadLetters");

    /// <summary>Waits for so many dead letters.</summary>
    public async Task<IReadOnlyList<TableRow>> DeadLettersAsync(int count)
    {
        await Eventually.HoldsAsync(async () => (await DeadLettersAsync()).Count >= count);
        return await DeadLettersAsync();
    }

    /// <summary>How many messages there are in all four queues, hidden ones included.</summary>
    public async Task<int> QueuedAsync() =>
        await CountAsync("telecmi-events") + await CountAsync("telecmi-events-poison") + await CountAsync("telecmi-forwards") + await CountAsync("telecmi-forwards-poison");

    public Task<int> CountAsync(string queue) => store.Queue(queue).CountAsync(CancellationToken.None);

    public async Task<IReadOnlyList<TableRow>> RowsAsync(string table) =>
        await store.Table(table).RowsAsync(new TableQuery { PageSize = PageSize }, CancellationToken.None).ToListAsync();

    public void Dispose() => _owned?.Dispose();
}
