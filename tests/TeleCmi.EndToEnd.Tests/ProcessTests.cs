using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using TeleCmi.TestSupport;

namespace TeleCmi.EndToEnd.Tests;

/// <summary>The program as a user runs it.</summary>
public sealed class ProcessTests(AzuriteFixture azurite) : IDisposable
{
    private const string AnyPort = "http://127.0.0.1:0";

    // Where nobody listens.
    private static readonly string NoStorage = Azurite.ConnectionStringFor(new AzuritePorts(1, 1, 1));

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task TheSampleRun_ShowsTheRow_WithNothingButDotNet()
    {
        using var empty = new TemporaryFolder();
        await using var host = HostProcess.LocalHost(
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["PATH"] = empty.Path }, "--sample", "--data", _folder.Path);

        (await host.ExitAsync()).ShouldBe(0, host.Output + host.Errors);

        host.Output.ShouldContain("POST -> 200");
        host.Output.ShouldContain("GET  -> 200");
        host.Output.ShouldContain($"EventId          {SampleNotices.AnsweredId}");
        host.Output.ShouldContain("ProcessedAt");
        host.Output.ShouldContain("OK: received, queued, processed, journaled.");
    }

    [Fact]
    public async Task TheSampleRun_UsesAnAzuriteThatIsNamed()
    {
        var storage = azurite.NewStorage();
        await using var host = HostProcess.LocalHost(null, "--sample", "--storage", storage);

        (await host.ExitAsync()).ShouldBe(0, host.Output + host.Errors);

        using var judge = StorageUnderTest.Open(storage);
        (await judge.FinishedAsync()).ShouldBe([SampleNotices.AnsweredId]);
    }

    [Fact]
    public async Task TheSampleRun_FailsWhenStorageIsGone()
    {
        await using var host = HostProcess.LocalHost(null, "--sample", "--storage", NoStorage);

        (await host.ExitAsync()).ShouldBe(1);
        ShouldBeOneSentence(host, "Storage does not respond");
    }

    [Fact]
    public async Task AReceiverWithoutItsStorage_SaysSoAtOnceAndWhy_AndRespondsWith503()
    {
        await using var host = HostProcess.LocalHost(null, "--urls", AnyPort, "--storage", NoStorage);
        var webhook = await host.Address;

        await Eventually.HoldsAsync(() => Task.FromResult(host.Output.Contains("503", StringComparison.Ordinal)));

        var line = host.Output.Split('\n').Where(line => line.Contains("503", StringComparison.Ordinal)).ShouldHaveSingleItem();
        line.ShouldMatch("Storage does not respond: .*refused.* Until that works, the response to every event is 503");
        line.ShouldNotContain("Retry failed");
        using var sender = new EventStream("refused");
        (await sender.SendAsync(webhook)).ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task APortInUse_IsOneSentenceAndExitCode1()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        await using var host = HostProcess.LocalHost(null, "--urls", $"http://127.0.0.1:{port}", "--data", _folder.Path);

        (await host.ExitAsync()).ShouldBe(1);
        ShouldBeOneSentence(host, $"127.0.0.1:{port}", "--urls");
        host.Output.ShouldNotContain("   at ");
    }

    [Theory]
    [InlineData("--TeleCmi:EnqueueDeadline=00:10:00", "TeleCmi__EnqueueDeadline")]
    [InlineData("--TeleCmi:MaxEventBytes=lots", "TeleCmi:MaxEventBytes")]
    [InlineData("--LocalHost:VisibilityTimeout=soon", "LocalHost:VisibilityTimeout")]
    [InlineData("--LocalHost:RetryPause=00:00:01", "LocalHost__RetryPause", "Did you mean LocalHost__RetryDelay?")]
    [InlineData("--TeleCmi:AcceptedEvent=*", "TeleCmi__AcceptedEvent", "Did you mean TeleCmi__AcceptedEvents?")]
    [InlineData("--TeleCmi:AccessTokens=short", "TeleCmi__AccessTokens")]
    [InlineData("--storage=nonsense", "TeleCmiStorage")]
    [InlineData("--storage=sqlite:", "sqlite:<file>")]
    [InlineData("--storage", "--storage needs a value")]
    [InlineData("--smaple", "There is no option --smaple. Did you mean --sample?", "--help")]
    [InlineData("sample", "There is no option sample", "--help")]
    [InlineData("--TeleCmi__AppIds=1", "There is no option --TeleCmi__AppIds. Did you mean --TeleCmi:AppIds?", "--help")]
    [InlineData("--urls=nonsense", "--urls")]
    [InlineData("--urls=http://127.0.0.1:99999", "--urls")]
    [InlineData("--urls=https://127.0.0.1:0", "--urls")]
    [InlineData("--urls=http://192.0.2.1:5000 --TeleCmi:AccessTokens=token-of-at-least-twenty", "--urls")]
    [InlineData("--urls=http://0.0.0.0:0", "TeleCmi__AccessTokens")]
    [InlineData("--urls=http://*:0", "TeleCmi__AccessTokens")]
    [InlineData("--urls=http://*:0 --TeleCmi:AccessTokens=,", "TeleCmi__AccessTokens")]
    [InlineData("--urls=http://127.0.0.1:0;http://[::]:0", "TeleCmi__AccessTokens")]
    public async Task AWrongSetting_IsOneSentenceAndExitCode1(string setting, params string[] named)
    {
        string[] urls = setting.StartsWith("--urls", StringComparison.Ordinal) ? [] : ["--urls", AnyPort];
        await using var host = HostProcess.LocalHost(null, [.. urls, "--data", _folder.Path, .. setting.Split(' ')]);

        (await host.ExitAsync()).ShouldBe(1);
        ShouldBeOneSentence(host, named);
    }

    [Fact]
    public async Task AnEnvironmentVariableOfKestrel_OpensNoAddressWithoutAToken()
    {
        await using var host = HostProcess.LocalHost(
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["Kestrel__Endpoints__x__Url"] = "http://0.0.0.0:0" }, "--data", _folder.Path);

        (await host.ExitAsync()).ShouldBe(1);
        ShouldBeOneSentence(host, "Listening beyond this machine (http://0.0.0.0:", "TeleCmi__AccessTokens");
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("--urls http://127.0.0.1:0 --help")]
    [InlineData("--help --urls http://127.0.0.1:0 --sample")]
    [InlineData("--urls --help")]
    public async Task Help_IsShown_AndNothingIsStarted(string options)
    {
        await using var host = HostProcess.LocalHost(null, ["--data", _folder.Path, .. options.Split(' ')]);

        (await host.ExitAsync()).ShouldBe(0);
        host.Output.ShouldContain("Usage:");
        host.Output.ShouldContain("--data <folder>");
        host.Output.ShouldContain("--urls <addresses>");
        host.Output.ShouldNotContain("Webhook:");
        Directory.EnumerateFileSystemEntries(_folder.Path).ShouldBeEmpty();
    }

    public static TheoryData<PosixSignal> Stops => [PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGHUP];

    [Theory]
    [MemberData(nameof(Stops))]
    public async Task AskedToStop_ItFinishesWhatIsInFlightAndExitsWith0(PosixSignal signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals");
        var effects = new EffectFile(_folder);
        await using var host = HostProcess.FaultHost("--urls", AnyPort, "--data", _folder.Path, effects.Setting);
        using var sender = new EventStream("slow");
        (await sender.SendAsync(await host.Address, "slow:2000")).ShouldBe(HttpStatusCode.OK);
        await Eventually.HoldsAsync(() => Task.FromResult(effects.Begun.Count == 1));

        host.Signal(signal);

        (await host.ExitAsync(TimeSpan.FromSeconds(30))).ShouldBe(0, host.Errors);
        effects.Done.ShouldBe(sender.Acknowledged);
        using var after = StorageUnderTest.Open(_folder.Store);
        (await after.FinishedAsync()).ShouldBe(sender.Acknowledged);
        (await after.QueuedAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task WorkThatOutlastsTheGracePeriod_IsLeftForTheNextProcess()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals");
        var effects = new EffectFile(_folder);
        await using var host = HostProcess.FaultHost("--urls", AnyPort, "--data", _folder.Path, "--LocalHost:ShutdownTimeout=00:00:02", effects.Setting);
        using var sender = new EventStream("slow");
        (await sender.SendAsync(await host.Address, "slow:50000")).ShouldBe(HttpStatusCode.OK);
        await Eventually.HoldsAsync(() => Task.FromResult(effects.Begun.Count == 1));

        host.Signal(PosixSignal.SIGTERM);
        await host.ExitAsync(TimeSpan.FromSeconds(20));

        effects.Done.ShouldBeEmpty();
        using var after = StorageUnderTest.Open(_folder.Store);
        (await after.QueuedAsync()).ShouldBe(1);
        (await after.JournalAsync()).ShouldHaveSingleItem().Time("ProcessedAt").ShouldBeNull();
    }

    private static void ShouldBeOneSentence(HostProcess host, params string[] parts)
    {
        host.Errors.Split('\n').ShouldHaveSingleItem();
        parts.ShouldAllBe(part => host.Errors.Contains(part, StringComparison.Ordinal), host.Errors);
        host.Errors.ShouldNotContain("   at ");
    }
}
