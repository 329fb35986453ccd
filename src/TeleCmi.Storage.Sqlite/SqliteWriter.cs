using System.Diagnostics;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace TeleCmi.Storage.Sqlite;

/// <summary>
/// Group commit: one thread commits everything that waits in one transaction, so that one flush to the disk makes all of it
/// durable. What needs no flush and finds the file idle is committed by its caller, without a change of threads. Each write has its own outcome.
/// </summary>
internal sealed class SqliteWriter : IDisposable
{
    // Bounds how long the first of them waits for the last.
    private const int MaxGroup = 256;

    private readonly Lock _committing = new();
    private readonly object _gate = new();
    private readonly Func<SqliteSession> _open;
    private readonly TimeSpan _lockTimeout;
    private readonly Thread? _thread;
    private readonly Queue<PendingWrite> _waiting = new();
    private SqliteSession? _session;
    private volatile bool _isClosed;
    private volatile bool _isWriting;
    private bool _wasFull;
    private long _commits;
    private long _flushes;
    private bool _isFlushing;

    /// <param name="open">Opens the session to write with, first and after a failure; its busy_timeout is short.</param>
    /// <param name="lockTimeout">How long to wait for other processes.</param>
    /// <param name="isThreaded">False: every write is done at once by its caller.</param>
    public SqliteWriter(Func<SqliteSession> open, TimeSpan lockTimeout, bool isThreaded)
    {
        _open = open;
        _lockTimeout = lockTimeout;
        if (isThreaded)
        {
            _thread = new Thread(CommitWhatComes) { IsBackground = true, Name = "SQLite writer" };
            _thread.Start();
        }
    }

    /// <summary>How many transactions were committed.</summary>
    public long Commits => Volatile.Read(ref _commits);

    /// <summary>How many of them were flushed to the disk.</summary>
    public long Flushes => Volatile.Read(ref _flushes);

    /// <summary>Whether a group is being committed.</summary>
    public bool IsWriting => _isWriting;

    /// <summary>Does a write; when the task completes, it is committed.</summary>
    /// <param name="write">Runs in a transaction; maybe again, when that had to be rolled back.</param>
    /// <param name="isFlushed">Whether it is durable then; otherwise it may wait for the next flush.</param>
    public PendingWrite<T> Begin<T>(Func<SqliteSession, T> write, bool isFlushed)
    {
        var pending = new PendingWrite<T>(write, isFlushed);
        if (_thread is null ? _committing.TryEnter(Timeout.Infinite) : !isFlushed && _committing.TryEnter())
        {
            try
            {
                ObjectDisposedException.ThrowIf(_isClosed, this);
                Commit([pending]);
            }
            finally
            {
                _committing.Exit();
            }

            return pending;
        }

        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            _waiting.Enqueue(pending);
            if (_waiting.Count == 1)
            {
                Monitor.Pulse(_gate);
            }
        }

        return pending;
    }

    /// <summary>Finishes what waits, then ends.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
            Monitor.Pulse(_gate);
        }

        _thread?.Join();
        lock (_committing)
        {
            _session?.Dispose();
            _session = null;
        }
    }

    private void CommitWhatComes()
    {
        var group = new List<PendingWrite>(MaxGroup);
        while (true)
        {
            lock (_gate)
            {
                while (_waiting.Count == 0)
                {
                    if (_isClosed)
                    {
                        return;
                    }

                    Monitor.Wait(_gate);
                }

                while (group.Count < MaxGroup && _waiting.TryDequeue(out var pending))
                {
                    group.Add(pending);
                }
            }

            // Nobody waits for the outcome any more: what was not begun is not done.
            group.RemoveAll(write => write.IsAbandoned);
            _isWriting = true;
            if (group.Count > 0)
            {
                lock (_committing)
                {
                    Commit(group);
                }

                group.Clear();
            }

            _isWriting = false;
        }
    }

    private void Commit(List<PendingWrite> group)
    {
        if (TryCommit(group) is not { } failure)
        {
            return;
        }

        if (group.Count > 1 && failure is SqliteException { SqliteErrorCode: raw.SQLITE_FULL or raw.SQLITE_TOOBIG or raw.SQLITE_NOMEM })
        {
            // One that needs more room than there is must not fail those that need less, or make some.
            foreach (var write in group)
            {
                if (TryCommit([write]) is { } own)
                {
                    write.Fail(own);
                }
            }

            return;
        }

        group.ForEach(write => write.Fail(failure));
    }

    /// <returns>Why nothing of the group was done; null: each write has its outcome.</returns>
    private Exception? TryCommit(List<PendingWrite> group)
    {
        try
        {
            if (_session is null)
            {
                _session = _open();
                _isFlushing = true;
            }

            if (_wasFull)
            {
                _wasFull = !TryEmptyLog(_session);
            }

            Flush(_session, group.Exists(write => write.IsFlushed));
            BeginTransaction(_session);
            foreach (var write in group)
            {
                Do(write, _session);
            }

            _session.Run("COMMIT");
            Interlocked.Increment(ref _commits);
            if (_isFlushing)
            {
                Interlocked.Increment(ref _flushes);
            }
        }
        catch (Exception e)
        {
            Abort(e);
            return e;
        }

        group.ForEach(write => write.Complete());
        return null;
    }

    // With NORMAL a commit is written and not flushed; the next one with FULL flushes it too, because both are in one log.
    private void Flush(SqliteSession session, bool isFlushed)
    {
        if (_isFlushing != isFlushed)
        {
            session.RunScript(isFlushed ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
            _isFlushing = isFlushed;
        }
    }

    // Space that was made must go to the file before the log takes it: then the log's own room is free, and all goes on.
    private static bool TryEmptyLog(SqliteSession session)
    {
        try
        {
            using var checkpoint = session.Kept("PRAGMA wal_checkpoint(TRUNCATE)");
            return checkpoint.Step() && checkpoint.Number(0) == 0;
        }
        catch (SqliteException e) when (e.SqliteErrorCode is raw.SQLITE_FULL or raw.SQLITE_BUSY)
        {
            return false;
        }
    }

    private static void Do(PendingWrite write, SqliteSession session)
    {
        session.Run("SAVEPOINT one");
        try
        {
            write.Do(session);
        }
        catch (Exception e) when (session.IsInTransaction && e is not SqliteException { SqliteErrorCode: raw.SQLITE_CORRUPT or raw.SQLITE_IOERR })
        {
            session.Run("ROLLBACK TO one");
            write.Refuse(e);
        }

        session.Run("RELEASE one");
    }

    // A loop over a short busy_timeout: SQLite's own waits of up to 100 ms would hardly ever meet a gap between another process's groups.
    private void BeginTransaction(SqliteSession session)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                session.Run("BEGIN IMMEDIATE");
                return;
            }
            catch (SqliteException e) when (e.SqliteErrorCode == raw.SQLITE_BUSY && Stopwatch.GetElapsedTime(started) < _lockTimeout)
            {
                // SQLite has waited already.
            }
        }
    }

    private void Abort(Exception failure)
    {
        _wasFull |= failure is SqliteException { SqliteErrorCode: raw.SQLITE_FULL };
        try
        {
            if (_session is { IsInTransaction: true })
            {
                _session.Run("ROLLBACK");
            }
        }
        catch (SqliteException)
        {
            failure = new InvalidOperationException("Not rolled back.");
        }

        // What is open may be why it failed: another file may be in its place by now. A session in memory is all there is.
        if (_thread is not null && failure is not SqliteException { SqliteErrorCode: raw.SQLITE_FULL or raw.SQLITE_BUSY })
        {
            _session?.Dispose();
            _session = null;
        }
    }
}

/// <summary>A write that waits for its transaction.</summary>
internal abstract class PendingWrite(bool isFlushed)
{
    private volatile bool _isAbandoned;

    /// <summary>Whether it must be durable when it completes.</summary>
    public bool IsFlushed => isFlushed;

    /// <summary>Whether nobody waits for it.</summary>
    public bool IsAbandoned => _isAbandoned;

    /// <summary>Keeps it from being begun.</summary>
    public void Abandon() => _isAbandoned = true;

    /// <summary>Does it, inside the transaction.</summary>
    public abstract void Do(SqliteSession session);

    /// <summary>Notes that it alone failed.</summary>
    public abstract void Refuse(Exception failure);

    /// <summary>The transaction is committed.</summary>
    public abstract void Complete();

    /// <summary>The transaction came to nothing.</summary>
    public abstract void Fail(Exception failure);
}

/// <inheritdoc cref="PendingWrite"/>
internal sealed class PendingWrite<T>(Func<SqliteSession, T> write, bool isFlushed) : PendingWrite(isFlushed)
{
    private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Exception? _refusal;
    private T? _result;

    /// <summary>Completes when it is committed.</summary>
    public Task<T> Completion => _completion.Task;

    public override void Do(SqliteSession session)
    {
        _refusal = null;
        _result = write(session);
    }

    public override void Refuse(Exception failure) => _refusal = failure;

    public override void Complete()
    {
        if (_refusal is null)
        {
            _completion.SetResult(_result!);
        }
        else
        {
            _completion.SetException(_refusal);
        }
    }

    public override void Fail(Exception failure) => _completion.SetException(failure);
}
