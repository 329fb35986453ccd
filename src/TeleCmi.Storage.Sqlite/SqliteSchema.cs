using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Storage.Sqlite;

/// <summary>What the file looks like, and how one is opened, made or brought up to date.</summary>
/// <param name="migrations">What makes each version out of the one before; the number of scripts is the version that this program knows.</param>
internal sealed class SqliteSchema(IReadOnlyList<string> migrations)
{
    // "TCMI": tells a store from any other SQLite file (PRAGMA application_id).
    private const int ApplicationId = 0x54434D49;

    // 4 MiB: about as much room as a store needs to go on when its disk was full.
    private const int PagesBetweenCheckpoints = 1000;
    private const int JournalSizeLimit = 64 << 20;

    // SQLITE_DBCONFIG_ENABLE_QPSG, the query planner stability guarantee (sqlite.org/c3ref/c_dbconfig_defensive.html).
    private const int EnableStablePlans = 1007;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(5);
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// The versions so far. A message that nobody has to wait for has VisibleAt 0, so that a clock that is set back hides
    /// nothing; its body stands apart, so that receiving it writes little and needs no room that a full disk does not have.
    /// A row is JSON of its small columns under its key, in key order, and JSON of the large ones elsewhere: a range is read
    /// without the pages of its bodies, one insert writes two pages, and the sqlite3 shell can read all of it.
    /// </summary>
    public static SqliteSchema Current { get; } = new(
    [
        """
        CREATE TABLE Messages (
          Id INTEGER PRIMARY KEY AUTOINCREMENT,
          Queue TEXT NOT NULL,
          VisibleAt INTEGER NOT NULL,
          InsertedOn INTEGER NOT NULL,
          DequeueCount INTEGER NOT NULL DEFAULT 0,
          Receipt INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE INDEX MessagesByVisibility ON Messages (Queue, VisibleAt);
        CREATE TABLE MessageBodies (
          Id INTEGER PRIMARY KEY,
          Body BLOB NOT NULL
        ) STRICT;
        CREATE TABLE TableRows (
          TableName TEXT NOT NULL,
          Partition TEXT NOT NULL,
          Row TEXT NOT NULL,
          Version INTEGER NOT NULL,
          LargeId INTEGER,
          Columns TEXT NOT NULL,
          PRIMARY KEY (TableName, Partition, Row)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE LargeColumns (
          Id INTEGER PRIMARY KEY,
          Columns TEXT NOT NULL
        ) STRICT;
        CREATE TABLE Checks (
          Id INTEGER PRIMARY KEY AUTOINCREMENT,
          Filling BLOB NOT NULL
        ) STRICT;
        """,
    ]);

    /// <summary>The statements of each version.</summary>
    public IReadOnlyList<string> Migrations => migrations;

    /// <summary>Opens a store in memory, which lives as long as the session.</summary>
    public SqliteSession OpenInMemory()
    {
        var session = Connect(":memory:");
        Upgrade(session, ":memory:", TimeSpan.Zero);
        return session;
    }

    /// <summary>Opens the file; makes it and its folder when they are missing.</summary>
    /// <param name="file">The full path.</param>
    /// <param name="lockTimeout">How long to wait for other processes.</param>
    /// <exception cref="StorageException">It is not a store that this program can use.</exception>
    public SqliteSession Open(string file, TimeSpan lockTimeout)
    {
        Create(file);
        var session = Connect(file);
        try
        {
            session.RunScript(string.Create(CultureInfo.InvariantCulture, $"PRAGMA busy_timeout = {(long)lockTimeout.TotalMilliseconds}"));
            Check(session, file);
            if (session.IsReadOnly)
            {
                throw SqliteFaults.NotWritable(file);
            }

            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & ~OwnerOnly) != UnixFileMode.None)
            {
                // A restored copy, for example; -wal and -shm take the file's mode.
                File.SetUnixFileMode(file, OwnerOnly);
            }

            UseWriteAheadLog(session, file, lockTimeout);

            // fullfsync: on macOS an fsync alone leaves the data in the disk's cache.
            session.RunScript(string.Create(
                CultureInfo.InvariantCulture,
                $"PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON; PRAGMA wal_autocheckpoint = {PagesBetweenCheckpoints}; PRAGMA journal_size_limit = {JournalSizeLimit}"));
            Upgrade(session, file, lockTimeout);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private static void Create(string file)
    {
        var folder = Path.GetDirectoryName(file);
        if (folder is { Length: > 0 } && !Directory.Exists(folder))
        {
            _ = OperatingSystem.IsWindows()
                ? Directory.CreateDirectory(folder)
                : Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        }

        if (File.Exists(file))
        {
            return;
        }

        if (new FileInfo($"{file}-wal") is { Exists: true, Length: > 0 })
        {
            throw SqliteFaults.LostItsFile(file);
        }

        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        new FileStream(file, options).Dispose();
    }

    private static SqliteSession Connect(string file)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = file,
            Mode = file == ":memory:" ? SqliteOpenMode.Memory : SqliteOpenMode.ReadWrite,
            Pooling = false,
        }.ConnectionString);
        try
        {
            connection.Open();

            // Or a kept statement is prepared again at each execution, because the plan might depend on the values: the most rows of a LIMIT, for one.
            SqliteException.ThrowExceptionForRC(raw.sqlite3_db_config(connection.Handle, EnableStablePlans, 1, out _), connection.Handle);
            return new SqliteSession(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    // Before anything is written: nobody wants another program's file, or a newer one, changed.
    private long Check(SqliteSession session, string file)
    {
        var version = session.Number("PRAGMA user_version");
        var isOurs = session.Number("PRAGMA application_id") == ApplicationId;
        if (!isOurs && (version != 0 || session.Number("SELECT count(*) FROM sqlite_schema") > 0))
        {
            throw SqliteFaults.NotOurs(file);
        }

        return version <= migrations.Count ? version : throw SqliteFaults.NewerVersion(file, version, migrations.Count);
    }

    private void Upgrade(SqliteSession session, string file, TimeSpan lockTimeout)
    {
        if (Check(session, file) == migrations.Count)
        {
            return;
        }

        Retry(() => session.RunScript("BEGIN IMMEDIATE"), lockTimeout);
        try
        {
            // Another process may have done it meanwhile.
            for (var version = Check(session, file); version < migrations.Count; version++)
            {
                session.RunScript(migrations[(int)version]);
            }

            session.RunScript(string.Create(
                CultureInfo.InvariantCulture, $"PRAGMA application_id = {ApplicationId}; PRAGMA user_version = {migrations.Count}; COMMIT"));
        }
        catch
        {
            if (session.IsInTransaction)
            {
                session.RunScript("ROLLBACK");
            }

            throw;
        }
    }

    private static void UseWriteAheadLog(SqliteSession session, string file, TimeSpan lockTimeout) => Retry(
        () =>
        {
            using var journal = session.Once("PRAGMA journal_mode = WAL");
            journal.Step();
            if (journal.Text(0) is var mode and not "wal")
            {
                throw SqliteFaults.NoWriteAheadLog(file, mode);
            }
        },
        lockTimeout);

    // Several processes that make one file at once: SQLite does not always wait by itself here, because that could be a deadlock.
    private static void Retry(Action action, TimeSpan lockTimeout)
    {
        var started = Stopwatch.GetTimestamp();
        using var never = new ManualResetEventSlim();
        while (true)
        {
            try
            {
                action();
                return;
            }
            catch (SqliteException e) when (e.SqliteErrorCode == raw.SQLITE_BUSY && Stopwatch.GetElapsedTime(started) < lockTimeout)
            {
                never.Wait(RetryDelay);
            }
        }
    }
}
