namespace TeleCmi.Cli.Tests;

public sealed class BackfillCommandTests
{
    private static readonly string[] Backfill = ["forward", "backfill", "--name", "crm", "--from", "2026-03-01", "--to", "2026-03-01", "--rate", "1000"];

    private readonly Operator _operator = new();
    private readonly List<string> _received = [];
    private int _status = 200;

    [Fact]
    public async Task WithoutYes_ItCountsOnly_AndWithIt_TheReceiverSends_WithoutTheToolKnowingTheSecret()
    {
        await _operator.WriteAsync(Notices.Answered("leg-1", "one"), Notices.Answered("leg-2", "two", user: "203_2222223"), Notices.Answered("leg-3", "three"));
        _operator.Settings["TeleCmi:Forward:0:Name"] = "crm";
        _operator.Settings["TeleCmi:Forward:0:Agents"] = "202";

        var dry = await _operator.RunAsync(Backfill);
        dry.ExitCode.ShouldBe(ExitCodes.Fine, dry.Error);
        dry.Out.ShouldContain("crm, events from 2026-03-01 to 2026-03-01");
        dry.Out.ShouldMatch("to send +2\n");
        dry.Out.ShouldMatch("refused by its filters +1\n");
        dry.Out.ShouldMatch("first to send .* 2223343:event:leg-1:a:answered");
        dry.Out.ShouldMatch("last to send .* 2223343:event:leg-3:a:answered");
        dry.Error.ShouldContain("Nothing was sent: say --yes to send.");
        (await _operator.Store!.Queue("telecmi-forwards").CountAsync(CancellationToken.None)).ShouldBe(0);

        var sent = await _operator.RunAsync([.. Backfill, "--yes", "--json"]);
        sent.ExitCode.ShouldBe(ExitCodes.Fine, sent.Error);
        sent.Json.GetProperty("queued").GetInt32().ShouldBe(2);
        sent.Json.GetProperty("counts").GetProperty("toSend").GetInt32().ShouldBe(2);
        (await _operator.RunAsync("status")).Out.ShouldContain("2 (crm 2)");

        await using var crm = await ReceiverAsync();
        await _operator.ForwardAsync();
        _received.ShouldBe(["2223343:event:leg-1:a:answered true", "2223343:event:leg-3:a:answered true"], ignoreOrder: true);
        (await _operator.RunAsync(Backfill)).Out.ShouldContain("Nothing is left to send.");
    }

    [Fact]
    public async Task AtATerminal_ItAsks()
    {
        await _operator.WriteAsync(Notices.Answered());
        _operator.Settings["TeleCmi:Forward:0:Name"] = "crm";

        (await _operator.AskedAsync("n", Backfill)).ExitCode.ShouldBe(ExitCodes.Failed);
        (await _operator.Store!.Queue("telecmi-forwards").CountAsync(CancellationToken.None)).ShouldBe(0);
        var result = await _operator.AskedAsync("y", Backfill);
        result.ExitCode.ShouldBe(ExitCodes.Fine);
        result.Error.ShouldContain("Send 1 event(s) to crm, 1000 a second, in about 00:00:00?");
        (await _operator.Store!.Queue("telecmi-forwards").CountAsync(CancellationToken.None)).ShouldBe(1);
    }

    [Fact]
    public async Task DisabledDestination_IsRefused()
    {
        _status = 410;
        await using var crm = await ReceiverAsync();
        await _operator.WriteAsync(Notices.Answered());

        var result = await _operator.RunAsync([.. Backfill, "--yes"]);

        result.ExitCode.ShouldBe(ExitCodes.Failed);
        result.Error.ShouldContain("telecmi forward resume --name crm");
    }

    [Theory]
    [InlineData("The settings name no destination 'crm': set TeleCmi__Forward__0__Name", null)]
    [InlineData("only calls have an outcome", "crm", "--outcome", "reached")]
    [InlineData("--rate: write a number from 1 to 1000", "crm", "--rate", "0")]
    [InlineData("--direction: there is no 'inbound'", "crm", "--direction", "inbound")]
    public async Task WrongCommandLine_IsAUsageError(string message, string? name, params string[] more)
    {
        _operator.Settings["TeleCmi:Forward:0:Name"] = name;

        var result = await _operator.RunAsync([.. Backfill[..^2], .. more]);

        result.ExitCode.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldContain(message);
    }

    private async Task<TestServer> ReceiverAsync()
    {
        var crm = await TestServer.StartAsync("/hook", async context =>
        {
            await context.Request.BodyReader.CopyToAsync(Stream.Null);
            lock (_received)
            {
                _received.Add($"{context.Request.Headers["webhook-id"]} {context.Request.Headers["telecmi-backfill"]}");
            }

            context.Response.StatusCode = _status;
        });
        _operator.Settings["TeleCmi:Forward:AllowedNetworks"] = "loopback";
        _operator.Settings["TeleCmi:Forward:0:Url"] = crm.Url;
        _operator.Settings["TeleCmi:Forward:0:Name"] = "crm";
        _operator.Settings["TeleCmi:Forward:0:Secrets"] = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        return crm;
    }
}
