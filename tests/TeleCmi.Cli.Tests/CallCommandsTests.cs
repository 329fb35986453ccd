using System.Text.Json;
using TeleCmi.TestSupport;

namespace TeleCmi.Cli.Tests;

public sealed class CallCommandsTests
{
    private const string Recording = "16506305548176941220057791_2222223.mp3";

    private static readonly DateTimeOffset Noon = new(2026, 3, 31, 12, 0, 0, TimeSpan.Zero);

    private readonly Operator _operator = new() { Clock = new StoppedClock(Noon.AddHours(2)) };

    [Fact]
    public async Task List_OnANewAccount_IsEmptyAndFine()
    {
        var result = await _operator.RunAsync("calls", "list");
        result.ExitCode.ShouldBe(ExitCodes.Fine);
        result.Out.ShouldContain("No calls.");
        (await _operator.RunAsync("calls", "list", "--json")).Json.GetArrayLength().ShouldBe(0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task List_OfACallWhoseNoticesAreShuffledAndTwice_HasOneLine(int seed)
    {
        var scenario = new CallScenario(Noon).Reached();
        var events = scenario.Events.Concat(scenario.Events).ToArray();
        new Random(seed).Shuffle(events);
        await _operator.WriteAsync(events);

        var line = (await _operator.RunAsync("calls", "list")).Out.Split('\n').Where(text => text.Contains("reached", StringComparison.Ordinal)).ShouldHaveSingleItem();
        line.Split(' ', StringSplitOptions.RemoveEmptyEntries).ShouldBe(
            ["2026-03-31", "12:00", "12:00", "out", CallScenario.Agent, "*********001", "reached", "0:06", "yes"]);

        var call = (await ListedAsync()).ShouldHaveSingleItem();
        call.GetProperty("outcome").GetString().ShouldBe("reached");
        call.GetProperty("talkSeconds").GetInt32().ShouldBe(6);
        call.GetProperty("recording").GetString().ShouldBe(Recording);
        call.GetProperty("requestId").GetString().ShouldBe(scenario.Request);
        call.GetProperty("complete").GetBoolean().ShouldBeTrue();
        call.GetProperty("events").GetArrayLength().ShouldBe(8);
    }

    [Fact]
    public async Task List_IsNewestFirst_AndMasksPhoneNumbers()
    {
        var older = await WriteAsync(new CallScenario(Noon).Reached());
        var newer = await WriteAsync(new CallScenario(Noon.AddMinutes(5)).Reached());
        (await ListedAsync()).Select(IdOf).ShouldBe([newer.Id, older.Id]);

        var limited = await _operator.RunAsync("calls", "list", "--json", "--limit", "1");
        IdOf(limited.Json.EnumerateArray().ShouldHaveSingleItem()).ShouldBe(newer.Id);
        limited.Error.ShouldContain("more than 1");
        foreach (var result in new[] { limited, await _operator.RunAsync("calls", "list") })
        {
            result.Out.ShouldContain("*********001");
            result.Out.ShouldNotContain(CallScenario.Customer);
            result.Out.ShouldNotContain("442000000000");
        }
    }

    [Theory]
    [InlineData("", "reached missed")]
    [InlineData("--agent 202", "reached")]
    [InlineData("--agent 202_2222223", "reached")]
    [InlineData("--agent 20", "")]
    [InlineData("--number 2000000001", "reached")]
    [InlineData("--number +44-7700-900123", "missed")]
    [InlineData("--outcome missed", "missed")]
    [InlineData("--outcome busy", "")]
    [InlineData("--day today", "reached missed")]
    [InlineData("--day yesterday", "no_answer")]
    [InlineData("--day 2026-03-30", "no_answer")]
    [InlineData("--from 2026-03-30", "reached missed no_answer")]
    [InlineData("--from 2026-03-29 --to 2026-03-30", "no_answer")]
    [InlineData("--to 2026-03-29", "")]
    public async Task ListAndExport_AreNarrowedByTheirOptions(string options, string outcomes)
    {
        await WriteAsync(NoAnswer(new CallScenario(Noon.AddDays(-1)) { AgentName = "203_2222223" }));
        await WriteAsync(Missed(new CallScenario(Noon) { CustomerNumber = "447700900123" }));
        await WriteAsync(new CallScenario(Noon.AddMinutes(1)).Reached());

        var words = options.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string.Join(' ', (await ListedAsync(words)).Select(OutcomeOf)).ShouldBe(outcomes);
        string.Join(' ', Lines((await _operator.RunAsync(["calls", "export", .. words])).Out).Select(line => OutcomeOf(JsonOf(line)))).ShouldBe(outcomes);
    }

    [Theory]
    [InlineData("--outcome reachd", "Did you mean reached?")]
    [InlineData("--outcome Missed", "Did you mean missed?")]
    [InlineData("--number 000001", "at least 7 digits")]
    [InlineData("--day 31.03.2026", "yyyy-MM-dd")]
    [InlineData("--day today --to today", "not both")]
    public async Task List_WithAWrongOption_IsRefusedAndSaysWhatToWrite(string options, string sentence)
    {
        var result = await _operator.RunAsync(["calls", "list", .. options.Split(' ')]);
        result.ExitCode.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldContain(sentence);
        result.Out.ShouldNotContain("No calls.");
    }

    [Fact]
    public async Task Show_ByAnyOfItsIds_HasTheWholeCall()
    {
        var scenario = await WriteAsync(new CallScenario(Noon).Reached());
        await WriteAsync(new CallScenario(Noon).Reached());
        foreach (var id in new[] { scenario.Conversation, scenario.Request, scenario.Events[3].Id, scenario.Events[^2].Id, scenario.Id })
        {
            var result = await _operator.RunAsync("calls", "show", id, "--json");
            result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
            var call = result.Json.EnumerateArray().ShouldHaveSingleItem();
            IdOf(call).ShouldBe(scenario.Id);
            call.GetProperty("customerNumber").GetString().ShouldBe(CallScenario.Customer);
            call.GetProperty("events").EnumerateArray().Select(IdOf).ShouldBe(scenario.Events.Select(callEvent => callEvent.Id));
        }

        var text = (await _operator.RunAsync("calls", "show", scenario.Request)).Out;
        text.ShouldContain(CallScenario.Customer);
        scenario.Events.ShouldAllBe(callEvent => text.Contains(callEvent.Id, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Show_OfAnUnknownCall_Fails()
    {
        await WriteAsync(new CallScenario(Noon).Reached());
        var result = await _operator.RunAsync("calls", "show", "nothing");
        result.ExitCode.ShouldBe(ExitCodes.Failed);
        result.Error.ShouldContain("no call nothing");
    }

    [Fact]
    public async Task Export_ByOptionAndByFileEnding_HasEveryCallInFull()
    {
        await WriteAsync(new CallScenario(Noon).Reached());
        await WriteAsync(Missed(new CallScenario(Noon.AddMinutes(1))));
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            var csv = Path.Combine(folder.FullName, "calls.csv");
            var lines = Path.Combine(folder.FullName, "calls.jsonl");
            (await _operator.RunAsync("calls", "export", "-o", csv)).Error.ShouldContain("2 call(s)");
            (await _operator.RunAsync("calls", "export", "-o", lines)).ExitCode.ShouldBe(ExitCodes.Fine);
            (await _operator.RunAsync("calls", "export", "-o", lines)).ExitCode.ShouldBe(ExitCodes.Usage);
            (await File.ReadAllTextAsync(csv)).ShouldBe((await _operator.RunAsync("calls", "export", "--format", "csv")).Out);
            (await File.ReadAllTextAsync(lines)).ShouldBe((await _operator.RunAsync("calls", "export", "--format", "jsonl")).Out);
            (await File.ReadAllTextAsync(lines)).ShouldBe((await _operator.RunAsync("calls", "export")).Out);

            var rows = (await File.ReadAllTextAsync(csv)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
            rows.Length.ShouldBe(3);
            rows[0].ShouldBe(
                "id,conversationId,appId,direction,agent,customerNumber,businessNumber,team,requestId,custom,startedAt,agentAnsweredAt,customerAnsweredAt,endedAt,"
                + "outcome,talkSeconds,waitSeconds,hangupReason,recording,voicemail,complete,missing");
            rows[1].ShouldContain(",missed,");
            rows[2].ShouldContain($",outgoing,{CallScenario.Agent},{CallScenario.Customer},442000000000,");
            rows[2].ShouldContain(",reached,6,,");
            rows[2].ShouldEndWith($",{Recording},false,true,");

            var calls = Lines(await File.ReadAllTextAsync(lines)).Select(JsonOf).ToArray();
            calls.Select(OutcomeOf).ShouldBe(["missed", "reached"]);
            calls[1].GetProperty("customerNumber").GetString().ShouldBe(CallScenario.Customer);
            calls[1].GetProperty("events").GetArrayLength().ShouldBe(8);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Callbacks_AreCustomersWhomNobodySpokeWithSince()
    {
        await WriteAsync(Missed(new CallScenario(Noon) { CustomerNumber = "447700900001" }));
        var again = await WriteAsync(Missed(new CallScenario(Noon.AddMinutes(3)) { CustomerNumber = "7700900001" }));
        await WriteAsync(NoAnswer(new CallScenario(Noon.AddMinutes(1)) { CustomerNumber = "447700900002" }));
        await WriteAsync(Missed(new CallScenario(Noon) { CustomerNumber = "447700900003" }));
        await WriteAsync(new CallScenario(Noon.AddMinutes(2)) { CustomerNumber = "07700900003" }.Reached());
        await WriteAsync(new CallScenario(Noon) { CustomerNumber = "447700900004" }.Reached());

        var result = await _operator.RunAsync("calls", "callbacks", "--json");
        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        result.Json.EnumerateArray().Select(customer => $"{customer.GetProperty("customerNumber")} {OutcomeOf(customer)} {customer.GetProperty("attempts")}")
            .ShouldBe(["7700900001 missed 2", "447700900002 no_answer 1"]);
        result.Json[0].GetProperty("callId").GetString().ShouldBe(again.Id);
        result.Json[0].GetProperty("lastAt").GetString().ShouldBe("2026-03-31T12:03:00.000Z");
        result.Json[1].GetProperty("agent").GetString().ShouldBe(CallScenario.Agent);

        var table = (await _operator.RunAsync("calls", "callbacks")).Out;
        table.ShouldContain("447700900002");
        table.ShouldNotContain("7700900003");
        table.ShouldNotContain("7700900004");
    }

    [Fact]
    public async Task Callbacks_OfADayOrAnAgent_AreSettledByAnyLaterContact()
    {
        await WriteAsync(NoAnswer(new CallScenario(Noon.AddDays(-1)) { CustomerNumber = "447700900001" }));
        await WriteAsync(NoAnswer(new CallScenario(Noon.AddDays(-1)) { CustomerNumber = "447700900002" }));
        await WriteAsync(new CallScenario(Noon) { CustomerNumber = "447700900001", AgentName = "203_2222223" }.Reached());
        await WriteAsync(NoAnswer(new CallScenario(Noon) { CustomerNumber = "447700900005" }));
        foreach (var options in new string[][] { ["--day", "yesterday"], ["--from", "2026-03-30", "--to", "2026-03-30"], ["--agent", "202", "--day", "yesterday"] })
        {
            (await _operator.RunAsync(["calls", "callbacks", "--json", .. options])).Json.EnumerateArray()
                .Select(customer => customer.GetProperty("customerNumber").GetString()).ShouldBe(["447700900002"], string.Join(' ', options));
        }

        (await _operator.RunAsync("calls", "callbacks", "--agent", "203", "--from", "2026-03-30")).Out.Trim().ShouldBe("Nobody to call back.");
    }

    [Fact]
    public async Task Agents_HaveTheirConnectRateAndTalkTime()
    {
        await WriteAsync(new CallScenario(Noon).Reached());
        await WriteAsync(new CallScenario(Noon.AddMinutes(1)).Reached());
        await WriteAsync(NoAnswer(new CallScenario(Noon.AddMinutes(2))));
        await WriteAsync(NoAnswer(new CallScenario(Noon) { AgentName = "203_2222223" }));

        var result = await _operator.RunAsync("calls", "agents", "--json");
        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        result.Json.EnumerateArray().Select(agent => string.Join(' ', agent.EnumerateObject().Select(property => $"{property.Name}:{property.Value}"))).ShouldBe(
            ["agent:202_2222223 calls:3 reached:2 connectRate:0.667 talkSeconds:12", "agent:203_2222223 calls:1 reached:0 connectRate:0 talkSeconds:0"]);

        var line = (await _operator.RunAsync("calls", "agents", "--agent", "202")).Out.Split('\n').Where(text => text.Contains("_2222223", StringComparison.Ordinal)).ShouldHaveSingleItem();
        line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[..3].ShouldBe(["202_2222223", "3", "2"]);
        line.ShouldContain("67");
        line.ShouldContain("0:12");
    }

    [Fact]
    public async Task JournalDelete_ByConversation_LeavesNoneOfTheCallsRows()
    {
        var scenario = await WriteAsync(new CallScenario(Noon).Reached());
        var other = await WriteAsync(new CallScenario(Noon).Reached());
        (await _operator.JournalAsync()).Count(row => row.Text("ConversationId") is null).ShouldBe(4, "the detail records name no conversation");

        var result = await _operator.RunAsync("journal", "delete", "--conversation", scenario.Conversation, "--yes", "--json");
        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        result.Json.GetProperty("deleted").GetInt32().ShouldBe(8);
        (await _operator.JournalAsync()).Select(row => row.Text("EventId")).ShouldBe(other.Events.Select(callEvent => callEvent.Id), ignoreOrder: true);
        (await ListedAsync()).Select(IdOf).ShouldBe([other.Id]);
    }

    private static CallScenario Missed(CallScenario scenario) => scenario.Incoming("waiting").Incoming("hangup").IncomingCdr("missed");

    private static CallScenario NoAnswer(CallScenario scenario) => scenario.Outgoing("started", "a").Outgoing("answered", "a").Outgoing("started", "b")
        .OutgoingCdr("missed", "b", ("hangup_reason", "recv_cancel")).OutgoingCdr("answered", "a");

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static JsonElement JsonOf(string text) => JsonDocument.Parse(text).RootElement;

    private static string? IdOf(JsonElement json) => json.GetProperty("id").GetString();

    private static string? OutcomeOf(JsonElement json) => json.GetProperty("outcome").GetString();

    private async Task<CallScenario> WriteAsync(CallScenario scenario)
    {
        await _operator.WriteAsync(scenario.Events);
        return scenario;
    }

    private async Task<JsonElement[]> ListedAsync(params string[] options)
    {
        var result = await _operator.RunAsync(["calls", "list", "--json", .. options]);
        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        return [.. result.Json.EnumerateArray()];
    }
}
