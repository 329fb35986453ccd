using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using TeleCmi.Storage.Sqlite;
using TeleCmi.TestSupport;

namespace TeleCmi.EndToEnd.Tests;

/// <summary>One machine with its file: whatever ends, fills or breaks, what was acknowledged is there.</summary>
public sealed class SurvivalTests : IDisposable
{
    private const int Rounds = 3;
    private const int EventsOfARound = 200;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(null)]
    [InlineData(PosixSignal.SIGTERM)]
    [InlineData(PosixSignal.SIGINT)]
    [InlineData(PosixSignal.SIGHUP)]
    public async Task EveryEnd_LeavesEveryAcknowledgedEventForTheJournal(PosixSignal? signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() && signal is not null, "Windows has no signals");
        string[] arguments = ["--urls", "http://127.0.0.1:0", "--data", _folder.Path, "--LocalHost:VisibilityTimeout=00:00:02"];
        var acknowledged = new List<string>();
        for (var round = 0; round < (signal is null ? Rounds : 1); round++)
        {
            await using var host = HostProcess.LocalHost(null, arguments);
            using var stop = new CancellationTokenSource();
            using var sender = new EventStream($"round-{round}");
            var sending = sender.RunAsync(await host.Address, stop.Token);
            await Eventually.HoldsAsync(() => Task.FromResult(sender.Acknowledged.Count >= EventsOfARound));
            if (signal is null)
            {
                await host.KillAsync();
            }
            else
            {
                host.Signal(signal.Value);
                (await host.ExitAsync(TimeSpan.FromSeconds(40))).ShouldBe(0, host.Errors);
            }

            await stop.CancelAsync();
            await sending;
            acknowledged.AddRange(sender.Acknowledged);
        }

        await using var last = HostProcess.LocalHost(null, arguments);
        await last.Address;
        using var judge = StorageUnderTest.Open(_folder.Store);
        await Eventually.HoldsAsync(async () => await judge.QueuedAsync() == 0, TimeSpan.FromSeconds(60));
        var journal = await judge.FinishedAsync();
        journal.ShouldBeUnique();
        acknowledged.Except(journal, StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Fact]
    public async Task ABusyReceiverThatIsAskedToStop_RepeatsNothing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals");
        var effects = new EffectFile(_folder);
        string[] arguments = ["--urls", "http://127.0.0.1:0", "--data", _folder.Path, effects.Setting];
        using var sender = new EventStream("busy");
        await using (var host = HostProcess.FaultHost(arguments))
        {
            using var stop = new CancellationTokenSource();
            var sending = sender.RunAsync(await host.Address, stop.Token, "slow:300");
            await Eventually.HoldsAsync(() => Task.FromResult(effects.Done.Count >= 20));

            host.Signal(PosixSignal.SIGTERM);

            (await host.ExitAsync(TimeSpan.FromSeconds(40))).ShouldBe(0, host.Errors);
            await stop.CancelAsync();
            await sending;
            effects.Begun.Count.ShouldBe(effects.Done.Count, "what has begun is finished");
        }

        await using var next = HostProcess.FaultHost(arguments);
        using var judge = StorageUnderTest.Open(_folder.Store);
        await Eventually.HoldsAsync(async () => await judge.QueuedAsync() == 0, TimeSpan.FromSeconds(90));
        effects.Done.ShouldBeUnique();
        effects.Done.Count.ShouldBeGreaterThan(20);
        sender.Acknowledged.Except(await judge.FinishedAsync(), StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Fact]
    public async Task AFullDisk_Is503AndASentence_AndLosesNothing()
    {
        Assert.SkipWhen(SmallDisk.WhyNot is not null, SmallDisk.WhyNot ?? "");
        using var disk = SmallDisk.Mount(megabytes: 32);
        await using var host = HostProcess.LocalHost(null, "--urls", "http://127.0.0.1:0", "--data", disk.Path);
        var webhook = await host.Address;
        using var client = new HttpClient();
        using var sender = new EventStream("disk");
        for (var i = 0; i < 20; i++)
        {
            (await sender.SendAsync(webhook)).ShouldBe(HttpStatusCode.OK);
        }

        disk.Fill();

        // What the file has room for is still stored.
        await Eventually.HoldsAsync(async () => await sender.SendAsync(webhook) is HttpStatusCode.ServiceUnavailable);
        (await client.GetAsync(new Uri(webhook, "/api/telecmi/health"))).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        host.Output.ShouldContain("the disk is full: free some space");

        disk.Free();

        await Eventually.HoldsAsync(async () => await sender.SendAsync(webhook) is HttpStatusCode.OK);
        (await client.GetAsync(new Uri(webhook, "/api/telecmi/health"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        using var judge = StorageUnderTest.Open($"sqlite:{DataFolder.FileIn(disk.Path)}");
        await Eventually.HoldsAsync(async () => await judge.QueuedAsync() == 0, TimeSpan.FromSeconds(90));
        sender.Acknowledged.Except(await judge.FinishedAsync(), StringComparer.Ordinal).ShouldBeEmpty();
        (await judge.DeadLettersAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task AStartOnAFullDisk_Is503UntilThereIsSpace_AndLosesNothing()
    {
        Assert.SkipWhen(SmallDisk.WhyNot is not null, SmallDisk.WhyNot ?? "");
        using var disk = SmallDisk.Mount(megabytes: 32);
        string[] arguments = ["--urls", "http://127.0.0.1:0", "--data", disk.Path, "--LocalHost:VisibilityTimeout=00:00:02"];
        using var sender = new EventStream("start");
        await using (var before = HostProcess.LocalHost(null, arguments))
        {
            var address = await before.Address;
            for (var i = 0; i < 20; i++)
            {
                (await sender.SendAsync(address)).ShouldBe(HttpStatusCode.OK);
            }

            await before.KillAsync();
        }

        disk.Fill();
        await using var host = HostProcess.LocalHost(null, arguments);
        var webhook = await host.Address;
        await Eventually.HoldsAsync(async () => await sender.SendAsync(webhook) is HttpStatusCode.ServiceUnavailable);
        host.Output.ShouldContain("the disk is full: free some space");

        disk.Free();

        await Eventually.HoldsAsync(async () => await sender.SendAsync(webhook) is HttpStatusCode.OK);
        using var judge = StorageUnderTest.Open($"sqlite:{DataFolder.FileIn(disk.Path)}");
        await Eventually.HoldsAsync(async () => await judge.QueuedAsync() == 0, TimeSpan.FromSeconds(90));
        sender.Acknowledged.Except(await judge.FinishedAsync(), StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Fact]
    public async Task AFirstStartOnAFullDisk_IsASentence()
    {
        Assert.SkipWhen(SmallDisk.WhyNot is not null, SmallDisk.WhyNot ?? "");
        using var disk = SmallDisk.Mount(megabytes: 2);
        disk.Fill();
        await using var host = HostProcess.LocalHost(null, "--urls", "http://127.0.0.1:0", "--data", disk.Path);

        (await host.ExitAsync()).ShouldBe(1);
        host.Errors.ShouldContain("disk is full");
        host.Errors.Split('\n').ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("text", "is not a TeleCmi store")]
    [InlineData("another program's", "is not a TeleCmi store")]
    [InlineData("newer", "use a newer TeleCmi")]
    [InlineData("damaged", "is damaged")]
    [InlineData("without its file", "is missing although")]
    public async Task AFileThatIsNoStoreOfOurs_StopsTheStart_NamesTheFile_AndStaysAsItIs(string what, string sentence)
    {
        var file = DataFolder.FileIn(_folder.Path);
        using (var ours = StorageUnderTest.Open(_folder.Store))
        {
            await ours.Store.CheckAsync(CancellationToken.None);
        }

        switch (what)
        {
            case "text":
                await File.WriteAllTextAsync(file, string.Concat(Enumerable.Repeat("Dear diary, ", 1000)));
                break;
            case "another program's":
                File.Delete(file);
                Execute(file, "CREATE TABLE Recipes (Name TEXT)");
                break;
            case "newer":
                Execute(file, "PRAGMA user_version = 99");
                break;
            case "damaged":
                var bytes = await File.ReadAllBytesAsync(file);
                bytes.AsSpan(100, 400).Fill(0x55);
                await File.WriteAllBytesAsync(file, bytes);
                break;
            default:
                File.Move(file, $"{file}-wal", overwrite: true);
                break;
        }

        var before = Contents();
        await using var host = HostProcess.LocalHost(null, "--urls", "http://127.0.0.1:0", "--data", _folder.Path);

        (await host.ExitAsync()).ShouldBe(1);
        host.Errors.ShouldContain(file);
        host.Errors.ShouldContain(sentence);
        host.Errors.Split('\n').ShouldHaveSingleItem();
        host.Output.ShouldNotContain("Webhook:");
        Contents().ShouldBe(before);
    }

    [Fact]
    public async Task AReadOnlyDisk_StopsTheStartAndNamesTheFile()
    {
        Assert.SkipWhen(SmallDisk.WhyNot is not null, SmallDisk.WhyNot ?? "");
        using var disk = SmallDisk.Mount(megabytes: 8);
        using (var ours = StorageUnderTest.Open($"sqlite:{DataFolder.FileIn(disk.Path)}"))
        {
            await ours.Store.CheckAsync(CancellationToken.None);
        }

        disk.MakeReadOnly();
        await using var host = HostProcess.LocalHost(null, "--urls", "http://127.0.0.1:0", "--data", disk.Path);

        (await host.ExitAsync()).ShouldBe(1);
        host.Errors.ShouldContain($"The store '{DataFolder.FileIn(disk.Path)}' cannot be written");
    }

    [Fact]
    public async Task TwoReceiversOnOneFile_ShareTheWorkWithoutDoublingIt()
    {
        var effects = new EffectFile(_folder);
        string[] arguments = ["--urls", "http://127.0.0.1:0", "--data", _folder.Path, effects.Setting, "--LocalHost:MaxPollingInterval=00:00:00.05"];
        await using var one = HostProcess.FaultHost(arguments);
        await using var other = HostProcess.FaultHost(arguments);
        Uri[] webhooks = [await one.Address, await other.Address];
        using var client = new HttpClient();

        // Each event comes to both.
        var statuses = await Task.WhenAll(Enumerable.Range(0, 200).SelectMany(number => webhooks.Select(async webhook =>
        {
            using var body = new ByteArrayContent(SampleNotices.AnsweredCall($"shared-{number}"));
            using var response = await client.PostAsync(webhook, body);
            return response.StatusCode;
        })));

        statuses.ShouldAllBe(status => status == HttpStatusCode.OK);
        using var judge = StorageUnderTest.Open(_folder.Store);
        await Eventually.HoldsAsync(async () => await judge.QueuedAsync() == 0, TimeSpan.FromSeconds(60));
        (await judge.FinishedAsync()).Order(StringComparer.Ordinal).ShouldBe(Enumerable.Range(0, 200).Select(number => EventStream.IdOf($"shared-{number}")).Order(StringComparer.Ordinal));
        effects.Done.Count.ShouldBe(200);
        effects.Done.ShouldBeUnique();
        one.Output.ShouldContain("shared-");
        other.Output.ShouldContain("shared-");
    }

    [Fact]
    public async Task TheSampleBesideAReceiver_TakesNoneOfItsEvents()
    {
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var host = HostProcess.LocalHost(
            null,
            "--urls", "http://127.0.0.1:0", "--data", _folder.Path,
            $"--TeleCmi:Forward:0:Url={crm.Address}", "--TeleCmi:Forward:0:Secrets=whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        using var stop = new CancellationTokenSource();
        using var sender = new EventStream("beside");
        var sending = sender.RunAsync(await host.Address, stop.Token);
        await using var sample = HostProcess.LocalHost(null, "--sample", "--data", _folder.Path);

        (await sample.ExitAsync()).ShouldBe(0, sample.Output + sample.Errors);

        await Eventually.HoldsAsync(() => Task.FromResult(sender.Acknowledged.Count > 50), TimeSpan.FromSeconds(60));
        await stop.CancelAsync();
        await sending;
        using var judge = StorageUnderTest.Open(_folder.Store);
        await Eventually.HoldsAsync(async () => await judge.QueuedAsync() == 0, TimeSpan.FromSeconds(90));
        crm.Requests.Select(request => request.WebhookId).Order(StringComparer.Ordinal).ShouldBe(sender.Acknowledged.Order(StringComparer.Ordinal));
    }

    private static void Execute(string file, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private List<string> Contents() =>
        [.. Directory.EnumerateFiles(_folder.Path).Order(StringComparer.Ordinal).Select(file => $"{file} {Convert.ToHexString(File.ReadAllBytes(file))}")];
}
