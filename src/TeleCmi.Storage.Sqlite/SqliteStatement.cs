using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace TeleCmi.Storage.Sqlite;

/// <summary>
/// A prepared statement, straight on SQLite's own interface: a command of the ADO.NET provider looks its parameters up by
/// name, boxes and copies them and sleeps when the file is locked, which costs more than the statements themselves.
/// </summary>
internal sealed class SqliteStatement : IDisposable
{
    // SQLITE_STMTSTATUS_REPREPARE.
    private const int RepreparationCounter = 5;

    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private readonly bool _isKept;

    public SqliteStatement(sqlite3 database, string sql, bool isKept)
    {
        _database = database;
        _isKept = isKept;
        Check(raw.sqlite3_prepare_v2(database, sql, out _statement));
    }

    /// <summary>How often it had to be prepared again.</summary>
    public int Repreparations => raw.sqlite3_stmt_status(_statement, RepreparationCounter, 0);

    public SqliteStatement Bind(int parameter, long value)
    {
        Check(raw.sqlite3_bind_int64(_statement, parameter, value));
        return this;
    }

    public SqliteStatement Bind(int parameter, string text)
    {
        if (text.Length == 0)
        {
            // A pointer to nothing would be NULL.
            Check(raw.sqlite3_bind_text(_statement, parameter, ""));
            return this;
        }

        var length = Encoding.UTF8.GetMaxByteCount(text.Length);
        Span<byte> utf8 = length <= 1024 ? stackalloc byte[length] : new byte[length];
        return BindUtf8(parameter, utf8[..Encoding.UTF8.GetBytes(text, utf8)]);
    }

    public SqliteStatement BindUtf8(int parameter, ReadOnlySpan<byte> text)
    {
        Check(raw.sqlite3_bind_text(_statement, parameter, text));
        return this;
    }

    public SqliteStatement Bind(int parameter, ReadOnlySpan<byte> bytes)
    {
        Check(bytes.IsEmpty ? raw.sqlite3_bind_zeroblob(_statement, parameter, 0) : raw.sqlite3_bind_blob(_statement, parameter, bytes));
        return this;
    }

    /// <summary>Binds a number, or NULL.</summary>
    public SqliteStatement Bind(int parameter, long? value)
    {
        Check(value is { } number ? raw.sqlite3_bind_int64(_statement, parameter, number) : raw.sqlite3_bind_null(_statement, parameter));
        return this;
    }

    /// <summary>Goes to the next row.</summary>
    /// <returns>False when there is none: the statement is done.</returns>
    public bool Step()
    {
        var result = raw.sqlite3_step(_statement);
        if (result is not (raw.SQLITE_ROW or raw.SQLITE_DONE))
        {
            Check(result);
        }

        return result == raw.SQLITE_ROW;
    }

    public long Number(int column) => raw.sqlite3_column_int64(_statement, column);

    public string Text(int column) => Encoding.UTF8.GetString(Bytes(column));

    /// <summary>A blob's or a text's bytes, valid until the next step.</summary>
    public ReadOnlySpan<byte> Bytes(int column) => raw.sqlite3_column_blob(_statement, column);

    public bool IsNull(int column) => raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    /// <summary>Makes a kept statement ready for its next use, and ends another one.</summary>
    public void Dispose()
    {
        if (!_isKept)
        {
            Finish();
            return;
        }

        // Returns the step's error once more, which has been reported.
        _ = raw.sqlite3_reset(_statement);
        _ = raw.sqlite3_clear_bindings(_statement);
    }

    /// <summary>Ends the statement for good.</summary>
    public void Finish() => _statement.Dispose();

    private void Check(int result) => SqliteException.ThrowExceptionForRC(result, _database);
}
