using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Sqlite;
using TeleCmi.TestSupport;

namespace TeleCmi.Storage.Tests;

/// <summary>What only an embedded store has to survive.</summary>
public sealed class SqliteStoreTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(15);

    private readonly TemporaryFolder _folder = new();

    private string File => Path.Combine(_folder.Path, "data", "telecmi.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ConcurrentWrites_ShareOneCommit()
    {
        await using var store = new SqliteStore(File, TimeProvider.System);
        await store.CheckAsync(default);
        var before = store.Commits;
        var sends = await WhileLockedAsync(() => Enumerable.Range(0, 200).Select(number => SendAsync(store, Text(number))).ToArray());
        await Task.WhenAll(sends);

        // The first may have been alone when the lock was met.
        (store.Commits - before).ShouldBeInRange(1, 2);
        (await store.Queue("q").CountAsync(default)).ShouldBe(200);
    }

    [Fact]
    public async Task FailingWrite_LeavesItsNeighboursAlone()
    {
        await using var store = new SqliteStore(File, TimeProvider.System);
        await store.CheckAsync(default);
        var writes = await WhileLockedAsync(() => (Task[])
        [
            SendAsync(store, "before"),
            store.WriteAsync(Half, default),
            SendAsync(store, "after"),
        ]);

        await writes[0];
        await Should.ThrowAsync<StorageException>(writes[1]);
        await writes[2];
        (await DrainAsync(store)).ShouldBe(["before", "after"]);

        static bool Half(SqliteSession session)
        {
            session.Run("INSERT INTO Messages (Queue, VisibleAt, InsertedOn) VALUES ('q', 0, 0)");
            session.Run("INSERT INTO MessageBodies (Id, Body) VALUES (last_insert_rowid(), NULL)");
            return true;
        }
    }

    [Fact]
    public async Task EveryConnection_FlushesBeforeItAcknowledges()
    {
        await using var store = new SqliteStore(File, TimeProvider.System);
        (await store.WriteAsync(session => session.Number("PRAGMA synchronous"), default)).ShouldBe(2);
        (await store.WriteAsync(session => session.Number("PRAGMA fullfsync"), default)).ShouldBe(1);
        (await store.ReadAsync(session => session.Number("PRAGMA synchronous"), default)).ShouldBe(2);
        System.IO.File.Exists($"{File}-wal").ShouldBeTrue();
    }

    [Fact]
    public async Task KeptStatement_IsPreparedOnce_WhateverItsValues()
    {
        await using var store = new SqliteStore(File, TimeProvider.System);
        foreach (var most in new[] { 1L, 16L, 32L })
        {
            (await store.WriteAsync(session => Repreparations(session, most), default)).ShouldBe(0);
            (await store.ReadAsync(session => Repreparations(session, most), default)).ShouldBe(0);
        }

        static int Repreparations(SqliteSession session, long most)
        {
            using var select = session.Kept("SELECT Id FROM Messages WHERE Queue = 'q' ORDER BY VisibleAt LIMIT ?1");
            select.Bind(1, most).Step();
            return select.Repreparations;
        }
    }

    [Fact]
    public async Task TakesAndClaims_LeaveTheFlushToWhatEndsTheWork()
    {
        await using var store = new SqliteStore(File, TimeProvider.System);
        var (queue, table) = (store.Queue("q"), store.Table("t"));
        var row = new TableRow(new RowKey("p", "r")) { ["a"] = "b" };
        var message = default(ReceivedMessage);

        (await FlushesOfAsync(() => SendAsync(store, "a"))).ShouldBe(1);
        (await FlushesOfAsync(async () => message = (await queue.ReceiveAsync(1, Long, default)).ShouldHaveSingleItem())).ShouldBe(0);
        (await FlushesOfAsync(async () => (await table.TryClaimAsync(row, default)).ShouldNotBeNull())).ShouldBe(0);
        (await FlushesOfAsync(async () => message = await queue.ExtendAsync(message!, Long, default))).ShouldBe(0);
        (await FlushesOfAsync(async () => (await table.MergeAsync(row, version: null, default)).ShouldBe(WriteOutcome.Written))).ShouldBe(1);
        (await FlushesOfAsync(async () => (await queue.DeleteAsync(message!, default)).ShouldBeTrue())).ShouldBe(1);
        (await FlushesOfAsync(async () => (await table.TryInsertAsync(new TableRow(new RowKey("p", "s")), default)).ShouldNotBeNull())).ShouldBe(1);

        async Task<long> FlushesOfAsync(Func<Task> write)
        {
            var (flushes, commits) = (store.Flushes, store.Commits);
            await write();
            (store.Commits - commits).ShouldBe(1);
            return store.Flushes - flushes;
        }
    }

    [Fact]
    public async Task PowerFailure_LosesNoClaimWhoseMessageIsDeleted()
    {
        const int FrameBytes = 4096 + 24;
        await using var store = new SqliteStore(File, TimeProvider.System);
        var (queue, table) = (store.Queue("q"), store.Table("t"));
        var key = new RowKey("p", "r");
        await SendAsync(store, "a");
        var flushed = new FileInfo($"{File}-wal").Length;
        var message = (await queue.ReceiveAsync(1, Long, default)).ShouldHaveSingleItem();
        await table.TryClaimAsync(new TableRow(key), default);
        await queue.DeleteAsync(message, default);

        // A disk keeps what was flushed, and of the rest of the log as much as it came to.
        var log = await ReadSharedAsync($"{File}-wal");
        var ends = new List<(bool IsClaimed, int Messages)>();
        for (var length = flushed; length <= log.Length; length += FrameBytes)
        {
            var copy = Path.Combine(_folder.Path, $"{length}", "telecmi.db");
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            await System.IO.File.WriteAllBytesAsync(copy, await ReadSharedAsync(File));
            await System.IO.File.WriteAllBytesAsync($"{copy}-wal", log[..(int)length]);
            await using var after = new SqliteStore(copy, TimeProvider.System);
            ends.Add((await after.Table("t").FindAsync(key, columns: null, default) is not null, await after.Queue("q").CountAsync(default)));
        }

        ends[0].ShouldBe((false, 1));
        ends[^1].ShouldBe((true, 0));
        ends.ShouldContain((true, 1));
        ends.ShouldNotContain((false, 0));

        static async Task<byte[]> ReadSharedAsync(string file)
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[stream.Length];
            await stream.ReadExactlyAsync(bytes);
            return bytes;
        }
    }

    [Fact]
    public async Task FileAndFolder_AreTheirOwnersAlone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such modes.");
        await using (var store = new SqliteStore(File, TimeProvider.System))
        {
            await SendAsync(store, "a");
            await store.Queue("q").CountAsync(default);
            ModeOf(Path.GetDirectoryName(File)!).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            foreach (var end in new[] { "", "-wal", "-shm" })
            {
                ModeOf(File + end).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }
        }

        // A copy that came back with the mode of other files.
        SetMode(File, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        await using var again = new SqliteStore(File, TimeProvider.System);
        await SendAsync(again, "b");
        ModeOf(File).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task TwoStores_ShareTheWorkOfOneFileWithoutDoublingIt()
    {
        const int Each = 500;
        await using var one = new SqliteStore(File, TimeProvider.System);
        await using var two = new SqliteStore(File, TimeProvider.System);
        await Task.WhenAll(
            Task.WhenAll(Enumerable.Range(0, Each).Select(number => SendAsync(one, Text(number)))),
            Task.WhenAll(Enumerable.Range(Each, Each).Select(number => SendAsync(two, Text(number)))));

        var got = await Task.WhenAll(DrainAsync(one, 8), DrainAsync(two, 8));
        got[0].Concat(got[1]).Order(StringComparer.Ordinal).ShouldBe(Enumerable.Range(0, 2 * Each).Select(Text).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task TwoProcesses_ShareTheWorkOfOneFileWithoutDoublingIt()
    {
        const int Messages = 1000;
        await using var store = new SqliteStore(File, TimeProvider.System);
        await Task.WhenAll(Enumerable.Range(0, Messages).Select(number => SendAsync(store, Text(number))));
        using var other = StartHost("drain", File, "q");
        var theirs = other.StandardOutput.ReadToEndAsync();
        var mine = await DrainAsync(store, 8);
        await other.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        mine.Concat(Lines(await theirs)).Order(StringComparer.Ordinal).ShouldBe(Enumerable.Range(0, Messages).Select(Text).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task KilledProcess_KeepsEverythingThatItAcknowledged()
    {
        var acknowledged = new HashSet<string>(StringComparer.Ordinal);
        for (var kill = 0; kill < 3; kill++)
        {
            var queue = $"q{kill}";
            using var host = StartHost("send", File, queue);
            var lines = new List<string>();
            while (lines.Count < 300 && await host.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)) is { } line)
            {
                lines.Add(line);
            }

            host.Kill();
            lines.AddRange(Lines(await host.StandardOutput.ReadToEndAsync()));
            lines.Count.ShouldBeGreaterThanOrEqualTo(300);
            await host.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));

            await using var store = new SqliteStore(File, TimeProvider.System);
            acknowledged.UnionWith(lines);
            var kept = await DrainAsync(store, queue: queue);
            kept.ShouldBeUnique();
            kept.Intersect(lines, StringComparer.Ordinal).Count().ShouldBe(lines.Count);
            (await store.Table("Sent").RowsAsync(new TableQuery(), default).Select(row => row.Key.Row).ToListAsync()).Intersect(acknowledged, StringComparer.Ordinal).Count().ShouldBe(acknowledged.Count);
            (await store.ReadAsync(session => session.Number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), default)).ShouldBe(1);
        }
    }

    [Fact]
    public async Task FullDisk_RefusesInASentenceLosesNothingAndWorksAgain()
    {
        await using var store = new SqliteStore(File, TimeProvider.System, SqliteSchema.Current, LockTimeout, maxPages: 100);
        var sent = new List<string>();
        var body = new byte[IMessageQueue.MaxMessageBytes];
        await store.CheckAsync(default);
        StorageException? refusal = null;
        while (refusal is null)
        {
            try
            {
                await store.Queue("q").SendAsync(body, TimeSpan.Zero, default);
                sent.Add("");
            }
            catch (StorageException e)
            {
                refusal = e;
            }
        }

        refusal.Message.ShouldBe($"The store '{File}' cannot grow because the disk is full: free some space. Everything acknowledged is still there.");
        (await Should.ThrowAsync<StorageException>(() => store.CheckAsync(default))).Message.ShouldBe(refusal.Message);
        sent.Count.ShouldBeGreaterThan(2);
        (await store.Queue("q").CountAsync(default)).ShouldBe(sent.Count);

        // One that still fits, and one that makes room, are not refused with those that do not fit.
        var received = (await store.Queue("q").ReceiveAsync(1, Long, default)).ShouldHaveSingleItem();
        var group = await WhileLockedAsync(() => (Task[])
        [
            store.Queue("q").SendAsync(body, TimeSpan.Zero, default),
            SendAsync(store, "small"),
            store.Queue("q").DeleteAsync(received, default),
        ]);
        await Should.ThrowAsync<StorageException>(group[0]);
        await Task.WhenAll(group[1..]);
        await store.Queue("q").SendAsync(body, TimeSpan.Zero, default);
        (await DrainAsync(store)).Count.ShouldBe(sent.Count + 1);
        await store.CheckAsync(default);
    }

    [Theory]
    [InlineData("This is a letter, and no store, and long enough to have what looks like a header: 0123456789 0123456789 0123456789.")]
    [InlineData(null)]
    public async Task FileThatIsNotOurs_IsNamedAndStaysAsItIs(string? text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        if (text is not null)
        {
            await System.IO.File.WriteAllTextAsync(File, text);
        }
        else
        {
            await RunSqlAsync("CREATE TABLE Contacts (Name TEXT); INSERT INTO Contacts VALUES ('somebody')");
        }

        var before = await System.IO.File.ReadAllBytesAsync(File);
        await RefusesAsync(File, $"The file '{File}' is not a TeleCmi store and stays untouched: name another file, or move it away.");
        (await System.IO.File.ReadAllBytesAsync(File)).ShouldBe(before);
        System.IO.File.Exists($"{File}-wal").ShouldBeFalse();
    }

    [Fact]
    public async Task DamagedFile_IsNamedAndNotReplaced()
    {
        await using (var store = new SqliteStore(File, TimeProvider.System))
        {
            await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => store.Queue("q").SendAsync(new byte[3000], TimeSpan.Zero, default)));
        }

        var length = new FileInfo(File).Length;
        await using (var damage = new FileStream(File, FileMode.Open))
        {
            damage.Position = 4096;
            damage.Write(Enumerable.Repeat((byte)0xA5, (int)length - 4096).ToArray());
        }

        await using var damaged = new SqliteStore(File, TimeProvider.System);
        var sentence = $"The store '{File}' is damaged: put a backup in its place, or move it away to begin with an empty one.";
        (await Should.ThrowAsync<StorageException>(() => SendAsync(damaged, "a"))).Message.ShouldBe(sentence);
        (await Should.ThrowAsync<StorageException>(() => damaged.Queue("q").CountAsync(default))).Message.ShouldBe(sentence);
        new FileInfo(File).Length.ShouldBe(length);
    }

    [Fact]
    public async Task FileThatCannotBeWritten_IsNamed()
    {
        await using (var store = new SqliteStore(File, TimeProvider.System))
        {
            await SendAsync(store, "a");
        }

        using var readOnly = await ReadOnlyFile.MakeAsync(File);
        Assert.SkipWhen(readOnly is null, "This user may write every file.");
        await RefusesAsync(File, $"The store '{File}' cannot be written: let the user that runs this program write the file and its folder, and check that the path names a file on a disk that is not read-only.");
    }

    [Fact]
    public async Task PathThatIsAFolder_IsNamed()
    {
        Directory.CreateDirectory(File);
        await RefusesAsync(File, $"The store '{File}' cannot be written: let the user that runs this program write the file and its folder, and check that the path names a file on a disk that is not read-only.");
    }

    [Fact]
    public async Task LogWithoutItsFile_IsNotTakenForAnEmptyStore()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        await System.IO.File.WriteAllTextAsync($"{File}-wal", "messages");
        (await Should.ThrowAsync<StorageException>(() => UseAsync(File))).Message.ShouldContain($"'{File}-wal'");
        System.IO.File.Exists(File).ShouldBeFalse();
    }

    [Fact]
    public async Task FileThatGoesAwayInUse_IsSeenByTheCheck()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows keeps an open file from being moved.");
        await using var store = new SqliteStore(File, TimeProvider.System);
        await store.CheckAsync(default);
        System.IO.File.Move(File, $"{File}.moved");
        (await Should.ThrowAsync<StorageException>(() => store.CheckAsync(default))).Message.ShouldStartWith($"The store '{File}' was moved or deleted");
    }

    [Fact]
    public async Task StoreOfAnOlderVersion_IsUpgradedOnceWithAllThatItHas()
    {
        await using (var old = new SqliteStore(File, TimeProvider.System))
        {
            await SendAsync(old, "kept");
            await old.Table("T").UpsertAsync(new TableRow(new RowKey("p", "r")) { ["Kind"] = "kept" }, default);
        }

        var schema = new SqliteSchema([.. SqliteSchema.Current.Migrations, "CREATE TABLE Once (Id INTEGER); INSERT INTO Once VALUES (1)"]);
        await using var one = new SqliteStore(File, TimeProvider.System, schema, LockTimeout);
        await using var two = new SqliteStore(File, TimeProvider.System, schema, LockTimeout);
        await Task.WhenAll(SendAsync(one, "new"), SendAsync(two, "new"));
        (await one.ReadAsync(session => session.Number("SELECT count(*) FROM Once"), default)).ShouldBe(1);
        (await one.ReadAsync(session => session.Number("PRAGMA user_version"), default)).ShouldBe(schema.Migrations.Count);
        (await DrainAsync(one)).ShouldBe(["kept", "new", "new"]);
        (await one.Table("T").FindAsync(new RowKey("p", "r"), null, default)).ShouldNotBeNull().Text("Kind").ShouldBe("kept");
    }

    [Fact]
    public async Task UpgradeThatFails_LeavesTheOldVersion()
    {
        await using (var old = new SqliteStore(File, TimeProvider.System))
        {
            await SendAsync(old, "kept");
        }

        var broken = new SqliteSchema([.. SqliteSchema.Current.Migrations, "DROP TABLE Messages; CREATE TABLE Broken ("]);
        await using (var store = new SqliteStore(File, TimeProvider.System, broken, LockTimeout))
        {
            await Should.ThrowAsync<StorageException>(() => SendAsync(store, "new"));
        }

        await using var again = new SqliteStore(File, TimeProvider.System);
        (await DrainAsync(again)).ShouldBe(["kept"]);
    }

    [Fact]
    public async Task StoreOfANewerVersion_IsNamedAndStaysAsItIs()
    {
        var known = SqliteSchema.Current.Migrations.Count;
        await using (var newer = new SqliteStore(File, TimeProvider.System, new SqliteSchema([.. SqliteSchema.Current.Migrations, "SELECT 1"]), LockTimeout))
        {
            await SendAsync(newer, "kept");
        }

        var before = await System.IO.File.ReadAllBytesAsync(File);
        await RefusesAsync(File, $"The store '{File}' has version {known + 1}, and this program knows versions up to {known}: use a newer TeleCmi, or name another file.");
        (await System.IO.File.ReadAllBytesAsync(File)).ShouldBe(before);
    }

    [Fact]
    public async Task LockedFile_IsNamedAndWorksAgainWhenItIsFree()
    {
        await using var store = new SqliteStore(File, TimeProvider.System, SqliteSchema.Current, TimeSpan.FromMilliseconds(200));
        await SendAsync(store, "a");
        await WhileLockedAsync(async () =>
            (await Should.ThrowAsync<StorageException>(() => SendAsync(store, "b"))).Message.ShouldStartWith($"The store '{File}' was locked for too long"));
        await SendAsync(store, "c");
        (await DrainAsync(store)).ShouldBe(["a", "c"]);
    }

    [Fact]
    public async Task AbandonedWrite_IsNotDoneLater()
    {
        await using var store = new SqliteStore(File, TimeProvider.System);
        await store.CheckAsync(default);
        using var cancellation = new CancellationTokenSource();
        Task? first = null;
        await WhileLockedAsync(async () =>
        {
            // What the writer has begun with; the other waits behind it.
            first = SendAsync(store, "first");
            await Eventually.HoldsAsync(() => Task.FromResult(store.IsWriting));
            var second = store.Queue("q").SendAsync("second"u8.ToArray(), TimeSpan.Zero, cancellation.Token);
            await cancellation.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(second);
        });
        await first!;
        (await DrainAsync(store)).ShouldBe(["first"]);
    }

    [Fact]
    public async Task ClosedStore_SaysSo()
    {
        var store = new SqliteStore(File, TimeProvider.System);
        var sends = Enumerable.Range(0, 50).Select(number => SendAsync(store, Text(number))).ToArray();
        await store.DisposeAsync();
        await Task.WhenAll(sends);
        (await Should.ThrowAsync<StorageException>(() => SendAsync(store, "a"))).Message.ShouldBe($"The store '{File}' is closed.");
        (await Should.ThrowAsync<StorageException>(() => store.Queue("q").CountAsync(default))).Message.ShouldBe($"The store '{File}' is closed.");

        // All of it is in the one file, so that copying that file is enough.
        System.IO.File.Exists($"{File}-wal").ShouldBeFalse();
        await using var again = new SqliteStore(File, TimeProvider.System);
        (await again.Queue("q").CountAsync(default)).ShouldBe(50);
    }

    [Fact]
    public async Task Backup_WhileOthersWriteIsAStoreOfItsOwn()
    {
        var backup = Path.Combine(_folder.Path, "backup.db");
        await using var store = new SqliteStore(File, TimeProvider.System);
        await Task.WhenAll(Enumerable.Range(0, 300).Select(number => WriteBothAsync(number)));

        using var stop = new CancellationTokenSource();
        var next = 300;
        var writers = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await WriteBothAsync(Interlocked.Increment(ref next));
            }
        })).ToArray();
        await store.BackupAsync(backup, overwrite: false, default);
        await stop.CancelAsync();
        await Task.WhenAll(writers);

        await using (var copy = new SqliteStore(backup, TimeProvider.System))
        {
            var rows = await copy.Table("T").RowsAsync(new TableQuery(), default).Select(row => row.Key.Row).ToListAsync();
            rows.Take(300).ShouldBe(Enumerable.Range(0, 300).Select(number => $"{number:D9}"));
            (await copy.Queue("q").CountAsync(default)).ShouldBeInRange(300, rows.Count);
        }

        // At rest, it is the same set.
        await Should.ThrowAsync<StorageException>(() => store.BackupAsync(backup, overwrite: false, default));
        await store.BackupAsync(backup, overwrite: true, default);
        await using var same = new SqliteStore(backup, TimeProvider.System);
        (await ContentAsync(same)).ShouldBe(await ContentAsync(store));
        Directory.GetFiles(_folder.Path, "*.tmp").ShouldBeEmpty();
        if (!OperatingSystem.IsWindows())
        {
            ModeOf(backup).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        async Task WriteBothAsync(int number)
        {
            await store.Table("T").UpsertAsync(new TableRow(new RowKey("p", $"{number:D9}")) { ["Number"] = number, ["Event"] = new string('x', 400) }, default);
            await SendAsync(store, Text(number));
        }

        static async Task<string> ContentAsync(SqliteStore store)
        {
            var rows = await store.Table("T").RowsAsync(new TableQuery(), default)
                .Select(row => $"{row.Key} {row.Version} {row.Number("Number")} {row.Text("Event")}").ToListAsync();
            var messages = await store.ReadAsync(session => session.Number("SELECT sum(Id * 7 + hex(Body)) FROM Messages JOIN MessageBodies USING (Id)"), default);
            return $"{messages}\n{string.Join('\n', rows)}";
        }
    }

    [Fact]
    public async Task Backup_DoesNotReplaceTheStoreItself()
    {
        await using var store = new SqliteStore(File, TimeProvider.System);
        await SendAsync(store, "a");
        await Should.ThrowAsync<StorageException>(() => store.BackupAsync(File, overwrite: true, default));
        (await Should.ThrowAsync<StorageException>(() => store.BackupAsync(Path.Combine(_folder.Path, "none", "b.db"), overwrite: true, default))).Message.ShouldContain("none");
        (await DrainAsync(store)).ShouldBe(["a"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Waiting_EndsWhenAMessageIsVisible(bool inMemory)
    {
        var clock = new FakeTimeProvider();
        await using var store = inMemory ? SqliteStore.InMemory(clock) : new SqliteStore(File, clock);
        var queue = store.Queue("q");
        var signal = queue.ShouldBeAssignableTo<IMessageSignal>()!;

        var sent = signal.WaitForMessageAsync(Long, default);
        await SendAsync(store, "a");
        (await sent.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBeTrue();
        (await signal.WaitForMessageAsync(Long, default)).ShouldBeTrue();

        // A visibility timeout that ends, and a message that is put back.
        var received = (await queue.ReceiveAsync(1, TimeSpan.FromSeconds(10), default)).ShouldHaveSingleItem();
        await AdvanceUntilAsync(clock, signal.WaitForMessageAsync(Long, default), true);
        received = (await queue.ReceiveAsync(1, TimeSpan.FromMinutes(1), default)).ShouldHaveSingleItem();
        var back = signal.WaitForMessageAsync(Long, default);
        await queue.ExtendAsync(received, TimeSpan.Zero, default);
        (await back.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBeTrue();

        // A delay that ends before the wait does.
        await queue.DeleteAsync((await queue.ReceiveAsync(1, Long, default)).ShouldHaveSingleItem(), default);
        var delayed = signal.WaitForMessageAsync(Long, default);
        await queue.SendAsync("b"u8.ToArray(), TimeSpan.FromSeconds(30), default);
        await AdvanceUntilAsync(clock, delayed, true);
        (await DrainAsync(store)).ShouldBe(["b"]);

        await AdvanceUntilAsync(clock, signal.WaitForMessageAsync(TimeSpan.FromSeconds(5), default), false);
        using var cancellation = new CancellationTokenSource();
        var cancelled = signal.WaitForMessageAsync(Long, cancellation.Token);
        await cancellation.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => cancelled);
    }

    [Fact]
    public async Task InMemory_EveryOperationIsDoneWhenItReturns()
    {
        await using var store = SqliteStore.InMemory(new FakeTimeProvider());
        SendAsync(store, "a").IsCompletedSuccessfully.ShouldBeTrue();
        store.Queue("q").ReceiveAsync(1, Long, default).IsCompletedSuccessfully.ShouldBeTrue();
        store.Queue("q").CountAsync(default).IsCompletedSuccessfully.ShouldBeTrue();
        store.CheckAsync(default).IsCompletedSuccessfully.ShouldBeTrue();
        await using var other = SqliteStore.InMemory(new FakeTimeProvider());
        (await other.Queue("q").CountAsync(default)).ShouldBe(0);
    }

    [Fact]
    public async Task ClockThatIsSetBack_HidesNothingThatWasSentWithoutDelay()
    {
        var clock = new FakeTimeProvider { };
        await using (var store = new SqliteStore(File, clock))
        {
            await SendAsync(store, "a");
        }

        await using var earlier = new SqliteStore(File, new FakeTimeProvider(clock.GetUtcNow().AddDays(-1)));
        (await DrainAsync(earlier)).ShouldBe(["a"]);
    }

    [Theory]
    [InlineData("sqlite:data/telecmi.db", "data/telecmi.db")]
    [InlineData(" SQLite: my store.db ", "my store.db")]
    [InlineData("sqlite::memory:", ":memory:")]
    public void Setting_NamesAFileBelowTheCurrentFolder(string setting, string file)
    {
        SqliteStore.TryParse(setting, out var parsed, out var fault).ShouldBeTrue();
        fault.ShouldBeNull();
        parsed.ShouldBe(Path.GetFullPath(file));
    }

    [Theory]
    [InlineData("sqlite:")]
    [InlineData("sqlite:  ")]
    [InlineData("sqlite:data/")]
    public void SettingWithoutAFile_IsAFault(string setting)
    {
        SqliteStore.TryParse(setting, out _, out var fault).ShouldBeFalse();
        fault.ShouldBe("'sqlite:' needs the name of a file: write sqlite:<file>, such as sqlite:data/telecmi.db.");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("UseDevelopmentStorage=true")]
    public void OtherSetting_IsNotASqliteOne(string? setting)
    {
        SqliteStore.TryParse(setting, out _, out var fault).ShouldBeFalse();
        fault.ShouldBeNull();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static Task SendAsync(SqliteStore store, string text) => store.Queue("q").SendAsync(Encoding.UTF8.GetBytes(text), TimeSpan.Zero, default);

    private static async Task<IReadOnlyCollection<string>> DrainAsync(SqliteStore store, int workers = 1, string queue = "q")
    {
        var bodies = new ConcurrentQueue<string>();
        await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(async () =>
        {
            while (await store.Queue(queue).ReceiveAsync(workers == 1 ? 32 : 4, Long, default) is { Count: > 0 } messages)
            {
                foreach (var message in messages)
                {
                    (await store.Queue(queue).DeleteAsync(message, default)).ShouldBeTrue();
                    bodies.Enqueue(Encoding.UTF8.GetString(message.Body.Span));
                }
            }
        })));
        return bodies;
    }

    // Time goes on while somebody waits: the timer may be set a moment after the wait began.
    private static async Task AdvanceUntilAsync(FakeTimeProvider clock, Task<bool> wait, bool expected)
    {
        await Eventually.HoldsAsync(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(wait.IsCompleted);
        });
        (await wait).ShouldBe(expected);
    }

    private static async Task RefusesAsync(string file, string sentence)
    {
        (await Should.ThrowAsync<StorageException>(() => UseAsync(file))).Message.ShouldBe(sentence);
        await using var store = new SqliteStore(file, TimeProvider.System);
        (await Should.ThrowAsync<StorageException>(() => store.Queue("q").CountAsync(default))).Message.ShouldBe(sentence);
        (await Should.ThrowAsync<StorageException>(() => store.CheckAsync(default))).Message.ShouldBe(sentence);
    }

    private static async Task UseAsync(string file)
    {
        await using var store = new SqliteStore(file, TimeProvider.System);
        await SendAsync(store, "a");
    }

    private static UnixFileMode ModeOf(string path) => OperatingSystem.IsWindows() ? default : System.IO.File.GetUnixFileMode(path);

    private static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            System.IO.File.SetUnixFileMode(path, mode);
        }
    }

    private static Process StartHost(params string[] arguments)
    {
        var dotnet = Path.GetFullPath(Path.Combine(
            System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));
        var start = new ProcessStartInfo(dotnet) { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "TeleCmi.Storage.TestHost.dll"), .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    // A process that was killed in the middle of a line has not acknowledged it.
    private static string[] Lines(string output) => output[..(output.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private async Task RunSqlAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Does something while another program holds the file's write lock.</summary>
    private async Task<T> WhileLockedAsync<T>(Func<T> action)
    {
        await using var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        await connection.OpenAsync();
        await using var transaction = connection.BeginTransaction(deferred: false);
        var result = action();
        if (result is Task task)
        {
            await task;
        }

        await transaction.RollbackAsync();

        return result;
    }
}
