using TeleCmi.TestSupport;

namespace TeleCmi.Cli.Tests;

public sealed class CommandLineTests
{
    private const string StorageSetting = "TeleCmiStorage";
    private const string Unreachable = "DefaultEndpointsProtocol=http;AccountName=x;AccountKey=c2VjcmV0LWtleQ==;QueueEndpoint=http://127.0.0.1:1/x;TableEndpoint=http://127.0.0.1:1/x";

    [Theory]
    [InlineData]
    [InlineData("unknown")]
    [InlineData("journal")]
    [InlineData("status", "--unknown")]
    [InlineData("journal", "list", "--day", "yesterday")]
    [InlineData("journal", "list", "--limit", "0")]
    [InlineData("journal", "list", "--day", "2026-03-01", "--from", "2026-03-01")]
    public async Task WrongCommandLine_IsAUsageError(params string[] args)
    {
        var result = await new Operator().RunAsync(args);
        result.ExitCode.ShouldBe(ExitCodes.Usage);
        result.Error.Trim().Split('\n').ShouldHaveSingleItem().ShouldEndWith("--help'.");
        result.Out.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("", "Write a command: status, calls, journal, ", "See 'telecmi --help'.")]
    [InlineData("jornal", "There is no command 'jornal'. Did you mean journal?", "See 'telecmi --help'.")]
    [InlineData("journal lst", "There is no command 'lst'. Did you mean list?", "See 'telecmi journal --help'.")]
    [InlineData("journal list --nunber 1234567", "There is no option '--nunber'. Did you mean --number?", "See 'telecmi journal list --help'.")]
    [InlineData("status now", "'now' is not expected here.", "See 'telecmi status --help'.")]
    [InlineData("journal delete", "Write --conversation or --number.", "See 'telecmi journal delete --help'.")]
    [InlineData("journal delete --number 12345", "--number: write the whole phone number, at least 6 digits", "See 'telecmi journal delete --help'.")]
    [InlineData("send --count", "--count", "See 'telecmi send --help'.")]
    public async Task WrongCommandLine_IsOneSentenceThatSaysWhatWasMeantAndWhereToReadMore(string line, string start, string end)
    {
        var result = await new Operator().RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var sentence = result.Error.Trim().Split('\n').ShouldHaveSingleItem();
        sentence.ShouldContain(start);
        sentence.ShouldEndWith(end);
    }

    [Theory]
    [InlineData("journal list")]
    [InlineData("calls list")]
    [InlineData("calls callbacks")]
    [InlineData("calls agents")]
    [InlineData("dead-letters list")]
    [InlineData("dead-letters list --each")]
    [InlineData("send --list")]
    public async Task Listing_Fits80Columns(string line)
    {
        var full = new Operator();
        var now = TimeProvider.System.GetUtcNow();
        await full.WriteAsync([.. new CallScenario(now).Reached().Events, .. new CallScenario(now).OutgoingCdr("missed", "a").IncomingCdr("missed").Events]);
        await full.KeepPoisonAsync(Notices.Answered());
        foreach (var body in new[] { "one", "two" })
        {
            await full.KeepRejectedAsync(body);
        }

        var lines = (await full.RunAsync(line.Split(' '))).Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBeGreaterThan(1);
        lines.Where(text => text.TrimEnd().Length > 80).ShouldBeEmpty();
    }

    [Fact]
    public async Task Help_IsFine() =>
        (await new Operator().RunAsync("dead-letters", "replay", "--help")).ExitCode.ShouldBe(ExitCodes.Fine);

    [Theory]
    [InlineData("status")]
    [InlineData("journal", "list")]
    [InlineData("journal", "export")]
    [InlineData("dead-letters", "list")]
    [InlineData("dead-letters", "replay", "--all")]
    public async Task WithoutStorage_TheMessageNamesTheSetting(params string[] args)
    {
        var tool = new Operator { Store = null };
        tool.Settings["LocalHost:Data"] = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString());
        var result = await tool.RunAsync(args);
        result.ExitCode.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldContain("There is no store at");
        result.Error.ShouldContain("TeleCmiStorage");
        result.Error.ShouldContain("--storage");
    }

    [Theory]
    [InlineData("send http://127.0.0.1:1/ --rate abc")]
    [InlineData("send http://127.0.0.1:1/ --rate NaN")]
    [InlineData("send http://127.0.0.1:1/ --rate 1e-300")]
    [InlineData("send http://127.0.0.1:1/ --timeout x")]
    [InlineData("send http://127.0.0.1:1/ --count x")]
    [InlineData("send http://127.0.0.1:1/ --concurrency 1.5")]
    [InlineData("send http://127.0.0.1:1/ --method put")]
    [InlineData("status --max-queue-age x")]
    [InlineData("status --max-silence x")]
    [InlineData("status --max-silence 30")]
    [InlineData("status --max-silence -00:05:00")]
    [InlineData("journal list --limit x")]
    [InlineData("journal export --format xml")]
    [InlineData("journal delete --number x")]
    [InlineData("dead-letters list --limit 99999999999")]
    [InlineData("dead-letters list --from x")]
    public async Task ValueThatCannotBeRead_IsOneSentenceAndAUsageError(string line)
    {
        var args = line.Split(' ');
        var result = await new Operator().RunAsync(args);
        result.ExitCode.ShouldBe(ExitCodes.Usage);
        result.Error.Trim().Split('\n').ShouldHaveSingleItem().ShouldStartWith($"{args[^2]}: ");
        result.Out.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("dead-letters", "discard", "--yes", "--containing", "")]
    [InlineData("dead-letters", "discard", "--yes", "--reason", "")]
    [InlineData("dead-letters", "discard", "--yes", "--kind", "")]
    [InlineData("dead-letters", "discard", "--yes", "--from", "")]
    [InlineData("dead-letters", "discard", "--yes", "")]
    [InlineData("dead-letters", "replay", "--containing", " ")]
    [InlineData("dead-letters", "list", "--containing", "")]
    [InlineData("dead-letters", "show", "")]
    [InlineData("journal", "list", "--conversation", "")]
    [InlineData("journal", "list", "--agent", "")]
    [InlineData("journal", "list", "--day", "")]
    [InlineData("journal", "show", "")]
    [InlineData("journal", "export", "--output", "")]
    [InlineData("journal", "delete", "--yes", "--conversation", "")]
    [InlineData("journal", "delete", "--yes", "--number", "")]
    [InlineData("forward", "test", "--url", "")]
    [InlineData("forward", "test", "--url", "https://crm.example.com", "--secret", "")]
    [InlineData("send", "")]
    [InlineData("status", "--storage", "")]
    public async Task EmptyValue_IsRefusedEverywhere(params string[] args)
    {
        var full = new Operator();
        await full.KeepRejectedAsync("one");
        await full.WriteAsync(Notices.Answered());
        var result = await full.RunAsync(args);
        result.ExitCode.ShouldBe(ExitCodes.Usage);
        result.Error.Trim().Split('\n').ShouldHaveSingleItem();
        (await full.DeadLettersAsync()).Count.ShouldBe(1);
        (await full.JournalAsync()).Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("--reason posion", "poison")]
    [InlineData("--reason Rejected", "rejected")]
    [InlineData("--reason o'brien", "Write one of: poison, rejected, forward")]
    [InlineData("--kind outgoing.answerd", "Did you mean outgoing.answered?")]
    public async Task MisspeltReasonOrKind_IsRefused_AndTheNearestIsNamed(string options, string suggestion)
    {
        foreach (var command in new string[][] { ["list"], ["replay"], ["discard", "--yes"] })
        {
            var result = await new Operator().RunAsync(["dead-letters", .. command, .. options.Split(' ')]);
            result.ExitCode.ShouldBe(ExitCodes.Usage);
            result.Error.ShouldContain(suggestion);
        }
    }

    [Theory]
    [InlineData("\u001b[2J")]
    [InlineData("--\u001b[2J")]
    [InlineData("status", "\u001b[2J")]
    [InlineData("status", "--max-silence", "\u001b[2J")]
    [InlineData("send", "http://127.0.0.1:1/", "--notice", "\u001b[2J")]
    [InlineData("journal", "show", "\u001b[2J\u202e")]
    [InlineData("journal", "list", "--kind", "\u009b2J")]
    [InlineData("dead-letters", "show", "\u001b[2J")]
    [InlineData("dead-letters", "show", "\u001b/\u0007")]
    [InlineData("forward", "test", "--name", "\u001b[2J")]
    public async Task WhatWasTyped_IsRepeatedWithoutTouchingTheTerminal(params string[] args)
    {
        var result = await (new Operator { OutIsTerminal = true }).RunAsync(args);
        result.ExitCode.ShouldBeOneOf(ExitCodes.Usage, ExitCodes.Failed);
        result.Error.ShouldNotBeEmpty();
        result.Unsafe.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("TeleCmi:Forward:0:Url", "nonsense")]
    [InlineData("TeleCmi:AcceptedEvents", "nonsense")]
    [InlineData("TeleCmi:MaxEventBytes", "nonsense")]
    [InlineData("TeleCmi:Misspelt", "1")]
    public async Task WrongSettingOfTheReceiver_StopsNothingButReplay(string setting, string value)
    {
        var misconfigured = new Operator();
        var id = await misconfigured.KeepRejectedAsync("one");
        await misconfigured.WriteAsync(Notices.Answered());
        misconfigured.Settings[setting] = value;
        foreach (var args in new string[][] { ["status"], ["journal", "list"], ["journal", "export"], ["dead-letters", "list"], ["dead-letters", "show", id] })
        {
            (await misconfigured.RunAsync(args)).ExitCode.ShouldBeOneOf(ExitCodes.Fine, ExitCodes.NeedsPerson);
        }

        if (!setting.Contains("Forward", StringComparison.Ordinal))
        {
            var replay = await misconfigured.RunAsync("dead-letters", "replay", "--all");
            replay.ExitCode.ShouldBe(ExitCodes.Usage);
            replay.Error.ShouldContain(setting.Split(':')[1]);
        }

        (await misconfigured.RunAsync("dead-letters", "discard", "--all", "--yes")).ExitCode.ShouldBe(ExitCodes.Fine);
    }

    [Fact]
    public async Task StorageOnTheCommandLine_GoesBeforeTheSetting()
    {
        var misconfigured = new Operator { Store = null, Settings = { [StorageSetting] = "nonsense" } };
        (await misconfigured.RunAsync("status")).ExitCode.ShouldBe(ExitCodes.Usage);
        (await misconfigured.RunAsync("status", "--storage", Unreachable)).ExitCode.ShouldBe(ExitCodes.Failed);
    }

    [Fact]
    public async Task WrongStorageSetting_IsNotRepeated()
    {
        var result = await new Operator { Store = null, Settings = { [StorageSetting] = "AccountName=x;AccountKey=c2VjcmV0LWtleQ==;nonsense" } }.RunAsync("status");
        result.ExitCode.ShouldBe(ExitCodes.Usage);
        (result.Out + result.Error).ShouldNotContain("c2VjcmV0LWtleQ");
    }

    [Fact]
    public async Task QueueNames_AreTheAppsSettings()
    {
        var other = new Operator { Settings = { ["TeleCmiEventsQueue"] = "other-events" } };
        (await other.RunAsync("status")).Out.ShouldContain("other-events-poison");
    }

    [Fact]
    public async Task StorageThatDoesNotRespond_IsAFailureWithAMessage()
    {
        var result = await new Operator { Store = null, Settings = { [StorageSetting] = Unreachable } }.RunAsync("status");
        result.ExitCode.ShouldBe(ExitCodes.Failed);
        result.Error.ShouldContain("Storage does not respond");
        result.Error.ShouldNotContain("c2VjcmV0LWtleQ");
    }

    [Fact]
    public async Task ForbiddenStorage_IsAFailureWithAMessage()
    {
        await using var storage = await TestServer.StartAsync("", context =>
        {
            context.Response.StatusCode = 403;
            return Task.CompletedTask;
        });
        var forbidden = Unreachable.Replace("http://127.0.0.1:1", storage.Url, StringComparison.Ordinal);
        var result = await new Operator { Store = null, Settings = { [StorageSetting] = forbidden } }.RunAsync("journal", "list");
        result.ExitCode.ShouldBe(ExitCodes.Failed);
        result.Error.ShouldContain("Storage refused the request: 403");
    }
}
