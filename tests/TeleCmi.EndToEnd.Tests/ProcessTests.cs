using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using TeleCmi.LocalHost;
using TeleCmi.TestSupport;

namespace TeleCmi.EndToEnd.Tests;

/// <summary>The program as a user runs it.</summary>
public sealed class ProcessTests(AzuriteFixture azurite)
{
    private const string AnyPort = "http://127.0.0.1:0";

    [Fact]
    public async Task TheSampleRun_ShowsTheRow_AndItsAzuriteEndsWithIt()
    {
        using var folder = new TemporaryFolder();
        var ports = FreePorts();
        await using var host = HostProcess.LocalHost(null, "--sample", $"--LocalHost:AzuritePort={ports.Blob}", $"--LocalHost:AzuriteFolder={folder.Path}");

        (await host.ExitAsync()).ShouldBe(0, host.Output + host.Errors);

        host.Output.ShouldContain("Azurite: starting");
        host.Output.ShouldContain($"POST -> 200");
        host.Output.ShouldContain($"GET  -> 200");
        host.Output.ShouldContain($"EventId          {SampleNotices.AnsweredId}");
        host.Output.ShouldContain("ProcessedAt");
        host.Output.ShouldContain("OK: received, queued, processed, journaled.");
        (await Azurite.IsListeningAsync(ports.Queue, CancellationToken.None)).ShouldBeFalse();
        (await Azurite.IsListeningAsync(ports.Table, CancellationToken.None)).ShouldBeFalse();
    }

    [Fact]
    public async Task TheSampleRun_FailsWhenStorageIsGone()
    {
        await using var host = HostProcess.LocalHost(null, "--sample", "--storage", Azurite.ConnectionStringFor(new AzuritePorts(1, 1, 1)));

        (await host.ExitAsync()).ShouldBe(1);
        ShouldBeOneSentence(host, "storage");
    }

    [Fact]
    public async Task AReceiverWithoutItsStorage_SaysSoAtOnceAndWhy()
    {
        await using var host = HostProcess.LocalHost(null, "--urls", AnyPort, "--storage", Azurite.ConnectionStringFor(new AzuritePorts(1, 1, 1)));
        await host.Address;

        await Eventually.HoldsAsync(() => Task.FromResult(host.Errors.Length > 0));

        ShouldBeOneSentence(host, "Storage does not answer", "503");
        host.Errors.ShouldMatch(@"\(.*refused.*\): until");
        host.Errors.ShouldNotContain("Retry failed");
    }

    [Fact]
    public async Task AnAzuriteThatWasThereBefore_IsUsedAndLeftRunning()
    {
        await using var running = await Azurite.StartAsync(Repository.Find(), FreePorts(), dataFolder: null, Console.WriteLine, CancellationToken.None);
        await using var host = HostProcess.LocalHost(null, "--sample", $"--LocalHost:AzuritePort={running.Ports.Blob}");

        (await host.ExitAsync()).ShouldBe(0, host.Output + host.Errors);

        host.Output.ShouldContain("using the one that listens");
        (await new StorageUnderTest(running.ConnectionString).JournalAsync()).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task AzuriteEnds_WhenItsHostIsKilledHard()
    {
        using var folder = new TemporaryFolder();
        var ports = FreePorts();
        await using var host = HostProcess.LocalHost(null, "--urls", AnyPort, $"--LocalHost:AzuritePort={ports.Blob}", $"--LocalHost:AzuriteFolder={folder.Path}");
        await host.Address;
        (await Azurite.IsListeningAsync(ports.Queue, CancellationToken.None)).ShouldBeTrue();

        await host.KillAsync();

        await Eventually.HoldsAsync(async () => !await Azurite.IsListeningAsync(ports.Queue, CancellationToken.None));
    }

    [Fact]
    public async Task APortInUse_IsOneSentenceAndExitCode1()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        await using var host = HostProcess.LocalHost(null, "--urls", $"http://127.0.0.1:{port}", "--storage", azurite.NewStorage());

        (await host.ExitAsync()).ShouldBe(1);
        ShouldBeOneSentence(host, $"127.0.0.1:{port}", "--urls");
        host.Output.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task AzuritesPortInUse_IsOneSentenceAndExitCode1()
    {
        using var folder = new TemporaryFolder();
        var ports = FreePorts();
        using var other = new TcpListener(IPAddress.Loopback, ports.Table);
        other.Start();
        await using var host = HostProcess.LocalHost(null, "--urls", AnyPort, $"--LocalHost:AzuritePort={ports.Blob}", $"--LocalHost:AzuriteFolder={folder.Path}");

        (await host.ExitAsync()).ShouldBe(1);
        ShouldBeOneSentence(host, "Azurite did not start", "--storage");
    }

    [Fact]
    public async Task WithoutNode_ItIsOneSentenceAndExitCode1()
    {
        using var folder = new TemporaryFolder();
        await using var host = HostProcess.LocalHost(
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["PATH"] = folder.Path },
            "--urls", AnyPort, $"--LocalHost:AzuritePort={FreePorts().Blob}", $"--LocalHost:AzuriteFolder={folder.Path}");

        (await host.ExitAsync()).ShouldBe(1);
        ShouldBeOneSentence(host, "Node.js", "--storage");
    }

    [Theory]
    [InlineData("--TeleCmi:EnqueueDeadline=00:10:00", "TeleCmi__EnqueueDeadline")]
    [InlineData("--TeleCmi:MaxEventBytes=lots", "TeleCmi:MaxEventBytes")]
    [InlineData("--LocalHost:Lease=soon", "LocalHost:Lease")]
    [InlineData("--TeleCmi:AccessTokens=short", "TeleCmi__AccessTokens")]
    [InlineData("--storage=nonsense", "TeleCmiStorage")]
    [InlineData("--urls=nonsense", "--urls")]
    [InlineData("--urls=http://127.0.0.1:99999", "--urls")]
    [InlineData("--urls=https://127.0.0.1:0", "--urls")]
    [InlineData("--urls=http://192.0.2.1:5000 --TeleCmi:AccessTokens=token-of-at-least-twenty", "--urls")]
    [InlineData("--urls=http://0.0.0.0:0", "TeleCmi__AccessTokens")]
    [InlineData("--urls=http://*:7071", "TeleCmi__AccessTokens")]
    [InlineData("--urls=http://*:7071 --TeleCmi:AccessTokens=,", "TeleCmi__AccessTokens")]
    [InlineData("--urls=http://127.0.0.1:0;http://[::]:0", "TeleCmi__AccessTokens")]
    public async Task AWrongSetting_IsOneSentenceAndExitCode1(string setting, string named)
    {
        string[] storage = setting.StartsWith("--storage", StringComparison.Ordinal) ? [] : ["--storage", azurite.NewStorage()];
        string[] urls = setting.StartsWith("--urls", StringComparison.Ordinal) ? [] : ["--urls", AnyPort];
        await using var host = HostProcess.LocalHost(null, [.. storage, .. urls, .. setting.Split(' ')]);

        (await host.ExitAsync()).ShouldBe(1);
        ShouldBeOneSentence(host, named);
    }

    [Fact]
    public async Task OnSigterm_ItFinishesWhatIsInFlightAndExitsWith0()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM");
        using var folder = new TemporaryFolder();
        var storage = azurite.NewStorage();
        var effects = new EffectFile(folder);
        await using var host = HostProcess.FaultHost("--urls", AnyPort, "--storage", storage, effects.Setting);
        using var client = new HttpClient();
        using var body = new ByteArrayContent(SampleNotices.AnsweredWith(("custom", "slow:2000")));
        (await client.PostAsync(await host.Address, body)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await Eventually.HoldsAsync(() => Task.FromResult(effects.Begun.Count == 1));

        host.Terminate();

        (await host.ExitAsync(TimeSpan.FromSeconds(30))).ShouldBe(0);
        effects.Done.ShouldBe([SampleNotices.AnsweredId]);
        var after = new StorageUnderTest(storage);
        (await after.JournalAsync()).ShouldHaveSingleItem().GetDateTimeOffset("ProcessedAt").ShouldNotBeNull();
        (await after.QueuedAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task ABusyHostOnSigterm_LosesNothingAndRepeatsNothing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM");
        using var folder = new TemporaryFolder();
        var storage = azurite.NewStorage();
        var judge = new StorageUnderTest(storage);
        var effects = new EffectFile(folder);
        string[] arguments = ["--urls", AnyPort, "--storage", storage, effects.Setting];
        var acknowledged = new ConcurrentBag<int>();
        await using (var host = HostProcess.FaultHost(arguments))
        {
            var address = await host.Address;
            using var client = new HttpClient();
            var sending = Parallel.ForAsync(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, _) =>
            {
                using var body = new ByteArrayContent(SampleNotices.AnsweredWith(("cmiuuid", $"call-{number}"), ("custom", "slow:300")));
                try
                {
                    if ((await client.PostAsync(address, body, CancellationToken.None)).IsSuccessStatusCode)
                    {
                        acknowledged.Add(number);
                    }
                }
                catch (HttpRequestException)
                {
                    // The host is gone.
                }
            });
            await Eventually.HoldsAsync(() => Task.FromResult(effects.Done.Count >= 20));

            host.Terminate();

            (await host.ExitAsync(TimeSpan.FromSeconds(30))).ShouldBe(0);
            await sending;
            effects.Begun.Count.ShouldBe(effects.Done.Count, "what has begun is finished");
        }

        await using var next = HostProcess.FaultHost(arguments);
        await Eventually.HoldsAsync(async () => await judge.QueuedAsync() == 0, TimeSpan.FromSeconds(90));
        effects.Done.ShouldBeUnique();
        var journal = (await judge.JournalAsync()).Where(row => row.GetDateTimeOffset("ProcessedAt") is not null).Select(row => row.GetString("EventId")).ToList();
        acknowledged.Count.ShouldBeGreaterThan(20);
        acknowledged.Select(number => $"2223343:event:call-{number}:a:answered").Except(journal, StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Fact]
    public async Task WorkThatOutlastsTheGracePeriod_IsLeftForTheNextProcess()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM");
        using var folder = new TemporaryFolder();
        var storage = azurite.NewStorage();
        var effects = new EffectFile(folder);
        await using var host = HostProcess.FaultHost("--urls", AnyPort, "--storage", storage, "--LocalHost:ShutdownTimeout=00:00:02", effects.Setting);
        using var client = new HttpClient();
        using var body = new ByteArrayContent(SampleNotices.AnsweredWith(("custom", "slow:50000")));
        (await client.PostAsync(await host.Address, body)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await Eventually.HoldsAsync(() => Task.FromResult(effects.Begun.Count == 1));

        host.Terminate();
        await host.ExitAsync(TimeSpan.FromSeconds(20));

        effects.Done.ShouldBeEmpty();
        var after = new StorageUnderTest(storage);
        (await after.QueuedAsync()).ShouldBe(1);
        (await after.JournalAsync()).ShouldHaveSingleItem().GetDateTimeOffset("ProcessedAt").ShouldBeNull();
    }

    private static void ShouldBeOneSentence(HostProcess host, params string[] parts)
    {
        host.Errors.Split('\n').ShouldHaveSingleItem();
        parts.ShouldAllBe(part => host.Errors.Contains(part, StringComparison.Ordinal), host.Errors);
        host.Errors.ShouldNotContain("   at ");
    }

    // Three in a row, as Azurite has them.
    private static AzuritePorts FreePorts()
    {
        while (true)
        {
            using var first = new TcpListener(IPAddress.Loopback, 0);
            first.Start();
            var ports = AzuritePorts.From(((IPEndPoint)first.LocalEndpoint).Port);
            if (ports.Table <= IPEndPoint.MaxPort && IsFree(ports.Queue) && IsFree(ports.Table))
            {
                return ports;
            }
        }
    }

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
