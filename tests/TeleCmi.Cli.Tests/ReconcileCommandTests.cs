using TeleCmi.TestSupport;

namespace TeleCmi.Cli.Tests;

/// <summary><c>telecmi reconcile</c> against the stand-in of TeleCMI's reports.</summary>
public sealed class ReconcileCommandTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 31, 12, 0, 0, TimeSpan.Zero);

    private readonly Operator _operator = new() { Clock = new StoppedClock(Noon.AddHours(2)) };
    private ReportServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ReportServer.StartAsync();
        foreach (var (name, value) in _server.Settings)
        {
            _operator.Settings[name] = value;
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task NothingMissing_IsFine()
    {
        var call = new CallScenario(Noon).Reached();
        await _operator.WriteAsync(call.Events);
        _server.Add("out_answered", Noon, call.LegB);

        var result = await _operator.RunAsync("reconcile", "--day", "today");

        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        result.Out.ShouldBe("From 2026-03-31T00:00:00.000Z to 2026-03-31T13:30:00.000Z: 1 matched.\n", StringCompareShould.IgnoreLineEndings);
    }

    [Fact]
    public async Task MissingCall_NeedsAPerson_IsShownMasked_AndNothingIsChanged()
    {
        _server.Add("out_answered", Noon, "leg-b", seconds: 31);

        var result = await _operator.RunAsync("reconcile");

        result.ExitCode.ShouldBe(ExitCodes.NeedsPerson, result.Error);
        var line = result.Out.Split('\n').Single(text => text.Contains("leg", StringComparison.Ordinal) || text.Contains("out_answered", StringComparison.Ordinal));
        line.Split(' ', StringSplitOptions.RemoveEmptyEntries).ShouldBe(
            ["missing", "2026-03-31", "12:00:00", "out_answered", CallScenario.Agent, "*********001", "31", "s", "-", "The", "journal", "has", "nothing", "of", "it."]);
        result.Out.ShouldContain(": 1 missing.");
        result.Out.ShouldContain("--backfill queues");
        (await _operator.Queue.CountAsync(CancellationToken.None)).ShouldBe(0);
    }

    [Fact]
    public async Task DaysThatMayBePurged_AreNotMissing_AndItSaysSo()
    {
        _operator.Settings["TeleCmi:Retention"] = "7";
        _server.Add("out_answered", Noon.AddDays(-8), "purged").Add("out_answered", Noon.AddDays(-7), "kept");

        var result = await _operator.RunAsync("reconcile", "--from", "2026-03-01", "--to", "today", "--backfill", "--yes");

        result.Out.ShouldContain("From 2026-03-24T00:00:00.000Z to 2026-03-31T13:30:00.000Z: 1 missing.");
        result.Out.ShouldContain("1 queued.");
        result.Error.ShouldContain("Days before 2026-03-24 are not compared: TeleCmi__Retention");
    }

    [Fact]
    public async Task Json_TellsEverything()
    {
        var call = new CallScenario(Noon).Reached();
        await _operator.WriteAsync(call.Events);
        _server.Add("out_answered", Noon, call.LegB, seconds: 60).Add("missed", Noon.AddMinutes(1), "leg", agent: null, from: "440000000009", seconds: null);

        var json = (await _operator.RunAsync("reconcile", "--json")).Json;

        json.GetProperty("missing").GetInt32().ShouldBe(1);
        json.GetProperty("counts").EnumerateObject().Select(count => $"{count.Value} {count.Name}").ShouldBe(["1 differing", "1 missing"]);
        var calls = json.GetProperty("calls").EnumerateArray().ToDictionary(found => found.GetProperty("state").GetString()!);
        calls["differing"].GetProperty("callId").GetString().ShouldBe(call.Id);
        calls["differing"].GetProperty("talkSecondsThere").GetInt32().ShouldBe(60);
        calls["differing"].GetProperty("talkSeconds").GetInt32().ShouldBe(6);
        calls["missing"].GetProperty("eventId").GetString().ShouldBe("2223343:cdr:leg:-:missed");
        calls["missing"].GetProperty("customer").GetString().ShouldBe("*********009");
    }

    [Fact]
    public async Task Backfill_AsksFirst()
    {
        _server.Add("out_answered", Noon, "leg-b");

        (await _operator.RunAsync("reconcile", "--backfill")).ExitCode.ShouldBe(ExitCodes.Usage, "nobody is there to ask");
        (await _operator.AskedAsync("n", "reconcile", "--backfill")).ExitCode.ShouldBe(ExitCodes.Failed);
        (await _operator.Queue.CountAsync(CancellationToken.None)).ShouldBe(0);

        (await _operator.AskedAsync("y", "reconcile", "--backfill")).ExitCode.ShouldBe(ExitCodes.Fine);
        (await _operator.Queue.CountAsync(CancellationToken.None)).ShouldBe(1);
    }

    [Fact]
    public async Task Backfill_ThenNothingIsMissing_AndTheCallIsThereOnce()
    {
        _server.Add("out_answered", Noon, "leg-b").Add("missed", Noon.AddMinutes(1), "leg", agent: null, seconds: null);

        var backfilled = await _operator.RunAsync("reconcile", "--backfill", "--yes");
        backfilled.ExitCode.ShouldBe(ExitCodes.Fine, backfilled.Error);
        backfilled.Out.ShouldContain("2 queued.");
        await _operator.ProcessAsync();

        (await _operator.RunAsync("reconcile")).Out.ShouldContain(": 2 matched.");
        (await _operator.RunAsync("calls", "list", "--json")).Json.GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task WithoutItsSettings_ItSaysWhichAreMissing()
    {
        _operator.Settings.Remove("TeleCmi:Reconcile:AppId");
        _operator.Settings.Remove("TeleCmi:Reconcile:Secret");

        var result = await _operator.RunAsync("reconcile");

        result.ExitCode.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldContain("TeleCmi__Reconcile__Secret: not set.");
    }

    [Fact]
    public async Task WrongSecret_IsASentence_WithoutTheSecret()
    {
        _operator.Settings["TeleCmi:Reconcile:Secret"] = "wrong-secret";

        var result = await _operator.RunAsync("reconcile", "--json");

        result.ExitCode.ShouldBe(ExitCodes.Failed);
        result.Error.ShouldContain("TeleCMI does not accept the app id or the secret");
        (result.Out + result.Error).ShouldNotContain("wrong-secret");
        (result.Out + result.Error).ShouldNotContain(ReportServer.Secret);
    }

    [Fact]
    public async Task DayThatIsNotOver_SaysHowFarItWent()
    {
        (await _operator.RunAsync("reconcile", "--day", "2026-04-01")).Out.ShouldContain("No call of these days is settled yet.");
        (await _operator.RunAsync("reconcile", "--from", "2026-03-30")).Out.ShouldContain("No calls from 2026-03-30T00:00:00.000Z to 2026-03-31T13:30:00.000Z, here or there.");
    }
}
