using System.Collections.Concurrent;
using System.Globalization;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Storage.Sqlite;

/// <summary>
/// Queues and tables in one file of this machine, or in memory for tests. What is acknowledged has been flushed to the disk.
/// Several processes may use one file at once. The file is opened, or made, with the first operation.
/// </summary>
public sealed class SqliteStore : IStore, IDisposable, IAsyncDisposable
{
    /// <summary>What a storage setting begins with that names a file.</summary>
    public const string Scheme = "sqlite:";

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    // Rows of a day come in no order of their keys: with SQLite's own 2 MiB, an insert would often have to read its page first.
    private const int WriterCacheKiB = 32 * 1024;

    private readonly ConcurrentDictionary<string, SqliteQueue> _queues = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, SqliteTable> _tables = new(StringComparer.Ordinal);
    private readonly TimeProvider _clock;
    private readonly SqliteWriter _writer;
    private readonly SqliteReaders? _readers;

    /// <summary>A store in a file.</summary>
    /// <param name="file">Where it is; relative to the current folder.</param>
    /// <param name="clock">Tells when messages are visible.</param>
    public SqliteStore(string file, TimeProvider clock)
        : this(Path.GetFullPath(file), clock, SqliteSchema.Current, TimeSpan.FromSeconds(15))
    {
    }

    /// <param name="file">The full path; null: in memory.</param>
    /// <param name="clock">Tells when messages are visible.</param>
    /// <param name="schema">The versions that are known.</param>
    /// <param name="lockTimeout">How long to wait for other processes.</param>
    /// <param name="maxPages">How large the file may be; 0: as large as the disk allows.</param>
    internal SqliteStore(string? file, TimeProvider clock, SqliteSchema schema, TimeSpan lockTimeout, int maxPages = 0)
    {
        File = file ?? ":memory:";
        _clock = clock;
        if (file is null)
        {
            _writer = new SqliteWriter(schema.OpenInMemory, lockTimeout, isThreaded: false);
            return;
        }

        // max_page_count 0 changes nothing.
        var writing = string.Create(CultureInfo.InvariantCulture, $"PRAGMA busy_timeout = 5; PRAGMA cache_size = -{WriterCacheKiB}; PRAGMA max_page_count = {maxPages}");
        _writer = new SqliteWriter(() => Open(writing), lockTimeout, isThreaded: true);
        _readers = new SqliteReaders(() => Open("PRAGMA query_only = ON"));

        SqliteSession Open(string mode)
        {
            var session = schema.Open(file, lockTimeout);
            session.RunScript(mode);
            return session;
        }
    }

    /// <summary>The file's full path.</summary>
    public string File { get; }

    /// <summary>How many transactions were committed.</summary>
    internal long Commits => _writer.Commits;

    /// <summary>How many of them were flushed to the disk.</summary>
    internal long Flushes => _writer.Flushes;

    /// <summary>Whether a group is being committed.</summary>
    internal bool IsWriting => _writer.IsWriting;

    /// <summary>A store in memory that ends with this object: every operation is done when it returns, and only the clock makes time pass.</summary>
    public static SqliteStore InMemory(TimeProvider clock) => new(null, clock, SqliteSchema.Current, TimeSpan.Zero);

    /// <summary>Reads a storage setting such as <c>sqlite:data/telecmi.db</c>.</summary>
    /// <param name="setting">The setting.</param>
    /// <param name="file">The full path of the file; a relative one is relative to the current folder.</param>
    /// <param name="fault">What is wrong with the setting, in a sentence; null when it is no <c>sqlite:</c> setting at all.</param>
    public static bool TryParse(string? setting, out string file, out string? fault)
    {
        file = "";
        fault = null;
        if (setting?.Trim() is not { } text || !text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        var path = text[Scheme.Length..].Trim();
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal) || Path.EndsInDirectorySeparator(path))
        {
            fault = $"'{Scheme}' needs the name of a file: write {Scheme}<file>, such as {Scheme}data/telecmi.db.";
            return false;
        }

        file = Path.GetFullPath(path);
        return true;
    }

    /// <inheritdoc/>
    public IMessageQueue Queue(string name) => _queues.GetOrAdd(name, static (name, store) => new SqliteQueue(name, store, store._clock), this);

    /// <inheritdoc/>
    public ITable Table(string name) => _tables.GetOrAdd(name, static (name, store) => new SqliteTable(name, store), this);

    /// <inheritdoc/>
    public async Task CheckAsync(CancellationToken cancellation)
    {
        if (_readers is not null && Commits > 0 && !System.IO.File.Exists(File))
        {
            throw SqliteFaults.FileGone(File);
        }

        // As much as the largest message takes, into new pages: a full disk or a full file is seen before a message is refused.
        await WriteAsync(
            static session =>
            {
                using var insert = session.Kept("INSERT INTO Checks (Filling) VALUES (zeroblob(?1))");
                insert.Bind(1, (long)IMessageQueue.MaxMessageBytes).Step();
                session.Run("DELETE FROM Checks WHERE Id < last_insert_rowid()");
                return true;
            },
            cancellation);
    }

    /// <summary>Copies the store as it is now into a file of its own, while it is in use. Restoring is copying that file back.</summary>
    /// <param name="file">Where to; readable by its owner alone.</param>
    /// <param name="overwrite">Whether a file that is there may be replaced.</param>
    /// <param name="cancellation">Ends the attempt and leaves what was there.</param>
    /// <exception cref="StorageException">There is no copy; the message says why.</exception>
    public async Task BackupAsync(string file, bool overwrite, CancellationToken cancellation)
    {
        var target = Path.GetFullPath(file);
        if (_readers is null || target == File)
        {
            throw new StorageException("A backup is a copy of a store's file: name another file than the store's own.");
        }

        if (!overwrite && System.IO.File.Exists(target))
        {
            throw new StorageException($"The file '{target}' is there already: name another file, or say that it may be overwritten.");
        }

        var copy = $"{target}.{Guid.NewGuid():N}.tmp";
        try
        {
            await SqliteBackup.WriteAsync(_readers, copy, cancellation);
            System.IO.File.Move(copy, target, overwrite);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw SqliteFaults.Of(e, copy);
        }
        finally
        {
            if (System.IO.File.Exists(copy))
            {
                System.IO.File.Delete(copy);
            }
        }
    }

    /// <summary>Finishes what was begun and closes the file.</summary>
    public void Dispose()
    {
        _writer.Dispose();
        _readers?.Dispose();
    }

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Runs a write in a transaction that others share; when the task completes, it is durable.</summary>
    internal Task<T> WriteAsync<T>(Func<SqliteSession, T> write, CancellationToken cancellation) => WriteAsync(write, isFlushed: true, cancellation);

    /// <summary>
    /// Runs a write whose loss only lets work begin again. When the task completes, it survives the end of every process; the next
    /// flush makes it durable. A power failure before that undoes it, and all that was written later: the log is read up to its last whole transaction.
    /// </summary>
    internal Task<T> WriteUnflushedAsync<T>(Func<SqliteSession, T> write, CancellationToken cancellation) => WriteAsync(write, isFlushed: false, cancellation);

    private async Task<T> WriteAsync<T>(Func<SqliteSession, T> write, bool isFlushed, CancellationToken cancellation)
    {
        PendingWrite<T>? pending = null;
        try
        {
            cancellation.ThrowIfCancellationRequested();
            pending = _writer.Begin(write, isFlushed);
            return await pending.Completion.WaitAsync(Deadline, cancellation);
        }
        catch (Exception e) when (Abandon(pending) && !IsCancelled(e, cancellation))
        {
            throw FaultOf(e);
        }
    }

    /// <summary>Runs a read on a connection of its own.</summary>
    internal async Task<T> ReadAsync<T>(Func<SqliteSession, T> read, CancellationToken cancellation)
    {
        if (_readers is null)
        {
            return await WriteAsync(read, cancellation);
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Deadline);
        try
        {
            return await _readers.ReadAsync(read, deadline.Token).WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw FaultOf(new TimeoutException("The read took too long.", e));
        }
        catch (Exception e) when (!IsCancelled(e, cancellation))
        {
            throw FaultOf(e);
        }
    }

    private static bool Abandon(PendingWrite? pending)
    {
        pending?.Abandon();
        return true;
    }

    private static bool IsCancelled(Exception e, CancellationToken cancellation) => e is OperationCanceledException && cancellation.IsCancellationRequested;

    private StorageException FaultOf(Exception e) => e is ObjectDisposedException ? SqliteFaults.Closed(File) : SqliteFaults.Of(e, File);
}
