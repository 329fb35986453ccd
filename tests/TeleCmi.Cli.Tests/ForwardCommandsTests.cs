using System.Text.Json;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Cli.Tests;

public sealed class ForwardCommandsTests
{
    private const string Secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    private readonly Operator _operator = new() { Store = null };

    [Fact]
    public async Task Test_SendsASignedSample_AndNeedsNoStorage()
    {
        await using var crm = await CrmAsync(204);

        var result = await _operator.RunAsync("forward", "test", "--url", crm.Url, "--secret", Secret);

        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        result.Out.ShouldContain("forward-test-");
        result.Out.ShouldContain("204");
        result.Out.ShouldContain("A real event would be done.");
        (result.Out + result.Error).ShouldNotContain(Secret);
    }

    [Fact]
    public async Task Test_WithoutASecret_MakesOne_AndShowsIt()
    {
        await using var crm = await CrmAsync(204);

        var result = await _operator.RunAsync("forward", "test", "--url", crm.Url);

        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        result.Error.ShouldContain("whsec_");
    }

    [Fact]
    public async Task Test_ThatIsRefused_SaysWhatToCheck()
    {
        await using var crm = await CrmAsync(401);

        var result = await _operator.RunAsync("forward", "test", "--url", crm.Url, "--secret", Secret, "--json");

        result.ExitCode.ShouldBe(ExitCodes.Failed);
        result.Json.GetProperty("status").GetInt32().ShouldBe(401);
        result.Json.GetProperty("delivered").GetBoolean().ShouldBeFalse();
        result.Json.GetProperty("explanation").GetString().ShouldNotBeNull().ShouldContain("the same secret");
    }

    [Fact]
    public async Task Test_OfADestinationInTheSettings_GoesByItsName()
    {
        await using var crm = await CrmAsync(200);
        _operator.Settings["TeleCmi:Forward:0:Url"] = crm.Url;
        _operator.Settings["TeleCmi:Forward:0:Name"] = "crm";
        _operator.Settings["TeleCmi:Forward:0:Secrets"] = Secret;

        (await _operator.RunAsync("forward", "test", "--name", "crm")).ExitCode.ShouldBe(ExitCodes.Fine);
        var unknown = await _operator.RunAsync("forward", "test", "--name", "erp");
        unknown.ExitCode.ShouldBe(ExitCodes.Usage);
        unknown.Error.ShouldContain("there are: crm");
    }

    [Fact]
    public async Task Test_OfADestinationForCalls_SendsACall()
    {
        string? body = null;
        await using var crm = await TestServer.StartAsync("/hooks", async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            body = await reader.ReadToEndAsync();
        });
        _operator.Settings["TeleCmi:Forward:AllowedNetworks"] = "loopback";
        _operator.Settings["TeleCmi:Forward:0:Url"] = crm.Url;
        _operator.Settings["TeleCmi:Forward:0:Name"] = "crm";
        _operator.Settings["TeleCmi:Forward:0:Secrets"] = Secret;
        _operator.Settings["TeleCmi:Forward:0:Send"] = "calls";

        var result = await _operator.RunAsync("forward", "test", "--name", "crm");

        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        result.Out.ShouldMatch("event id  2223343:call:forward-test-[0-9a-f-]+:1");
        result.Out.ShouldContain("A real call would be done.");
        var json = JsonElement.Parse(body.ShouldNotBeNull());
        json.GetProperty("type").GetString().ShouldBe("com.telecmi.call.completed");
        var call = json.GetProperty("data");
        call.GetProperty("outcome").GetString().ShouldBe("reached");
        call.GetProperty("agent").GetString().ShouldBe("202_2222223");
        call.GetProperty("talkSeconds").GetInt32().ShouldBe(6);
        call.GetProperty("complete").GetBoolean().ShouldBeTrue();
        call.GetProperty("revision").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Test_OfAnEvent_TellsForEachDestination_WhetherItWouldBeSent_AndSendsNothing()
    {
        var journal = new Operator();
        await journal.WriteAsync(Notices.Answered("leg-1", "one"));
        foreach (var (index, setting, value) in new[]
        {
            (0, "Name", "crm"), (0, "Agents", "201, 203"), (1, "Name", "erp"), (1, "CustomerNumbers", "44"), (2, "Name", "calls"), (2, "Send", "calls"), (3, "Name", "gone"),
        })
        {
            journal.Settings[$"TeleCmi:Forward:{index}:{setting}"] = value;
        }

        await journal.Store!.Table("Destinations").UpsertAsync(
            new TableRow(new RowKey("destination", "GONE")) { ["Destination"] = "gone", ["DisabledAt"] = TimeProvider.System.GetUtcNow() }, CancellationToken.None);

        var result = await journal.RunAsync("forward", "test", "--event", "2223343:event:leg-1:a:answered", "--json");
        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        result.Json.EnumerateArray().Select(verdict => $"{verdict.GetProperty("destination")} {verdict.GetProperty("send")} {verdict.GetProperty("wouldBeSent")}: {verdict.GetProperty("why")}").ShouldBe(
        [
            "crm events False: Agent 202_2222223 is not among Agents: 201, 203.",
            "erp events True: It matches.",
            "calls calls False: The call has not ended, as far as the journal says; it is sent when it has.",
            "gone events False: The destination is disabled by a 410; telecmi forward resume --name gone ends that.",
        ]);

        var named = await journal.RunAsync("forward", "test", "--event", "2223343:event:leg-1:a:answered", "--name", "erp");
        named.Out.ShouldContain("erp  would be sent");
        named.Out.ShouldContain("Nothing of it was sent there: telecmi forward backfill --name erp does that.");
        named.Out.ShouldNotContain("crm");
        (await journal.Store.Queue("telecmi-forwards").CountAsync(CancellationToken.None)).ShouldBe(0);
    }

    [Fact]
    public async Task Test_OfAnEvent_TellsWhatBecameOfIt()
    {
        await using var crm = await CrmAsync(200);
        var journal = new Operator();
        journal.Settings["TeleCmi:Forward:AllowedNetworks"] = "loopback";
        journal.Settings["TeleCmi:Forward:0:Url"] = crm.Url;
        journal.Settings["TeleCmi:Forward:0:Name"] = "crm";
        journal.Settings["TeleCmi:Forward:0:Secrets"] = Secret;
        await journal.WriteAsync(Notices.Answered("leg-1", "one"));

        (await journal.RunAsync("forward", "test", "--event", "2223343:event:leg-1:a:answered")).Out.ShouldContain("It was delivered: ");
        var unknown = await journal.RunAsync("forward", "test", "--event", "2223343:event:leg-9:a:answered");
        unknown.ExitCode.ShouldBe(ExitCodes.Failed);
        unknown.Error.ShouldContain("The journal has no event '2223343:event:leg-9:a:answered'");
    }

    [Theory]
    [InlineData(302, "write the address it points to into --url")]
    [InlineData(404, "Check --url")]
    public async Task Test_OfAnAddress_NamesItsOption(int status, string advice)
    {
        await using var crm = await CrmAsync(status);

        var result = await _operator.RunAsync("forward", "test", "--url", crm.Url, "--secret", Secret);

        result.ExitCode.ShouldBe(ExitCodes.Failed);
        result.Out.ShouldContain(advice);
    }

    [Fact]
    public async Task Test_OfADestinationInTheSettings_NamesItsSetting()
    {
        await using var crm = await CrmAsync(404);
        _operator.Settings["TeleCmi:Forward:3:Url"] = crm.Url;
        _operator.Settings["TeleCmi:Forward:3:Name"] = "crm";
        _operator.Settings["TeleCmi:Forward:3:Secrets"] = Secret;

        (await _operator.RunAsync("forward", "test", "--name", "crm")).Out.ShouldContain("Check TeleCmi__Forward__3__Url");
    }

    [Fact]
    public async Task Test_AllowsNetworksBesideThoseInTheSettings()
    {
        // Nobody listens at either; what is allowed is tried, and what is not is refused before.
        _operator.Settings["TeleCmi:Forward:AllowedNetworks:0"] = "192.0.2.0/30";

        foreach (var allowed in new[] { "https://192.0.2.1", "https://198.51.100.1" })
        {
            var result = await _operator.RunAsync("forward", "test", "--url", allowed, "--secret", "hunter2", "--allow-network", "203.0.113.0/24, 198.51.100.0/30");
            result.Error.ShouldNotContain("not a public address");
            result.Error.ShouldContain("--secret");
        }

        (await _operator.RunAsync("forward", "test", "--url", "https://192.0.2.9", "--allow-network", "198.51.100.0/30")).Error.ShouldContain("add its network to --allow-network");
    }

    [Theory]
    [InlineData("The settings name no destination", "forward", "test", "--event", "x")]
    [InlineData("With --event nothing is sent", "forward", "test", "--event", "x", "--url", "https://crm.example.com")]
    [InlineData("Say where to", "forward", "test")]
    [InlineData("Say where to", "forward", "test", "--url", "https://crm.example.com", "--name", "crm")]
    [InlineData("--url: write the receiver's whole address", "forward", "test", "--url", "crm.example.com", "--secret", Secret)]
    [InlineData("--url: write https, or let whoever is on the way read the calls with --allow-http.", "forward", "test", "--url", "http://crm.example.com", "--secret", Secret)]
    [InlineData("--url: 10.1.2.3 is not a public address. If that is meant, add its network to --allow-network, such as 10.1.2.3/32.", "forward", "test", "--url", "https://10.1.2.3", "--secret", Secret)]
    [InlineData("--secret: write one secret", "forward", "test", "--url", "https://crm.example.com", "--secret", "hunter2")]
    [InlineData("--allow-network: 'nonsense' is not a network", "forward", "test", "--url", "https://crm.example.com", "--allow-network", "nonsense")]
    [InlineData("--allow-network: the value is empty", "forward", "test", "--url", "https://crm.example.com", "--allow-network", "")]
    public async Task WrongCommandLine_IsAUsageError(string message, params string[] args)
    {
        var result = await (args.Contains("--event") ? new Operator() : _operator).RunAsync(args);
        result.ExitCode.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldContain(message);
    }

    private static Task<TestServer> CrmAsync(int status) => TestServer.StartAsync("/hooks", context =>
    {
        context.Response.StatusCode = context.Request.Headers.ContainsKey("webhook-signature") ? status : 500;
        return Task.CompletedTask;
    });
}
