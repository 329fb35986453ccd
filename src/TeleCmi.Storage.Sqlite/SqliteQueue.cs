using System.Globalization;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Storage.Sqlite;

/// <summary>A queue of an embedded store.</summary>
internal sealed class SqliteQueue(string name, SqliteStore store, TimeProvider clock) : IMessageQueue, IMessageSignal
{
    // Those whose time has come (they were sent before) go before those that never had to wait; both from the index, in order.
    private const string Visible =
        """
        SELECT Id FROM (SELECT Id FROM Messages WHERE Queue = ?1 AND VisibleAt > 0 AND VisibleAt <= ?2 ORDER BY VisibleAt, Id LIMIT ?3)
        UNION ALL
        SELECT Id FROM (SELECT Id FROM Messages WHERE Queue = ?1 AND VisibleAt = 0 ORDER BY Id LIMIT ?3)
        LIMIT ?3
        """;

    private const string InsertSql = "INSERT INTO Messages (Queue, VisibleAt, InsertedOn) VALUES (?1, ?2, ?3)";
    private const string InsertBodySql = "INSERT INTO MessageBodies (Id, Body) VALUES (?1, ?2)";
    private const string ReceiveSql =
        $"UPDATE Messages SET VisibleAt = ?4, DequeueCount = DequeueCount + 1, Receipt = random() WHERE Id IN ({Visible}) RETURNING Id, Receipt, InsertedOn, DequeueCount";

    private const string BodySql = "SELECT Body FROM MessageBodies WHERE Id = ?1";
    private const string ExtendSql = "UPDATE Messages SET VisibleAt = ?4, Receipt = random() WHERE Id = ?1 AND Receipt = ?2 AND VisibleAt > ?3 RETURNING Receipt";
    private const string DeleteSql = "DELETE FROM Messages WHERE Id = ?1 AND Receipt = ?2 AND VisibleAt > ?3";
    private const string DeleteBodySql = "DELETE FROM MessageBodies WHERE Id = ?1";
    private const string PeekSql = $"SELECT Id, InsertedOn, DequeueCount FROM Messages WHERE Id IN ({Visible}) ORDER BY Id";
    private const string CountSql = "SELECT count(*) FROM Messages WHERE Queue = ?1";
    private const string NextSql = "SELECT VisibleAt FROM Messages WHERE Queue = ?1 ORDER BY VisibleAt LIMIT 1";

    private static readonly TimeSpan MaxWait = TimeSpan.FromDays(1);

    private TaskCompletionSource? _change;

    public string Name => name;

    public async Task SendAsync(ReadOnlyMemory<byte> body, TimeSpan delay, CancellationToken cancellation)
    {
        if (body.Length > IMessageQueue.MaxMessageBytes)
        {
            throw new StorageException($"A message of {body.Length} bytes is too large for the queue '{name}': it takes {IMessageQueue.MaxMessageBytes} at most.");
        }

        // The writer may still read it when the caller, cancelled, reuses its memory.
        var bytes = body.ToArray();
        var now = clock.GetUtcNow();
        await store.WriteAsync(
            session =>
            {
                using var insert = session.Kept(InsertSql);
                insert.Bind(1, name).Bind(2, VisibleAt(now, delay)).Bind(3, now.Ticks).Step();
                using var insertBody = session.Kept(InsertBodySql);
                return insertBody.Bind(1, session.LastRowId).Bind(2, (ReadOnlySpan<byte>)bytes).Step();
            },
            cancellation);
        TellWaiting();
    }

    public Task<IReadOnlyList<ReceivedMessage>> ReceiveAsync(int count, TimeSpan visibilityTimeout, CancellationToken cancellation)
    {
        CheckCount(count);
        ArgumentOutOfRangeException.ThrowIfLessThan(visibilityTimeout, TimeSpan.FromSeconds(1));

        // A take that a power failure undoes leaves the message where it was.
        return store.WriteUnflushedAsync<IReadOnlyList<ReceivedMessage>>(
            session =>
            {
                // Counted from when it is done, not from when it was asked for.
                var now = clock.GetUtcNow();
                using var receive = session.Kept(ReceiveSql);
                receive.Bind(1, name).Bind(2, now.Ticks).Bind(3, (long)count).Bind(4, VisibleAt(now, visibilityTimeout));
                var messages = new List<(long Id, ReceivedMessage Message)>(count);
                while (receive.Step())
                {
                    var id = receive.Number(0);
                    messages.Add((id, new ReceivedMessage(
                        Text(id), Text(receive.Number(1)), Body(session, id), new DateTimeOffset(receive.Number(2), TimeSpan.Zero), receive.Number(3))));
                }

                return [.. messages.OrderBy(received => received.Id).Select(received => received.Message)];
            },
            cancellation);
    }

    public async Task<ReceivedMessage?> ExtendAsync(ReceivedMessage message, TimeSpan visibilityTimeout, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(visibilityTimeout, TimeSpan.Zero);
        if (Receipt(message) is not var (id, receipt))
        {
            return null;
        }

        var extended = await store.WriteUnflushedAsync(
            session =>
            {
                var now = clock.GetUtcNow();
                using var extend = session.Kept(ExtendSql);
                extend.Bind(1, id).Bind(2, receipt).Bind(3, now.Ticks).Bind(4, VisibleAt(now, visibilityTimeout));
                return extend.Step() ? message with { Receipt = Text(extend.Number(0)) } : null;
            },
            cancellation);
        if (extended is not null)
        {
            TellWaiting();
        }

        return extended;
    }

    public Task<bool> DeleteAsync(ReceivedMessage message, CancellationToken cancellation) =>
        Receipt(message) is not var (id, receipt) ? Task.FromResult(false) : store.WriteAsync(
            session =>
            {
                using var delete = session.Kept(DeleteSql);
                delete.Bind(1, id).Bind(2, receipt).Bind(3, clock.GetUtcNow().Ticks).Step();
                if (session.Changes == 0)
                {
                    return false;
                }

                using var deleteBody = session.Kept(DeleteBodySql);
                deleteBody.Bind(1, id).Step();
                return true;
            },
            cancellation);

    public Task<IReadOnlyList<PeekedMessage>> PeekAsync(int count, CancellationToken cancellation)
    {
        CheckCount(count);
        return store.ReadAsync<IReadOnlyList<PeekedMessage>>(
            session =>
            {
                using var peek = session.Kept(PeekSql);
                peek.Bind(1, name).Bind(2, clock.GetUtcNow().Ticks).Bind(3, (long)count);
                var messages = new List<PeekedMessage>(count);
                while (peek.Step())
                {
                    messages.Add(new PeekedMessage(Body(session, peek.Number(0)), new DateTimeOffset(peek.Number(1), TimeSpan.Zero), peek.Number(2)));
                }

                return messages;
            },
            cancellation);
    }

    public Task<int> CountAsync(CancellationToken cancellation) => store.ReadAsync(
        session =>
        {
            using var count = session.Kept(CountSql);
            return count.Bind(1, name).Step() ? (int)count.Number(0) : 0;
        },
        cancellation);

    public async Task<bool> WaitForMessageAsync(TimeSpan timeout, CancellationToken cancellation)
    {
        var started = clock.GetTimestamp();
        while (true)
        {
            // Before the queue is read, so that no change is missed in between.
            var change = Change();
            var next = await store.ReadAsync(NextVisibleAt, cancellation);
            var due = next is { } ticks ? TimeSpan.FromTicks(Math.Max(0, ticks - clock.GetUtcNow().Ticks)) : TimeSpan.MaxValue;
            if (due == TimeSpan.Zero)
            {
                return true;
            }

            var left = timeout - clock.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
            {
                return false;
            }

            var wait = due < left ? due : left;
            await change.WaitAsync(wait < MaxWait ? wait : MaxWait, clock, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    private static void CheckCount(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, IMessageQueue.MaxBatch);
    }

    // 0: at once, whatever the clock says later.
    private static long VisibleAt(DateTimeOffset now, TimeSpan delay) => delay > TimeSpan.Zero ? now.Ticks + delay.Ticks : 0;

    private static string Text(long number) => number.ToString("x", CultureInfo.InvariantCulture);

    private static (long Id, long Receipt)? Receipt(ReceivedMessage message) =>
        long.TryParse(message.Id, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id)
        && long.TryParse(message.Receipt, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var receipt) ? (id, receipt) : null;

    private static byte[] Body(SqliteSession session, long id)
    {
        using var body = session.Kept(BodySql);
        return body.Bind(1, id).Step() ? body.Bytes(0).ToArray() : throw new InvalidDataException($"The body of message {Text(id)} is missing.");
    }

    private long? NextVisibleAt(SqliteSession session)
    {
        using var next = session.Kept(NextSql);
        return next.Bind(1, name).Step() ? next.Number(0) : null;
    }

    private Task Change()
    {
        var change = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return (Interlocked.CompareExchange(ref _change, change, null) ?? change).Task;
    }

    private void TellWaiting()
    {
        if (Volatile.Read(ref _change) is not null)
        {
            Interlocked.Exchange(ref _change, null)?.TrySetResult();
        }
    }
}
