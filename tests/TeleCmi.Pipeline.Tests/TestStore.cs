using System.Collections.Concurrent;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Sqlite;

namespace TeleCmi.Pipeline.Tests;

/// <summary>A store in memory that notes each operation, and fails or waits where a test says so.</summary>
internal sealed class TestStore(TimeProvider clock) : IStore, IDisposable
{
    private readonly SqliteStore _inner = SqliteStore.InMemory(clock);
    private readonly ConcurrentQueue<string> _operations = new();

    /// <summary>What the pipeline asked for so far, such as <c>send telecmi-events</c> or <c>insert CallEvents</c>.</summary>
    public IReadOnlyList<string> Operations => [.. _operations];

    /// <summary>Runs before each operation, whose name it gets; what it throws, the operation throws.</summary>
    public Func<string, CancellationToken, Task> Before { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>The bodies of the visible messages of a queue; no operation of the pipeline's.</summary>
    public async Task<IReadOnlyList<byte[]>> QueuedAsync(string queue = "telecmi-events") =>
        [.. (await _inner.Queue(queue).PeekAsync(IMessageQueue.MaxBatch, CancellationToken.None)).Select(message => message.Body.ToArray())];

    /// <summary>The rows of a table; no operation of the pipeline's.</summary>
    public async Task<IReadOnlyList<TableRow>> RowsAsync(string table) =>
        await _inner.Table(table).RowsAsync(new TableQuery(), CancellationToken.None).ToListAsync();

    /// <summary>Lets operations fail whose names begin like this.</summary>
    public void Fail(string operation = "") => Before = (name, _) =>
        name.StartsWith(operation, StringComparison.Ordinal) ? throw new StorageException("Storage is gone.") : Task.CompletedTask;

    /// <summary>Ends all failures.</summary>
    public void Recover() => Before = (_, _) => Task.CompletedTask;

    public IMessageQueue Queue(string name) => new TestQueue(this, _inner.Queue(name));

    public ITable Table(string name) => new TestTable(this, _inner.Table(name));

    public Task CheckAsync(CancellationToken cancellation) => RunAsync("check", () => _inner.CheckAsync(cancellation), cancellation);

    public void Dispose() => _inner.Dispose();

    private async Task RunAsync(string operation, Func<Task> run, CancellationToken cancellation)
    {
        _operations.Enqueue(operation);
        await Before(operation, cancellation);
        await run();
    }

    private async Task<T> RunAsync<T>(string operation, Func<Task<T>> run, CancellationToken cancellation)
    {
        _operations.Enqueue(operation);
        await Before(operation, cancellation);
        return await run();
    }

    private sealed class TestQueue(TestStore store, IMessageQueue inner) : IMessageQueue
    {
        public string Name => inner.Name;

        public Task SendAsync(ReadOnlyMemory<byte> body, TimeSpan delay, CancellationToken cancellation) =>
            store.RunAsync($"send {Name}", () => inner.SendAsync(body, delay, cancellation), cancellation);

        public Task<IReadOnlyList<ReceivedMessage>> ReceiveAsync(int count, TimeSpan visibilityTimeout, CancellationToken cancellation) =>
            store.RunAsync($"receive {Name}", () => inner.ReceiveAsync(count, visibilityTimeout, cancellation), cancellation);

        public Task<ReceivedMessage?> ExtendAsync(ReceivedMessage message, TimeSpan visibilityTimeout, CancellationToken cancellation) =>
            store.RunAsync($"extend {Name}", () => inner.ExtendAsync(message, visibilityTimeout, cancellation), cancellation);

        public Task<bool> DeleteAsync(ReceivedMessage message, CancellationToken cancellation) =>
            store.RunAsync($"delete {Name}", () => inner.DeleteAsync(message, cancellation), cancellation);

        public Task<IReadOnlyList<PeekedMessage>> PeekAsync(int count, CancellationToken cancellation) =>
            store.RunAsync($"peek {Name}", () => inner.PeekAsync(count, cancellation), cancellation);

        public Task<int> CountAsync(CancellationToken cancellation) => store.RunAsync($"count {Name}", () => inner.CountAsync(cancellation), cancellation);
    }

    private sealed class TestTable(TestStore store, ITable inner) : ITable
    {
        public string Name => inner.Name;

        public Task<string?> TryInsertAsync(TableRow row, CancellationToken cancellation) =>
            store.RunAsync($"insert {Name}", () => inner.TryInsertAsync(row, cancellation), cancellation);

        public Task<TableRow?> FindAsync(RowKey key, IReadOnlyCollection<string>? columns, CancellationToken cancellation) =>
            store.RunAsync($"find {Name}", () => inner.FindAsync(key, columns, cancellation), cancellation);

        public Task<WriteOutcome> MergeAsync(TableRow row, string? version, CancellationToken cancellation) =>
            store.RunAsync($"merge {Name}", () => inner.MergeAsync(row, version, cancellation), cancellation);

        public Task<WriteOutcome> ReplaceAsync(TableRow row, string? version, CancellationToken cancellation) =>
            store.RunAsync($"replace {Name}", () => inner.ReplaceAsync(row, version, cancellation), cancellation);

        public Task UpsertAsync(TableRow row, CancellationToken cancellation) =>
            store.RunAsync($"upsert {Name}", () => inner.UpsertAsync(row, cancellation), cancellation);

        public Task<WriteOutcome> DeleteAsync(RowKey key, string? version, CancellationToken cancellation) =>
            store.RunAsync($"delete {Name}", () => inner.DeleteAsync(key, version, cancellation), cancellation);

        public Task<TablePage> ReadPageAsync(TableQuery query, string? continuation, CancellationToken cancellation) =>
            store.RunAsync($"read {Name}", () => inner.ReadPageAsync(query, continuation, cancellation), cancellation);
    }
}
