using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace TeleCmi.Storage.Sqlite;

/// <summary>One connection and its prepared statements; used by one thread at a time.</summary>
internal sealed class SqliteSession(SqliteConnection connection) : IDisposable
{
    private readonly Dictionary<string, SqliteStatement> _statements = new(StringComparer.Ordinal);

    /// <summary>Whether a transaction has begun and was not ended by its own failure.</summary>
    public bool IsInTransaction => raw.sqlite3_get_autocommit(connection.Handle) == 0;

    /// <summary>Whether the file was opened for reading only, which SQLite does by itself when it may not write.</summary>
    public bool IsReadOnly => raw.sqlite3_db_readonly(connection.Handle, "main") == 1;

    /// <summary>How many rows the last statement has written.</summary>
    public int Changes => raw.sqlite3_changes(connection.Handle);

    /// <summary>The row id of the last insert.</summary>
    public long LastRowId => raw.sqlite3_last_insert_rowid(connection.Handle);

    /// <summary>A statement that stays prepared; disposing it makes it ready for its next use.</summary>
    public SqliteStatement Kept(string sql) =>
        _statements.TryGetValue(sql, out var statement) ? statement : _statements[sql] = new SqliteStatement(connection.Handle!, sql, isKept: true);

    /// <summary>A statement for one use.</summary>
    public SqliteStatement Once(string sql) => new(connection.Handle!, sql, isKept: false);

    /// <summary>Runs a kept statement without parameters.</summary>
    public void Run(string sql)
    {
        using var statement = Kept(sql);
        statement.Step();
    }

    /// <summary>Runs any number of statements once.</summary>
    public void RunScript(string sql) => SqliteException.ThrowExceptionForRC(raw.sqlite3_exec(connection.Handle, sql), connection.Handle);

    /// <summary>The first column of the first row as a number; 0 when there is none.</summary>
    public long Number(string sql)
    {
        using var statement = Once(sql);
        return statement.Step() ? statement.Number(0) : 0;
    }

    /// <summary>Ends what runs on another thread with an error.</summary>
    public void Interrupt() => raw.sqlite3_interrupt(connection.Handle);

    public void Dispose()
    {
        foreach (var statement in _statements.Values)
        {
            statement.Finish();
        }

        _statements.Clear();
        connection.Dispose();
    }
}
