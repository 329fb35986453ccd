using Azure.Data.Tables;
using Azure.Storage.Queues;

namespace TeleCmi.TestSupport;

/// <summary>Looks at an account's queues and tables from outside, as a judge would.</summary>
public sealed class StorageUnderTest(string connection)
{
    private readonly TableServiceClient _tables = new(connection);

    public Task<IReadOnlyList<TableEntity>> JournalAsync() => RowsAsync("CallEvents");

    public Task<IReadOnlyList<TableEntity>> DeadLettersAsync() => RowsAsync("DeadLetters");

    /// <summary>How many messages there are in both queues, hidden ones included.</summary>
    public async Task<int> QueuedAsync() => await CountAsync("telecmi-events") + await CountAsync("telecmi-events-poison");

    /// <summary>Puts a text into the events queue as it is, which is not how this product writes its messages.</summary>
    public async Task PutForeignMessageAsync(string text)
    {
        var queue = new QueueClient(connection, "telecmi-events");
        await queue.CreateIfNotExistsAsync();
        await queue.SendMessageAsync(text);
    }

    private async Task<int> CountAsync(string name)
    {
        var queue = new QueueClient(connection, name);
        return await queue.ExistsAsync() ? (await queue.GetPropertiesAsync()).Value.ApproximateMessagesCount : 0;
    }

    private async Task<IReadOnlyList<TableEntity>> RowsAsync(string name) =>
        await _tables.QueryAsync(table => table.Name == name).AnyAsync()
            ? await _tables.GetTableClient(name).QueryAsync<TableEntity>().ToListAsync()
            : [];
}
