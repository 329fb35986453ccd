namespace TeleCmi.Cli.Tests;

public sealed class SendCommandTests
{
    private readonly Operator _operator = new();

    [Theory]
    [InlineData("post")]
    [InlineData("get")]
    [InlineData("form")]
    public async Task Send_WithFreshIds_MakesThatManyEvents(string method)
    {
        await using var receiver = await _operator.StartReceiverAsync();
        var result = await _operator.RunAsync("send", receiver.Url, "--method", method, "--count", "20", "--json");
        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        result.Json.GetProperty("answers").GetProperty("200 accepted").GetInt32().ShouldBe(20);
        var latency = result.Json.GetProperty("latencyMilliseconds");
        latency.GetProperty("p50").GetDouble().ShouldBeInRange(0.01, latency.GetProperty("max").GetDouble());
        latency.GetProperty("p95").GetDouble().ShouldBeLessThanOrEqualTo(latency.GetProperty("p99").GetDouble());
        await _operator.ProcessAsync();
        (await _operator.JournalAsync()).Count.ShouldBe(20);
    }

    [Fact]
    public async Task Send_OfBothLegs_MakesCallsWhoseLegsShareTheConversation()
    {
        await using var receiver = await _operator.StartReceiverAsync();
        var result = await _operator.RunAsync(
            "send", receiver.Url, "--notice", "chub-event-outgoing-answered-a", "--notice", "chub-event-outgoing-answered-b", "--count", "6");
        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        await _operator.ProcessAsync();
        var rows = await _operator.JournalAsync();
        rows.Count.ShouldBe(6);
        rows.GroupBy(row => row.Text("ConversationId"), StringComparer.Ordinal)
            .Select(call => string.Concat(call.Select(row => row.Text("Leg")).Order(StringComparer.Ordinal)))
            .ShouldBe(["ab", "ab", "ab"]);
        rows.ShouldAllBe(row => row.Time("EventTime") > TimeProvider.System.GetUtcNow().AddMinutes(-5));
    }

    [Fact]
    public async Task Send_Verbatim_IsTheSameEventOverAndOver()
    {
        await using var receiver = await _operator.StartReceiverAsync();
        (await _operator.RunAsync("send", receiver.Url, "--count", "3", "--verbatim")).ExitCode.ShouldBe(ExitCodes.Fine);
        (await _operator.RunAsync("send", receiver.Url, "--verbatim", "--method", "get")).ExitCode.ShouldBe(ExitCodes.Fine);
        await _operator.ProcessAsync();
        (await _operator.JournalAsync()).Single().Text("EventId")
            .ShouldBe("2223343:event:ccd826f9-67a4-4467-acfb-a53093ff5c9d:a:answered");
    }

    [Fact]
    public async Task Send_OfEveryDocumentedNotice_IsAcknowledged()
    {
        await using var receiver = await _operator.StartReceiverAsync();
        var names = (await _operator.RunAsync("send", "--list", "--json")).Json.EnumerateArray().Select(notice => notice.GetProperty("name").GetString()!).ToArray();
        names.Length.ShouldBeGreaterThan(30);
        foreach (var method in new[] { "post", "get", "form" })
        {
            var result = await _operator.RunAsync(["send", receiver.Url, "--method", method, "--count", $"{names.Length}", "--json", "--notice", .. names]);
            result.ExitCode.ShouldBe(ExitCodes.Fine, result.Out);
            result.Json.GetProperty("acknowledged").GetInt32().ShouldBe(names.Length);
        }
    }

    [Fact]
    public async Task Send_ByKind_SendsThatKind()
    {
        await using var receiver = await _operator.StartReceiverAsync();
        var result = await _operator.RunAsync("send", receiver.Url, "--kind", "cdr.incoming.missed", "--count", "2");
        result.ExitCode.ShouldBe(ExitCodes.Fine);
        result.Out.ShouldContain("2 x 200 ignored");
    }

    [Fact]
    public async Task Send_AtARate_TakesItsTime()
    {
        await using var receiver = await _operator.StartReceiverAsync();
        var result = await _operator.RunAsync("send", receiver.Url, "--count", "11", "--rate", "20", "--json");
        result.Json.GetProperty("seconds").GetDouble().ShouldBeGreaterThanOrEqualTo(0.49);
    }

    [Fact]
    public async Task Send_NeverPrintsTheSecretInTheAddress()
    {
        const string Token = "a-secret-of-more-than-twenty";
        _operator.Settings["TeleCmi:AccessTokens"] = Token;
        await using var receiver = await _operator.StartReceiverAsync();
        var url = receiver.Url.Replace("/events", $"/{Token}/events", StringComparison.Ordinal);
        var right = await _operator.RunAsync("send", $"{url}?code=key-of-the-app", "--method", "get");
        right.ExitCode.ShouldBe(ExitCodes.Fine, right.Out);
        var wrong = await _operator.RunAsync("send", url.Replace(Token, $"{Token}x", StringComparison.Ordinal), "--json");
        wrong.ExitCode.ShouldBe(ExitCodes.Failed);
        wrong.Json.GetProperty("answers").GetProperty("404 not-found").GetInt32().ShouldBe(1);
        foreach (var said in new[] { right.Out, right.Error, wrong.Out, wrong.Error })
        {
            said.ShouldNotContain(Token);
            said.ShouldNotContain("key-of-the-app");
        }
    }

    [Fact]
    public async Task Send_TakesTheAddressFromTheSetting()
    {
        await using var receiver = await _operator.StartReceiverAsync();
        _operator.Settings["TeleCmiWebhookUrl"] = receiver.Url;
        (await _operator.RunAsync("send")).ExitCode.ShouldBe(ExitCodes.Fine);
    }

    [Fact]
    public async Task Send_ToNobody_FailsAndSaysWhy()
    {
        var receiver = await _operator.StartReceiverAsync();
        await receiver.DisposeAsync();
        var result = await _operator.RunAsync("send", receiver.Url, "--count", "2");
        result.ExitCode.ShouldBe(ExitCodes.Failed);
        result.Out.ShouldContain("2 x no response: ConnectionError");
    }

    [Theory]
    [InlineData("send")]
    [InlineData("send", "not-a-url")]
    [InlineData("send", "ftp://127.0.0.1/")]
    [InlineData("send", "http://127.0.0.1:1/", "--notice", "unknown")]
    [InlineData("send", "http://127.0.0.1:1/", "--count", "0")]
    [InlineData("send", "http://127.0.0.1:1/", "--rate", "-1")]
    [InlineData("send", "http://127.0.0.1:1/", "--kind", "unknown")]
    [InlineData("send", "http://127.0.0.1:1/", "--kind", "other", "--notice", "chub-event-outgoing-answered-a")]
    public async Task Send_OfAWrongCommandLine_IsRefusedBeforeAnythingIsSent(params string[] args) =>
        (await _operator.RunAsync(args)).ExitCode.ShouldBe(ExitCodes.Usage);
}
