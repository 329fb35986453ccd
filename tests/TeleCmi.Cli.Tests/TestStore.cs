using System.Collections.Concurrent;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Cli.Tests;

/// <summary>As much of a store in memory as these tests need; the embedded store's in-memory form takes its place.</summary>
internal sealed class TestStore(TimeProvider clock) : IStore
{
    private readonly ConcurrentDictionary<string, TestQueue> _queues = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TestTable> _tables = new(StringComparer.Ordinal);

    public IMessageQueue Queue(string name) => _queues.GetOrAdd(name, _ => new TestQueue(name, clock));

    public ITable Table(string name) => _tables.GetOrAdd(name, _ => new TestTable(name));

    public Task CheckAsync(CancellationToken cancellation) => Task.CompletedTask;

    private sealed class TestQueue(string name, TimeProvider clock) : IMessageQueue
    {
        private readonly ConcurrentDictionary<string, ReceivedMessage> _messages = new(StringComparer.Ordinal);
        private int _sent;

        public string Name => name;

        public Task SendAsync(ReadOnlyMemory<byte> body, TimeSpan delay, CancellationToken cancellation)
        {
            cancellation.ThrowIfCancellationRequested();
            var id = $"{Interlocked.Increment(ref _sent):D8}";
            _messages[id] = new ReceivedMessage(id, id, body.ToArray(), clock.GetUtcNow(), 1);
            return Task.CompletedTask;
        }

        public Task<IReadOnlyList<ReceivedMessage>> ReceiveAsync(int count, TimeSpan visibilityTimeout, CancellationToken cancellation) =>
            Task.FromResult<IReadOnlyList<ReceivedMessage>>([.. _messages.OrderBy(message => message.Key, StringComparer.Ordinal).Take(count).Select(message => message.Value)]);

        public Task<ReceivedMessage?> ExtendAsync(ReceivedMessage message, TimeSpan visibilityTimeout, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<bool> DeleteAsync(ReceivedMessage message, CancellationToken cancellation) => Task.FromResult(_messages.TryRemove(message.Id, out _));

        public async Task<IReadOnlyList<PeekedMessage>> PeekAsync(int count, CancellationToken cancellation) =>
            [.. (await ReceiveAsync(count, TimeSpan.Zero, cancellation)).Select(message => new PeekedMessage(message.Body, message.InsertedOn, 0))];

        public Task<int> CountAsync(CancellationToken cancellation) => Task.FromResult(_messages.Count);
    }

    private sealed class TestTable(string name) : ITable
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<RowKey, TableRow> _rows = [];
        private int _version;

        public string Name => name;

        public Task<string?> TryInsertAsync(TableRow row, CancellationToken cancellation) => LockedAsync(
            () => _rows.ContainsKey(row.Key) ? null : Put(row, []).Version, cancellation);

        public Task<TableRow?> FindAsync(RowKey key, IReadOnlyCollection<string>? columns, CancellationToken cancellation) => LockedAsync(
            () => _rows.GetValueOrDefault(key) is { } row ? Select(row, columns) : null, cancellation);

        public Task<WriteOutcome> MergeAsync(TableRow row, string? version, CancellationToken cancellation) => WriteAsync(row.Key, version, old => Put(row, old), cancellation);

        public Task<WriteOutcome> ReplaceAsync(TableRow row, string? version, CancellationToken cancellation) => WriteAsync(row.Key, version, _ => Put(row, []), cancellation);

        public Task UpsertAsync(TableRow row, CancellationToken cancellation) => LockedAsync(() => Put(row, []), cancellation);

        public Task<WriteOutcome> DeleteAsync(RowKey key, string? version, CancellationToken cancellation) => WriteAsync(key, version, _ => _rows.Remove(key), cancellation);

        public Task<TablePage> ReadPageAsync(TableQuery query, string? continuation, CancellationToken cancellation) => LockedAsync(
            () => new TablePage(
                [
                    .. _rows.Values
                        .Where(row => IsBetween(row.Key.Partition, query.PartitionFrom, query.PartitionTo) && IsBetween(row.Key.Row, query.RowFrom, null)
                            && (query.RowBefore is null || string.CompareOrdinal(row.Key.Row, query.RowBefore) < 0) && (query.Where is null || Meets(row, query.Where)))
                        .OrderBy(row => row.Key.Partition, StringComparer.Ordinal).ThenBy(row => row.Key.Row, StringComparer.Ordinal)
                        .Select(row => Select(row, query.Columns)),
                ],
                null),
            cancellation);

        private Task<T> LockedAsync<T>(Func<T> work, CancellationToken cancellation)
        {
            cancellation.ThrowIfCancellationRequested();
            lock (_lock)
            {
                return Task.FromResult(work());
            }
        }

        private Task<WriteOutcome> WriteAsync(RowKey key, string? version, Action<TableRow> write, CancellationToken cancellation) => LockedAsync(
            () =>
            {
                if (!_rows.TryGetValue(key, out var old))
                {
                    return WriteOutcome.Missing;
                }

                if (version is not null && old.Version != version)
                {
                    return WriteOutcome.Changed;
                }

                write(old);
                return WriteOutcome.Written;
            },
            cancellation);

        private TableRow Put(TableRow row, IEnumerable<KeyValuePair<string, object>> under) =>
            _rows[row.Key] = Copy(row.Key, $"{++_version}", under.Concat(row));

        private static TableRow Select(TableRow row, IReadOnlyCollection<string>? columns) => Copy(row.Key, row.Version, row.Where(column => columns?.Contains(column.Key) != false));

        private static TableRow Copy(RowKey key, string? version, IEnumerable<KeyValuePair<string, object>> columns)
        {
            var copy = new TableRow(key) { Version = version };
            foreach (var (column, value) in columns)
            {
                copy[column] = value;
            }

            return copy;
        }

        private static bool IsBetween(string key, string? from, string? to) =>
            (from is null || string.CompareOrdinal(key, from) >= 0) && (to is null || string.CompareOrdinal(key, to) <= 0);

        private static bool Meets(TableRow row, TableCondition condition) => condition switch
        {
            TableCondition.All all => all.Conditions.All(part => Meets(row, part)),
            TableCondition.Any any => any.Conditions.Any(part => Meets(row, part)),
            TableCondition.Comparison comparison => row[comparison.Column] is string value && string.CompareOrdinal(value, (string)comparison.Value) is var order && comparison.Operator switch
            {
                ComparisonOperator.Equal => order == 0,
                ComparisonOperator.AtLeast => order >= 0,
                _ => order < 0,
            },
            _ => throw new NotSupportedException(),
        };
    }
}
