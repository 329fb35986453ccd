using System.Globalization;
using System.Text.Json;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Storage.Sqlite;

/// <summary>A table of an embedded store.</summary>
internal sealed class SqliteTable(string name, SqliteStore store) : ITable
{
    private const string FindSql = "SELECT Version, LargeId, Columns FROM TableRows WHERE TableName = ?1 AND Partition = ?2 AND Row = ?3";
    private const string PutSql = "REPLACE INTO TableRows (TableName, Partition, Row, Version, LargeId, Columns) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    private const string DeleteSql = "DELETE FROM TableRows WHERE TableName = ?1 AND Partition = ?2 AND Row = ?3";
    private const string FindLargeSql = "SELECT Columns FROM LargeColumns WHERE Id = ?1";
    private const string InsertLargeSql = "INSERT INTO LargeColumns (Columns) VALUES (?1)";
    private const string DeleteLargeSql = "DELETE FROM LargeColumns WHERE Id = ?1";

    public string Name => name;

    public Task<string?> TryInsertAsync(TableRow row, CancellationToken cancellation) => store.WriteAsync(Insertion(row), cancellation);

    public Task<string?> TryClaimAsync(TableRow row, CancellationToken cancellation) => store.WriteUnflushedAsync(Insertion(row), cancellation);

    public Task<TableRow?> FindAsync(RowKey key, IReadOnlyCollection<string>? columns, CancellationToken cancellation)
    {
        var wanted = columns is null ? null : new ColumnSet(columns);
        return store.ReadAsync(
            session =>
            {
                using var find = session.Kept(FindSql);
                return Bind(find, key).Step() ? Read(session, key, find, firstColumn: 0, wanted) : null;
            },
            cancellation);
    }

    public Task<WriteOutcome> MergeAsync(TableRow row, string? version, CancellationToken cancellation) => store.WriteAsync(
        session => IfThere(session, row.Key, version, existing =>
        {
            var merged = new TableRow(row.Key);
            RowJson.Read(existing.Columns, wanted: null, merged);
            if (existing.LargeId is { } largeId && row.Any(column => RowJson.IsLarge(column.Value) || merged[column.Key] is LargeValue))
            {
                ReadLarge(session, largeId, wanted: null, merged);
                existing = existing with { LargeId = null };
                Delete(session, largeId);
            }

            foreach (var (column, value) in row)
            {
                merged[column] = value;
            }

            Put(session, row.Key, Encoded.Of(merged, existing.LargeId));
        }),
        cancellation);

    public Task<WriteOutcome> ReplaceAsync(TableRow row, string? version, CancellationToken cancellation)
    {
        var columns = Encoded.Of(row);
        return store.WriteAsync(
            session => IfThere(session, row.Key, version, existing =>
            {
                Delete(session, existing.LargeId);
                Put(session, row.Key, columns);
            }),
            cancellation);
    }

    public Task UpsertAsync(TableRow row, CancellationToken cancellation)
    {
        var columns = Encoded.Of(row);
        return store.WriteAsync(
            session =>
            {
                Delete(session, Find(session, row.Key)?.LargeId);
                return Put(session, row.Key, columns);
            },
            cancellation);
    }

    public Task<WriteOutcome> DeleteAsync(RowKey key, string? version, CancellationToken cancellation) => store.WriteAsync(
        session => IfThere(session, key, version, existing =>
        {
            Delete(session, existing.LargeId);
            using var delete = session.Kept(DeleteSql);
            Bind(delete, key).Step();
        }),
        cancellation);

    public Task<TablePage> ReadPageAsync(TableQuery query, string? continuation, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(query.PageSize, 1, nameof(query));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.PageSize, 1000, nameof(query));
        var sql = new ConditionSql(name, query, continuation is null ? null : JsonSerializer.Deserialize<RowKey>(continuation));
        var wanted = query.Columns is null ? null : new ColumnSet(query.Columns);
        return store.ReadAsync(
            session =>
            {
                var rows = new List<TableRow>();
                using var select = sql.Prepare(session);
                while (select.Step())
                {
                    if (rows.Count == query.PageSize)
                    {
                        return new TablePage(rows, JsonSerializer.Serialize(rows[^1].Key));
                    }

                    rows.Add(Read(session, new RowKey(select.Text(0), select.Text(1)), select, firstColumn: 2, wanted));
                }

                return new TablePage(rows, null);
            },
            cancellation);
    }

    private Func<SqliteSession, string?> Insertion(TableRow row)
    {
        var columns = Encoded.Of(row);
        return session => Find(session, row.Key) is null ? Text(Put(session, row.Key, columns)) : null;
    }

    private static string Text(long version) => version.ToString("x", CultureInfo.InvariantCulture);

    // The large columns come from the same snapshot, because the statement that found the row has not ended.
    private static TableRow Read(SqliteSession session, RowKey key, SqliteStatement found, int firstColumn, ColumnSet? wanted)
    {
        var row = new TableRow(key) { Version = Text(found.Number(firstColumn)) };
        if (RowJson.Read(found.Bytes(firstColumn + 2), wanted, row))
        {
            ReadLarge(session, found.Number(firstColumn + 1), wanted, row);
        }

        return row;
    }

    private static void ReadLarge(SqliteSession session, long largeId, ColumnSet? wanted, TableRow row)
    {
        using var find = session.Kept(FindLargeSql);
        if (!find.Bind(1, largeId).Step())
        {
            throw new InvalidDataException($"The large columns of row '{row.Key.Row}' are missing.");
        }

        RowJson.Read(find.Bytes(0), wanted, row);
    }

    private static void Delete(SqliteSession session, long? largeId)
    {
        if (largeId is { } id)
        {
            using var delete = session.Kept(DeleteLargeSql);
            delete.Bind(1, id).Step();
        }
    }

    private WriteOutcome IfThere(SqliteSession session, RowKey key, string? version, Action<Existing> write)
    {
        if (Find(session, key) is not { } existing)
        {
            return WriteOutcome.Missing;
        }

        if (version is not null && version != Text(existing.Version))
        {
            return WriteOutcome.Changed;
        }

        write(existing);
        return WriteOutcome.Written;
    }

    private Existing? Find(SqliteSession session, RowKey key)
    {
        using var find = session.Kept(FindSql);
        return Bind(find, key).Step()
            ? new Existing(find.Number(0), find.IsNull(1) ? null : find.Number(1), find.Bytes(2).ToArray())
            : null;
    }

    private long Put(SqliteSession session, RowKey key, Encoded columns)
    {
        var largeId = columns.LargeId;
        if (columns.Large is not null)
        {
            using var insert = session.Kept(InsertLargeSql);
            insert.BindUtf8(1, columns.Large).Step();
            largeId = session.LastRowId;
        }

        // Never the same again for one key, so that a row that was deleted and inserted meanwhile has changed.
        var version = Random.Shared.NextInt64();
        using var put = session.Kept(PutSql);
        Bind(put, key).Bind(4, version).Bind(5, largeId).BindUtf8(6, columns.Small).Step();
        return version;
    }

    private SqliteStatement Bind(SqliteStatement statement, RowKey key) => statement.Bind(1, name).Bind(2, key.Partition).Bind(3, key.Row);

    private readonly record struct Existing(long Version, long? LargeId, byte[] Columns);

    /// <param name="Small">The small columns.</param>
    /// <param name="Large">The large columns, if there are any to write.</param>
    /// <param name="LargeId">Where the large columns are already.</param>
    private readonly record struct Encoded(byte[] Small, byte[]? Large, long? LargeId)
    {
        public static Encoded Of(TableRow row, long? largeId = null) => new(
            RowJson.Write(row, large: false),
            largeId is null && row.Any(column => RowJson.IsLarge(column.Value)) ? RowJson.Write(row, large: true) : null,
            largeId);
    }
}
