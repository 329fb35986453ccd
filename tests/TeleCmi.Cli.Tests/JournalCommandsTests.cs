using System.Text.Json;

namespace TeleCmi.Cli.Tests;

public sealed class JournalCommandsTests
{
    private const string March1 = "1772359200000";
    private const string March2 = "1772445600000";

    private readonly Operator _operator = new();

    [Fact]
    public async Task List_OnANewAccount_IsEmptyAndFine()
    {
        var result = await _operator.RunAsync("journal", "list");
        result.ExitCode.ShouldBe(ExitCodes.Fine);
        result.Out.Trim().ShouldBe("No events.");
    }

    [Fact]
    public async Task Listings_MaskPhoneNumbers_AndShowDoesNot()
    {
        await _operator.WriteAsync(Notices.Answered());
        foreach (var args in new string[][] { ["list"], ["list", "--json"] })
        {
            var listed = await _operator.RunAsync(["journal", .. args]);
            listed.Out.ShouldContain("*********001");
            listed.Out.ShouldNotContain("442000000001");
            listed.Out.ShouldNotContain("442000000000");
        }

        (await _operator.RunAsync("journal", "show", "conversation-1")).Out.ShouldContain("442000000001");
    }

    [Theory]
    [InlineData("--day 2026-03-01", 2)]
    [InlineData("--from 2026-03-02", 1)]
    [InlineData("--to 2026-03-01", 2)]
    [InlineData("--kind outgoing.answered", 2)]
    [InlineData("--conversation conversation-1", 2)]
    [InlineData("--conversation conversation", 0)]
    [InlineData("--agent 202", 2)]
    [InlineData("--agent 202_2222223", 2)]
    [InlineData("--agent 20", 0)]
    [InlineData("--agent x'or'1'eq'1", 0)]
    public async Task List_IsNarrowedByItsOptions(string options, int expected)
    {
        await _operator.WriteAsync(
            Notices.Answered("leg-1", time: March1),
            Notices.Answered("leg-2", leg: "b", time: March1, user: "203_2222223"),
            Notices.Answered("leg-3", conversation: "conversation/2", time: March2, status: "hangup"));
        var result = await _operator.RunAsync(["journal", "list", "--json", .. options.Split(' ')]);
        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        result.Json.GetArrayLength().ShouldBe(expected);
    }

    [Fact]
    public async Task List_IsNewestFirst_AcrossDaysAndWithinOne()
    {
        await _operator.WriteAsync(
            Notices.Answered("leg-1", "b", time: March1),
            Notices.Answered("leg-2", "a", time: "1772359260000"),
            Notices.Answered("leg-3", "c", time: "1772359140000"),
            Notices.Answered("leg-4", "d", time: March2),
            Notices.Answered("leg-5", "e", time: "1577836800000"));
        (await ListedAsync()).ShouldBe(["d", "a", "b", "c", "e"]);
        (await ListedAsync("--to", "2026-03-01", "--limit", "2")).ShouldBe(["a", "b"]);
        (await ListedAsync("--from", "0001-01-01", "--to", "2020-01-01")).ShouldBe(["e"]);
        (await ListedAsync("--from", "2026-03-02", "--to", "9999-12-31")).ShouldBe(["d"]);
        (await _operator.RunAsync("journal", "list", "--limit", "4")).Error.ShouldContain("more than 4");
    }

    [Fact]
    public async Task List_HasEventsOfAWrongClockAndWithoutATime_InTheirPlaces()
    {
        var now = TimeProvider.System.GetUtcNow();
        await _operator.WriteAsync(Notices.Answered("leg-1", "future", time: $"{now.AddYears(1).ToUnixTimeMilliseconds()}"));
        await _operator.WriteAsync(Notices.Answered("leg-2", "undated", time: "0"), now.AddHours(-2));
        await _operator.WriteAsync(Notices.Answered("leg-3", "before", time: $"{now.AddHours(-3).ToUnixTimeMilliseconds()}"));
        await _operator.WriteAsync(Notices.Answered("leg-4", "after", time: $"{now.AddHours(-1).ToUnixTimeMilliseconds()}"));
        (await ListedAsync()).ShouldBe(["future", "after", "undated", "before"]);
        (await ListedAsync("--limit", "1")).ShouldBe(["future"]);
    }

    [Theory]
    [InlineData("2000000001", "to", "from")]
    [InlineData("+44 2000 000001", "to", "from")]
    [InlineData("442000000000", "")]
    public async Task List_ByNumber_HasTheEventsThatNameTheCustomer(string number, params string[] expected)
    {
        await _operator.WriteAsync(
            Notices.Answered("leg-1", "to", time: March2),
            Notices.Answered("leg-2", "other", to: "442000000002"),
            """{"type":"event","direction":"inbound","status":"waiting","app_id":1,"cmiuuid":"in-1","conversation_uuid":"from","from":442000000001,"to":"442000000000","time":1772359200000}""");
        (await ListedAsync("--number", number)).ShouldBe(expected.Where(conversation => conversation.Length > 0));
        var exported = (await _operator.RunAsync("journal", "export", "--number", number)).Out;
        exported.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(expected.Count(conversation => conversation.Length > 0));
    }

    [Fact]
    public async Task List_ByTooShortANumber_IsRefused()
    {
        var result = await _operator.RunAsync("journal", "list", "--number", "000001");
        result.ExitCode.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldContain("at least 7 digits");
    }

    [Fact]
    public async Task Show_FindsByEventIdAndByConversation()
    {
        await _operator.WriteAsync(Notices.Answered("leg-1"), Notices.Answered("leg-2", leg: "b"));
        var call = (await _operator.RunAsync("journal", "show", "conversation-1", "--json")).Json;
        call.GetArrayLength().ShouldBe(2);
        call[0].GetProperty("event").GetProperty("data").GetProperty("to").GetString().ShouldBe("442000000001");
        (await _operator.RunAsync("journal", "show", "2223343:event:leg-2:b:answered", "--json")).Json.GetArrayLength().ShouldBe(1);
        (await _operator.RunAsync("journal", "show", "nothing")).ExitCode.ShouldBe(ExitCodes.Failed);
    }

    [Fact]
    public async Task HostileText_IsShownWithoutTouchingTheTerminal()
    {
        var terminal = _operator with { OutIsTerminal = true };
        await terminal.WriteAsync(Notices.Answered(conversation: "[red]\u001b[31m\u202e", user: "a\nb\u0000[/]", to: "[link=x]1234"));
        foreach (var args in new string[][] { ["list"], ["list", "--json"], ["show", "[red]\u001b[31m\u202e"], ["show", "[red]\u001b[31m\u202e", "--json"], ["export"], ["export", "--format", "csv"] })
        {
            var result = await terminal.RunAsync(["journal", .. args]);
            result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
            result.Unsafe.ShouldBeEmpty(string.Join(' ', args));
        }

        (await _operator.RunAsync("journal", "export", "--format", "csv")).Out.ShouldContain("[red]\u001b[31m\u202e");
    }

    [Fact]
    public async Task Export_AsJsonLines_HasOneWholeEventALine()
    {
        await _operator.WriteAsync(Notices.Answered("leg-1", user: "a\nb"), Notices.Answered("leg-2"));
        var lines = (await _operator.RunAsync("journal", "export")).Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe(2);
        using var first = JsonDocument.Parse(lines[0]);
        first.RootElement.GetProperty("user").GetString().ShouldBe("a\nb");
        first.RootElement.GetProperty("event").GetProperty("type").GetString().ShouldBe("com.telecmi.outgoing.answered");
    }

    [Theory]
    [InlineData("=HYPERLINK(1)", "'=HYPERLINK(1)")]
    [InlineData("+44200", "'+44200")]
    [InlineData("-1+1", "'-1+1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("  =1", "'  =1")]
    [InlineData("\t=1", "'\t'=1")]
    [InlineData("a;=1", "a;'=1")]
    [InlineData("a; =1;+2", "a;' =1;'+2")]
    [InlineData("a;\"=1\"", "\"a;'\"\"=1\"\"\"")]
    [InlineData("a|@b", "a|'@b")]
    [InlineData("a,-1", "\"a,'-1\"")]
    [InlineData("a\n=1", "\"a\n'=1\"")]
    [InlineData("\uFEFF=1", "'\uFEFF=1")]
    [InlineData("\0=1", "'\0=1")]
    [InlineData("\u200B\u2060=1", "'\u200B\u2060=1")]
    [InlineData("a;b=1", "a;b=1")]
    [InlineData("\uFF1D1", "'\uFF1D1")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("a\"b", "\"a\"\"b\"")]
    [InlineData("=a\r\nb", "\"'=a\r\nb\"")]
    [InlineData("202_1", "202_1")]
    public async Task Export_AsCsv_QuotesByTheRfcAndDefusesFormulas(string value, string field)
    {
        await _operator.WriteAsync(Notices.Answered(user: value));
        var csv = (await _operator.RunAsync("journal", "export", "--format", "csv")).Out;
        csv.ShouldStartWith("day,eventId,kind,leg,answeredBy,user,callerId,to,");
        csv.ShouldContain($",agent,{field},442000000000,");
        csv.ShouldEndWith("\r\n");
    }

    [Fact]
    public async Task Export_ToAFile_TellsTheFormatByTheName_AndDoesNotOverwrite()
    {
        await _operator.WriteAsync(Notices.Answered());
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            var file = Path.Combine(folder.FullName, "events.csv");
            (await _operator.RunAsync("journal", "export", "--output", file)).Error.ShouldContain("1 event(s)");
            (await File.ReadAllTextAsync(file)).ShouldStartWith("day,eventId");
            (await _operator.RunAsync("journal", "export", "-o", file)).ExitCode.ShouldBe(ExitCodes.Usage);
            (await _operator.RunAsync("journal", "export", "-o", file, "--force", "--format", "jsonl")).ExitCode.ShouldBe(ExitCodes.Fine);
            (await File.ReadAllTextAsync(file)).ShouldStartWith("{");
            folder.GetFiles().Length.ShouldBe(1);
            if (!OperatingSystem.IsWindows())
            {
                File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Delete_ByConversation_TakesTheWholeCallAndNothingElse()
    {
        await _operator.WriteAsync(Notices.Answered("leg-1"), Notices.Answered("leg-2"), Notices.Answered("leg-3", conversation: "conversation-10"));
        (await _operator.RunAsync("journal", "delete", "--conversation", "conversation-1")).ExitCode.ShouldBe(ExitCodes.Usage);
        (await _operator.AskedAsync("no\n", "journal", "delete", "--conversation", "conversation-1")).ExitCode.ShouldBe(ExitCodes.Failed);
        (await _operator.JournalAsync()).Count.ShouldBe(3);

        (await _operator.RunAsync("journal", "delete", "--conversation", "conversation-1", "--yes", "--json")).Json.GetProperty("deleted").GetInt32().ShouldBe(2);
        (await _operator.JournalAsync()).Single().Text("ConversationId").ShouldBe("conversation-10");
    }

    [Fact]
    public async Task Delete_ByNumber_TakesEveryCallOfThatNumberWhole()
    {
        await _operator.WriteAsync(
            Notices.Answered("leg-1", "mine", to: "+44 2000 000009"),
            Notices.Answered("leg-2", "mine", leg: "b", to: "441"),
            Notices.Answered("leg-3", "others", to: "442000000008"),
            """{"type":"event","direction":"inbound","status":"waiting","app_id":1,"cmiuuid":"in-1","from":442000000009,"to":"1","time":1772359200000}""");
        (await _operator.RunAsync("journal", "delete", "--number", "442000000009", "--day", "2020-01-01", "--yes", "--json")).Json.GetProperty("deleted").GetInt32().ShouldBe(0);
        (await _operator.RunAsync("journal", "delete", "--number", "442000000009", "--yes", "--json")).Json.GetProperty("deleted").GetInt32().ShouldBe(3);
        (await _operator.JournalAsync()).Single().Text("ConversationId").ShouldBe("others");
    }

    [Theory]
    [InlineData("")]
    [InlineData("--conversation x --number 442000000009")]
    [InlineData("--number +")]
    public async Task Delete_WithoutOneClearChoice_IsRefused(string options) =>
        (await _operator.RunAsync(["journal", "delete", "--yes", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)])).ExitCode.ShouldBe(ExitCodes.Usage);

    private async Task<string?[]> ListedAsync(params string[] options)
    {
        var result = await _operator.RunAsync(["journal", "list", "--json", .. options]);
        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        return [.. result.Json.EnumerateArray().Select(row => row.GetProperty("conversationId").GetString())];
    }
}
