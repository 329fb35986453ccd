using System.Collections.Concurrent;

namespace TeleCmi.Storage.Sqlite;

/// <summary>A few connections that read beside the writer, each what was committed when its read began.</summary>
internal sealed class SqliteReaders(Func<SqliteSession> open) : IDisposable
{
    private const int Connections = 4;

    private readonly ConcurrentBag<SqliteSession> _idle = [];
    private readonly SemaphoreSlim _free = new(Connections);
    private volatile bool _isClosed;

    /// <summary>Reads on a thread of the pool; the token ends the statement that runs.</summary>
    public async Task<T> ReadAsync<T>(Func<SqliteSession, T> read, CancellationToken cancellation)
    {
        await _free.WaitAsync(cancellation);
        try
        {
            return await Task.Run(() => Read(read, cancellation), cancellation);
        }
        finally
        {
            _free.Release();
        }
    }

    /// <summary>Closes the connections that nobody uses; the others close when their read ends.</summary>
    public void Dispose()
    {
        _isClosed = true;
        while (_idle.TryTake(out var session))
        {
            session.Dispose();
        }
    }

    private T Read<T>(Func<SqliteSession, T> read, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        var session = _idle.TryTake(out var idle) ? idle : open();
        try
        {
            T result;
            using (cancellation.UnsafeRegister(static state => ((SqliteSession)state!).Interrupt(), session))
            {
                result = read(session);
            }

            _idle.Add(session);
            session = null;
            return result;
        }
        catch (Exception) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
        finally
        {
            session?.Dispose();
            if (_isClosed)
            {
                Dispose();
            }
        }
    }
}
