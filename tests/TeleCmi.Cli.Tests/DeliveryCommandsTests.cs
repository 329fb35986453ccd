using TeleCmi.Pipeline.Storage;
using TeleCmi.TestSupport;

namespace TeleCmi.Cli.Tests;

public sealed class DeliveryCommandsTests
{
    private const string First = "2223343:event:leg-1:a:answered";

    private readonly Operator _operator = new();
    private int _status = 200;
    private int _requests;

    [Fact]
    public async Task List_ShowsWhatWasDelivered_AndShow_EachAttempt()
    {
        await using var crm = await ForwardAsync(Notices.Answered("leg-1", "one"), Notices.Answered("leg-2", "two"));

        var list = await _operator.RunAsync("forward", "list", "--json");
        list.ExitCode.ShouldBe(ExitCodes.Fine, list.Error);
        list.Json.EnumerateArray().Select(delivery => $"{delivery.GetProperty("destination")} {delivery.GetProperty("state")} {delivery.GetProperty("conversation")}")
            .ShouldBe(["crm delivered one", "crm delivered two"], ignoreOrder: true);
        (await _operator.RunAsync("forward", "list", "--state", "failed")).Out.ShouldContain("No deliveries.");
        (await _operator.RunAsync("forward", "list", "--name", "other")).Out.ShouldContain("No deliveries.");
        (await _operator.RunAsync("forward", "list", "--id", "one")).Out.ShouldContain(First);
        (await _operator.RunAsync("forward", "list", "--id", "one")).Out.ShouldNotContain("leg-2");

        var show = await _operator.RunAsync("forward", "show", First);
        show.Out.ShouldContain($"{First} to crm: delivered");
        show.Out.ShouldContain("200, ");
    }

    [Fact]
    public async Task Show_OfSomethingThatWasNotForwarded_Fails()
    {
        await _operator.WriteAsync(Notices.Answered());
        (await _operator.RunAsync("forward", "show", "conversation-1")).ExitCode.ShouldBe(ExitCodes.Failed);
    }

    [Fact]
    public async Task Resend_OfWhatFailed_DeliversIt_AndItsDeadLetterGoes()
    {
        _status = 400;
        await using var crm = await ForwardAsync(Notices.Answered("leg-1", "one"));
        (await _operator.DeadLettersAsync()).ShouldHaveSingleItem();
        (await _operator.RunAsync("forward", "resend", "--failed")).ExitCode.ShouldBe(ExitCodes.Usage, "nobody is there to ask");

        _status = 200;
        var resend = await _operator.RunAsync("forward", "resend", "--failed", "--yes", "--json");
        resend.ExitCode.ShouldBe(ExitCodes.Fine, resend.Error);
        resend.Json.GetProperty("queued").GetInt32().ShouldBe(1);
        (await _operator.DeadLettersAsync()).ShouldBeEmpty();
        (await _operator.RunAsync("forward", "list", "--state", "failed")).Out.ShouldContain("No deliveries.");
        (await _operator.RunAsync("forward", "list", "--state", "waiting")).Out.ShouldContain(First);

        await _operator.ForwardAsync();
        (await _operator.RunAsync("forward", "show", First, "--json")).Json[0].GetProperty("attempts").EnumerateArray().Select(attempt => attempt.GetProperty("status").GetInt32()).ShouldBe([400, 200]);
    }

    [Fact]
    public async Task Resend_OfWhatWasDelivered_SendsItAgain_FromTheJournal()
    {
        await using var crm = await ForwardAsync(Notices.Answered("leg-1", "one"));

        (await _operator.RunAsync("forward", "resend", "--id", First, "--yes")).Out.ShouldContain("1 of 1 queued again.");
        await _operator.ForwardAsync();

        (await _operator.RunAsync("forward", "show", First, "--json")).Json[0].GetProperty("attempts").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task Resend_OfACallThatWasDelivered_SendsItAgain()
    {
        _operator.Settings["TeleCmi:AcceptedEvents"] = "*";
        _operator.Settings["TeleCmi:Forward:0:Send"] = "calls";
        _operator.Settings["TeleCmi:Forward:SettleTime"] = "00:00:01";
        await using var crm = await ForwardAsync();
        var scenario = new CallScenario(TimeProvider.System.GetUtcNow().AddMinutes(-5)).Reached();
        await _operator.WriteAsync(scenario.Events);
        await Eventually.HoldsAsync(async () =>
        {
            await _operator.ForwardAsync();
            return _requests == 1;
        });

        (await _operator.RunAsync("forward", "list", "--id", $"{scenario.Id}:1", "--json")).Json.GetArrayLength().ShouldBe(1);
        var resend = await _operator.RunAsync("forward", "resend", "--id", $"{scenario.Id}:1", "--yes");
        resend.Out.ShouldContain("1 of 1 queued again.");
        resend.ExitCode.ShouldBe(ExitCodes.Fine);
        await _operator.ForwardAsync();
        _requests.ShouldBe(2);
        (await _operator.RunAsync("forward", "resend", "--id", $"{scenario.Id}:2", "--yes")).Out.ShouldContain("No deliveries matched.");
    }

    [Fact]
    public async Task Status_SaysThatADestinationFails_OnlyAfterAWhile_AndNotAnyMoreWhenItIsBack()
    {
        _status = 503;
        await using var crm = await ForwardAsync(Notices.Answered("leg-1", "one"));
        (await _operator.RunAsync("status")).ExitCode.ShouldBe(ExitCodes.Fine);

        var later = _operator with { Clock = new LaterClock(TimeSpan.FromMinutes(16)) };
        var result = await later.RunAsync("status", "--max-queue-age", "01:00:00");
        result.ExitCode.ShouldBe(ExitCodes.NeedsPerson);
        result.Out.ShouldContain("is needed: crm has failed for 16 min");
        result.Out.ShouldContain("1 (crm 1)");
        (await later.RunAsync("status", "--max-queue-age", "01:00:00", "--max-failing", "00:30:00")).ExitCode.ShouldBe(ExitCodes.Fine);
        (await later.RunAsync("status")).Out.ShouldContain("deliveries that are due are not being made");

        _status = 200;
        await _operator.WriteAsync(Notices.Answered("leg-2", "two"));
        (await later.RunAsync("status", "--max-queue-age", "01:00:00")).ExitCode.ShouldBe(ExitCodes.Fine);
    }

    [Fact]
    public async Task DestinationThatRefusesForGood_NeedsAPerson_UntilItIsResumed()
    {
        _status = 410;
        await using var crm = await ForwardAsync(Notices.Answered("leg-1", "one"));
        var status = await _operator.RunAsync("status");
        status.ExitCode.ShouldBe(ExitCodes.NeedsPerson);
        status.Out.ShouldContain("crm is disabled");

        (await _operator.RunAsync("forward", "resume", "--name", "other")).ExitCode.ShouldBe(ExitCodes.Failed);
        (await _operator.RunAsync("forward", "resume", "--name", "crm")).ExitCode.ShouldBe(ExitCodes.Fine);
        _status = 200;
        await _operator.WriteAsync(Notices.Answered("leg-2", "two"));
        (await _operator.RunAsync("forward", "list", "--id", "two")).Out.ShouldContain("delivered");
        (await _operator.RunAsync("status")).Out.ShouldNotContain("disabled");
    }

    [Theory]
    [InlineData("--conversation", "one")]
    [InlineData("--number", "442000000001")]
    public async Task ErasedCall_LeavesNothing_AndWhatWaitsIsNotSent(string option, string value)
    {
        _status = 400;
        await using var crm = await ForwardAsync(Notices.Answered("leg-1", "one", leg: "b"), Notices.Answered("leg-3", "two", leg: "b", to: "449"));
        _status = 503;
        _operator.Settings["TeleCmi:Forward:0:OncePerConversation"] = "true";
        await _operator.WriteAsync(Notices.Answered("leg-2", "one", leg: "b"));
        await _operator.KeepRejectedAsync("to 449");
        (await _operator.RunAsync("forward", "list", "--state", "waiting")).Out.ShouldContain("leg-2");

        var delete = await _operator.RunAsync("journal", "delete", option, value, "--yes", "--json");
        delete.ExitCode.ShouldBe(ExitCodes.Fine, delete.Error);
        delete.Json.GetProperty("deliveries").GetInt32().ShouldBe(2);
        delete.Json.GetProperty("deadLetters").GetInt32().ShouldBe(1);

        var list = await _operator.RunAsync("forward", "list");
        list.Out.ShouldContain("leg-3");
        list.Out.ShouldNotContain("leg-1");
        list.Out.ShouldNotContain("leg-2");
        (await _operator.DeadLettersAsync()).Count.ShouldBe(2, "leg-3's, and one of another number");
        (await _operator.Store!.Table("ForwardClaims").ReadPageAsync(new TableQuery(), null, CancellationToken.None)).Rows.ShouldBeEmpty();

        var before = _requests;
        await Eventually.HoldsAsync(async () =>
        {
            await _operator.ForwardAsync();
            return await _operator.Store!.Queue("telecmi-forwards").CountAsync(CancellationToken.None) == 0;
        });
        _requests.ShouldBe(before);
        (await _operator.Store!.Table("Deliveries").ReadPageAsync(new TableQuery(), null, CancellationToken.None)).Rows.ShouldHaveSingleItem().Text("Conversation").ShouldBe("two");
    }

    private async Task<TestServer> ForwardAsync(params string[] notices)
    {
        var crm = await TestServer.StartAsync("/hook", async context =>
        {
            await context.Request.BodyReader.CopyToAsync(Stream.Null);
            _requests++;
            context.Response.StatusCode = _status;
        });
        _operator.Settings["TeleCmi:Forward:AllowedNetworks"] = "loopback";
        _operator.Settings["TeleCmi:Forward:0:Url"] = crm.Url;
        _operator.Settings["TeleCmi:Forward:0:Name"] = "crm";
        _operator.Settings["TeleCmi:Forward:0:Secrets"] = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        await _operator.WriteAsync(notices);
        return crm;
    }
}
