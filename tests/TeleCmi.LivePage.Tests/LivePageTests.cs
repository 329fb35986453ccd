using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Microsoft.Playwright;
using TeleCmi.Events.Samples;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Sqlite;
using static TeleCmi.LivePage.Tests.WatchedPage;

namespace TeleCmi.LivePage.Tests;

public sealed class LivePageTests(BrowserFixture browser)
{
    [Theory]
    [InlineData("POST")]
    [InlineData("GET")]
    public async Task SampleButton_TakesALineToProcessed(string method)
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        // The first event makes the queue and the table.
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("before"));
        await using var page = await OpenAsync(browser, receiver.Page);
        await Expect(page.Line("processed")).ToHaveCountAsync(1);
        await page.Page.Locator("#connect summary").ClickAsync();

        await page.Page.GetByRole(AriaRole.Button, new() { Name = $"Send by {method}" }).ClickAsync();

        var line = page.Lines.Filter(new() { HasText = "from this page" });
        await Expect(line).ToHaveAttributeAsync("data-state", "processed");
        await Expect(line.Locator(".event")).ToHaveTextAsync("outgoing.answered by the agent, from this page");
        await Expect(line.Locator(".who")).ToHaveTextAsync("202_2222223");
        await Expect(line.Locator(".number")).ToHaveTextAsync("*********001");
        await line.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Detail.Locator(".way li.done")).ToHaveCountAsync(3);
        await Expect(page.Detail.Locator(".way")).ToContainTextAsync(method);
        page.ShouldBeClean();
    }

    [Fact]
    public async Task EmptyPage_TeachesWhatToDoFirst()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await using var page = await OpenAsync(browser, receiver.Page);

        await Expect(page.Page.Locator("#connect")).ToHaveAttributeAsync("open", "");
        await Expect(page.Page.Locator("#curl-post")).ToContainTextAsync($"{receiver.Address}api/telecmi/events");
        await Expect(page.Page.Locator("#token-command")).ToHaveTextAsync(
            new Regex($"^TeleCmi__AccessTokens=[0-9a-f]{{48}} dotnet run --project src/TeleCmi.LocalHost -- --urls http://127.0.0.1:{receiver.Address.Port}$", RegexOptions.None, TimeSpan.FromSeconds(1)));
        await Expect(page.Page.Locator("#tunnel-ngrok")).ToHaveTextAsync($"ngrok http {receiver.Address.Port}");
        await page.Page.GetByLabel("The tunnel's address").FillAsync("https://abc.example.test/");
        await page.Page.GetByLabel("The secret").FillAsync("a secret/with a slash");
        await Expect(page.Page.Locator("#webhook")).ToHaveTextAsync("https://abc.example.test/api/telecmi/a%20secret%2Fwith%20a%20slash/events");
        page.ShouldBeClean();
    }

    [Fact]
    public async Task StartCommand_OnWindows_IsForPowerShell()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await using var page = await OpenAsync(browser, receiver.Page, new BrowserNewContextOptions { UserAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)" });

        await Expect(page.Page.Locator("#token-command")).ToHaveTextAsync(
            new Regex($"^\\$env:TeleCmi__AccessTokens='[0-9a-f]{{48}}'; dotnet run --project src/TeleCmi.LocalHost -- --urls http://127.0.0.1:{receiver.Address.Port}$", RegexOptions.None, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task EveryOutcome_HasItsWordAndItsSign()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await using var page = await OpenAsync(browser, receiver.Page);

        await receiver.PostEventAsync(ReceiverOnTrial.Sample("one"));
        await Expect(page.Line("processed")).ToHaveCountAsync(1);
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("one"));
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("one", ("202_2222223", "203_2222223")));
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("one", ("\"answered\"", "\"hangup\"")));
        await receiver.PostEventAsync("not json");
        await receiver.PostEventAsync("");
        using var wrongSecret = await receiver.Client.GetAsync(new Uri(receiver.Address, "/api/telecmi/guessed-by-a-stranger/events?leg=a"));

        string[] signs = ["✓ processed", "= duplicate", "≠ other content", "∅ ignored", "✕ rejected"];
        foreach (var sign in signs)
        {
            await Expect(page.Page.Locator("#lines .badge", new() { HasText = sign })).ToHaveCountAsync(1);
        }

        await Expect(page.Page.Locator("#lines .badge", new() { HasText = "⊘ refused" })).ToHaveCountAsync(2);
        await Expect(page.Page.Locator("#totals")).ToContainTextAsync("7");
        (await page.Page.ContentAsync()).ShouldNotContain("guessed-by-a-stranger");
        page.ShouldBeClean();
    }

    [Fact]
    public async Task Detail_ShowsTheEventItsEnvelopeAndItsRow_AndFindsInThem()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await using var page = await OpenAsync(browser, receiver.Page);
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("find-me", ("\"custom\"", "\"big\":12345678901234567890,\"custom\"")));
        await Expect(page.Line("processed")).ToHaveCountAsync(1);

        await page.Lines.First.GetByRole(AriaRole.Button).FocusAsync();
        await page.Page.Keyboard.PressAsync("Enter");

        await Expect(page.Detail).ToBeVisibleAsync();
        await Expect(page.Detail).ToContainTextAsync("com.telecmi.outgoing.answered");
        await Expect(page.Detail).ToContainTextAsync("\"big\": 12345678901234567890");
        await Expect(page.Detail).ToContainTextAsync("ContentHash");
        await Expect(page.Detail.Locator("#detail-command")).ToContainTextAsync("curl -g -X 'POST' -H 'Content-Type: application/json' --data-raw '");
        await page.Detail.GetByLabel("Find in it").FillAsync("FIND-ME");
        await Expect(page.Detail.Locator("mark").First).ToHaveTextAsync("find-me");
        await Expect(page.Detail.Locator("#detail-found")).ToContainTextAsync("1 of ");
        await page.Detail.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        await Expect(page.Detail).ToBeHiddenAsync();
        page.ShouldBeClean();
    }

    [Fact]
    public async Task Detail_ShowsTheFieldsFirst_EachToCopy_AndMovesFromLineToLine()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await using var page = await OpenAsync(browser, receiver.Page, new() { Permissions = ["clipboard-read", "clipboard-write"] });
        foreach (var call in (string[])["first", "second"])
        {
            await receiver.PostEventAsync(ReceiverOnTrial.Sample(call));
            await Expect(page.Page.Locator($"#lines tbody tr").Filter(new() { HasText = "processed" })).ToHaveCountAsync(call == "first" ? 1 : 2);
        }

        await page.Lines.First.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Detail.Locator("#detail-body h3").First).ToHaveTextAsync("Fields");
        await Expect(page.Detail.Locator("#detail-body .facts").First).ToContainTextAsync("second");
        await Expect(page.Detail.GetByRole(AriaRole.Button, new() { Name = "Previous" })).ToBeDisabledAsync();
        await page.Detail.GetByRole(AriaRole.Button, new() { Name = "Copy Event id", Exact = true }).ClickAsync();
        (await page.Page.EvaluateAsync<string>("navigator.clipboard.readText()")).ShouldBe("2223343:event:second:b:answered");
        await page.Detail.GetByRole(AriaRole.Button, new() { Name = "Copy the event" }).ClickAsync();
        (await page.Page.EvaluateAsync<string>("navigator.clipboard.readText()")).ShouldBe(ReceiverOnTrial.Sample("second"));

        await page.Detail.GetByRole(AriaRole.Button, new() { Name = "Next", Exact = true }).ClickAsync();
        await Expect(page.Detail.Locator("#detail-body .facts").First).ToContainTextAsync("first");
        await Expect(page.Detail.GetByRole(AriaRole.Button, new() { Name = "Next", Exact = true })).ToBeDisabledAsync();
        await page.Detail.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        await Expect(page.Lines.Last.GetByRole(AriaRole.Button)).ToBeFocusedAsync();
        page.ShouldBeClean();
    }

    [Fact]
    public async Task SendAgain_IsADuplicate()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await using var page = await OpenAsync(browser, receiver.Page);
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("again"));
        await Expect(page.Line("processed")).ToHaveCountAsync(1);

        await page.Lines.First.GetByRole(AriaRole.Button).ClickAsync();
        await page.Detail.GetByRole(AriaRole.Button, new() { Name = "Send again" }).ClickAsync();

        await Expect(page.Detail.Locator("#detail-note")).ToContainTextAsync("200");
        await Expect(page.Line("duplicate")).ToHaveCountAsync(1);
        page.ShouldBeClean();
    }

    [Fact]
    public async Task CopyAsCurl_IsACommandThatBringsTheSameEvent()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await using var page = await OpenAsync(browser, receiver.Page, new() { Permissions = ["clipboard-read", "clipboard-write"] });
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("it's; $(touch /tmp/no) `x`"));
        await Expect(page.Line("processed")).ToHaveCountAsync(1);
        await page.Lines.First.GetByRole(AriaRole.Button).ClickAsync();

        await page.Detail.GetByRole(AriaRole.Button, new() { Name = "Copy as curl" }).ClickAsync();

        await Expect(page.Detail.Locator("#detail-note")).ToContainTextAsync("clipboard");
        var command = await page.Page.EvaluateAsync<string>("navigator.clipboard.readText()");
        command.ShouldStartWith("curl -g -X 'POST'");
        command.ShouldContain(@"it'\''s; $(touch /tmp/no) `x`");
        page.ShouldBeClean();
    }

    [Theory]
    [InlineData("*", "processed", 2)]
    [InlineData("outgoing.answered", "ignored", 1)]
    public async Task Report_HasALineForEachRecordThatIsAccepted(string acceptedEvents, string state, int lines)
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(settings: ["--TeleCmi:AcceptedEvents", acceptedEvents]);
        await using var page = await OpenAsync(browser, receiver.Page);
        var records = DocumentedNotices.Load().Where(notice => notice.Name is "chub-cdr-outgoing-answered-a" or "chub-cdr-outgoing-answered-b").Select(notice => notice.Json);

        await receiver.PostEventAsync($$"""{"count":2,"cdr":[{{string.Join(',', records)}}],"code":200}""");

        await Expect(page.Line(state)).ToHaveCountAsync(lines);
        await Expect(page.Lines).ToHaveCountAsync(lines);
        page.ShouldBeClean();
    }

    [Fact]
    public async Task RefusedRequests_PushNoEventOffThePage()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await using var page = await OpenAsync(browser, receiver.Page);
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("a-real-one"));
        await Expect(page.Line("processed")).ToHaveCountAsync(1);

        for (var i = 0; i < 600; i++)
        {
            using var guess = await receiver.Client.GetAsync(new Uri(receiver.Address, string.Create(CultureInfo.InvariantCulture, $"/api/telecmi/guess-{i}/events")));
        }

        await Expect(page.Page.Locator("#totals")).ToContainTextAsync("601");
        await Expect(page.Line("refused")).ToHaveCountAsync(50);
        await Expect(page.Line("processed")).ToHaveCountAsync(1);
        await using var later = await OpenAsync(browser, receiver.Page);
        await Expect(later.Line("refused")).ToHaveCountAsync(50);
        await Expect(later.Line("processed")).ToHaveCountAsync(1);
        page.ShouldBeClean();
    }

    [Fact]
    public async Task ClickDuringWhichTheLineChanges_OpensItsDetails()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(
            services => services.AddSingleton<ICallEventHandler>(new StubbornHandler()), "--LocalHost:RetryDelay", "00:00:01");
        await using var page = await OpenAsync(browser, receiver.Page);
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("one"));
        await Expect(page.Lines.First).ToContainTextAsync("2 tries");

        await page.Lines.First.GetByRole(AriaRole.Button).HoverAsync();
        await page.Page.Mouse.DownAsync();
        await Expect(page.Lines.First).ToContainTextAsync("3 tries");
        await page.Page.Mouse.UpAsync();

        await Expect(page.Detail).ToBeVisibleAsync();
        page.ShouldBeClean();
    }

    [Fact]
    public async Task EqualDeadLetters_AreOneGroupWithACount()
    {
        var handler = new StubbornHandler();
        await using var receiver = await ReceiverOnTrial.StartAsync(services => services.AddSingleton<ICallEventHandler>(handler));
        await using var page = await OpenAsync(browser, receiver.Page);
        foreach (var call in (string[])["one", "two", "three"])
        {
            await receiver.PostEventAsync(ReceiverOnTrial.Sample(call));
        }

        await receiver.PostEventAsync("not json");
        await Expect(page.Line("dead")).ToHaveCountAsync(3);
        await Expect(page.DeadLetters).ToHaveCountAsync(2);
        var group = page.DeadLetters.Filter(new() { HasText = "× 3" });
        await Expect(group).ToContainTextAsync("The CRM is away <b>today</b>.");

        handler.Fix();
        await group.GetByText("One by one").ClickAsync();
        await group.Locator("li").First.GetByRole(AriaRole.Button, new() { Name = "Replay" }).ClickAsync();
        await Expect(page.Line("processed")).ToHaveCountAsync(1);
        await page.DeadLetters.Filter(new() { HasText = "× 2" }).GetByRole(AriaRole.Button, new() { Name = "Replay all 2" }).ClickAsync();

        await Expect(page.Line("processed")).ToHaveCountAsync(3);
        await Expect(page.DeadLetters).ToHaveCountAsync(1);
        await Expect(page.Page.Locator("#dead-note")).ToContainTextAsync("2 replayed");

        // The list follows what is done elsewhere, and what was done here is still said.
        await using var elsewhere = await OpenAsync(browser, receiver.Page);
        await elsewhere.DeadLetters.GetByRole(AriaRole.Button, new() { Name = "Discard" }).ClickAsync();
        await Expect(page.DeadLetters).ToHaveCountAsync(0);
        await Expect(page.Page.Locator("#dead-note")).ToHaveTextAsync("2 replayed: see the events above. There are none.");
        page.ShouldBeClean();
    }

    [Fact]
    public async Task DeadLetters_AreCountedGroupedAndReplayedTogether_RightAfterARestart()
    {
        var handler = new StubbornHandler();
        await using var receiver = await ReceiverOnTrial.StartAsync(services => services.AddSingleton<ICallEventHandler>(handler));
        await using (var before = await OpenAsync(browser, receiver.Page))
        {
            foreach (var call in (string[])["one", "two", "three"])
            {
                await receiver.PostEventAsync(ReceiverOnTrial.Sample(call));
            }

            await receiver.PostEventAsync("not json");
            await Expect(before.Line("dead")).ToHaveCountAsync(3);
        }

        handler.Fix();
        await receiver.RestartAsync();
        await using var page = await OpenCallsAsync(browser, receiver.Page);

        await Expect(page.Needs).ToHaveTextAsync("4 dead letters: fix the cause, then replay, or discard. Show them");
        await page.Needs.GetByRole(AriaRole.Button, new() { Name = "Show them" }).ClickAsync();
        await Expect(page.Page.Locator("#totals div").Filter(new() { HasText = "dead letters stored" })).ToContainTextAsync("4");
        await Expect(page.Page.Locator("#dead-note")).ToContainTextAsync("4, the oldest first");
        await page.DeadLetters.GetByRole(AriaRole.Button, new() { Name = "Replay all 3" }).ClickAsync();
        await Expect(page.Line("processed")).ToHaveCountAsync(3);
        await Expect(page.Needs).ToContainTextAsync("1 dead letter:");
        await page.DeadLetters.GetByRole(AriaRole.Button, new() { Name = "Discard" }).ClickAsync();
        await Expect(page.DeadLetters).ToHaveCountAsync(0);
        await Expect(page.Page.Locator("#attention")).ToBeHiddenAsync();
        page.ShouldBeClean();
    }

    [Fact]
    public async Task HostileText_IsShownAsText()
    {
        const string Hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>";
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await using var page = await OpenAsync(browser, receiver.Page);

        await receiver.PostEventAsync(ReceiverOnTrial.Sample("hostile", ("202_2222223", Hostile)));
        await receiver.PostEventAsync($"{Hostile} is not JSON");

        await Expect(page.Line("processed").Locator(".who")).ToContainTextAsync(Hostile);
        await page.Line("processed").GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Detail).ToContainTextAsync(Hostile);
        await page.Detail.GetByLabel("Find in it").FillAsync("<script>");
        await Expect(page.Detail.Locator("mark").First).ToHaveTextAsync("<script>");
        await page.Detail.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        await page.Page.Locator("#dead summary").ClickAsync();
        await Expect(page.Page.Locator("#dead pre")).ToHaveTextAsync($"{Hostile} is not JSON");
        (await page.Page.Locator("img, main script").CountAsync()).ShouldBe(0);
        page.Dialogs.ShouldBeEmpty();
        page.ShouldBeClean();
    }

    [Fact]
    public async Task DeadLetter_CanBeReplayedWhenItsCauseIsFixed()
    {
        var handler = new StubbornHandler();
        await using var receiver = await ReceiverOnTrial.StartAsync(services => services.AddSingleton<ICallEventHandler>(handler));
        await using var page = await OpenAsync(browser, receiver.Page);
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("dead"));
        await Expect(page.Line("dead")).ToContainTextAsync("The CRM is away <b>today</b>.");
        await Expect(page.DeadLetters).ToContainTextAsync("failed too often");

        handler.Fix();
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Replay" }).ClickAsync();

        await Expect(page.Line("processed")).ToHaveCountAsync(1);
        await Expect(page.Lines).ToHaveCountAsync(1);
        await Expect(page.DeadLetters).ToHaveCountAsync(0);
        page.ShouldBeClean();
    }

    [Fact]
    public async Task DeadLetter_CanBeDiscardedAfterAQuestion()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await using var page = await OpenAsync(browser, receiver.Page);
        await receiver.PostEventAsync("not json");

        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Discard" }).ClickAsync();

        await Expect(page.DeadLetters).ToHaveCountAsync(0);
        await Expect(page.Page.Locator("#dead-note")).ToContainTextAsync("There are none.");
        page.Dialogs.ShouldHaveSingleItem();
        page.ShouldBeClean();
    }

    [Fact]
    public async Task Forwarding_IsTheLastStep_AndCanBeReplayedWhenTheDestinationRefused()
    {
        await using var crm = await Destination.StartAsync();
        await using var receiver = await ReceiverOnTrial.StartAsync(settings: crm.Settings);
        await using var page = await OpenAsync(browser, receiver.Page);
        crm.Status = StatusCodes.Status400BadRequest;
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("forwarded"));
        await Expect(page.Line("dead").Locator(".event")).ToContainTextAsync("crm: dead letter");
        await Expect(page.DeadLetters).ToContainTextAsync("could not be forwarded outgoing.answered to crm");

        crm.Status = StatusCodes.Status200OK;
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Replay" }).ClickAsync();

        await Expect(page.DeadLetters).ToHaveCountAsync(0);
        await page.Line("processed").GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Detail.Locator(".way")).ToContainTextAsync("crm: delivered");
        await Expect(page.Detail.Locator(".way li.done")).ToHaveCountAsync(4);
        page.ShouldBeClean();
    }

    [Fact]
    public async Task Restart_IsBridged()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await using var page = await OpenAsync(browser, receiver.Page);
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("before"));
        await Expect(page.Line("processed")).ToHaveCountAsync(1);

        await receiver.StopAsync();
        await Expect(page.Page.Locator("#link")).ToContainTextAsync("trying again");
        await receiver.StartAsync();

        // The key of the new start, opened in another tab, is enough for this one.
        await Expect(page.Page.Locator("#link")).ToContainTextAsync("open the address that the receiver printed");
        var another = await page.Page.Context.NewPageAsync();
        await another.GotoAsync(receiver.Page.ToString());
        await another.CloseAsync();

        await Expect(page.Page.Locator("#link")).ToHaveTextAsync("Live");
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("after"));
        await Expect(page.Line("processed")).ToHaveCountAsync(2);
        // The line of the time before is not in memory any more; its row is in the journal.
        await page.Lines.Last.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Detail).ToContainTextAsync("ContentHash");
        page.ShouldBeClean(wasDisconnected: true);
    }

    [Fact]
    public async Task OlderEvents_ComeFromTheJournal()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("older"));
        await using var page = await OpenAsync(browser, receiver.Page);
        await Expect(page.Line("processed")).ToHaveCountAsync(1);

        await page.Page.GetByLabel("Day of the event (UTC)").FillAsync("2022-04-22");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Show", Exact = true }).ClickAsync();

        var older = page.Page.Locator("#older tbody tr");
        await Expect(older).ToHaveCountAsync(1);
        await older.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Detail).ToContainTextAsync("ContentHash");
        page.ShouldBeClean();
    }

    [Fact]
    public async Task Thousands_LeaveTheNewestInABoundedWindow()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await using var page = await OpenAsync(browser, receiver.Page);

        // Of an ignored kind: the page's own work is what counts here.
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 3000),
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            async (number, _) => await receiver.PostEventAsync(
                ReceiverOnTrial.Sample(string.Create(CultureInfo.InvariantCulture, $"n{number}"), ("\"answered\"", "\"hangup\""))));
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("the-last"));

        await Expect(page.Lines.First).ToHaveAttributeAsync("data-state", "processed");
        await Expect(page.Page.Locator("#totals")).ToContainTextAsync("3,001");
        (await page.Lines.CountAsync()).ShouldBeLessThanOrEqualTo(200);
        await Expect(page.Page.Locator("#window")).ToContainTextAsync("more are not");
        page.ShouldBeClean();
    }

    [Fact]
    public async Task Keys_MoveFromLineToLine()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await using var page = await OpenAsync(browser, receiver.Page);
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("first"));
        await Expect(page.Lines).ToHaveCountAsync(1);
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("second"));
        await Expect(page.Line("processed")).ToHaveCountAsync(2);

        await page.Lines.First.GetByRole(AriaRole.Button).FocusAsync();
        await page.Page.Keyboard.PressAsync("ArrowDown");

        await Expect(page.Lines.Nth(1).GetByRole(AriaRole.Button)).ToBeFocusedAsync();
        await page.Page.Keyboard.PressAsync("Enter");
        await Expect(page.Detail).ToContainTextAsync("first");
        page.ShouldBeClean();
    }

    [Fact]
    public async Task Lines_AreOneTabStop_WhereTheFocusWasLast()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await using var page = await OpenAsync(browser, receiver.Page);
        foreach (var call in (string[])["one", "two", "three"])
        {
            await receiver.PostEventAsync(ReceiverOnTrial.Sample(call));
        }

        await Expect(page.Line("processed")).ToHaveCountAsync(3);
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).FocusAsync();
        await page.Page.Keyboard.PressAsync("Tab");
        await page.Page.Keyboard.PressAsync("End");
        await Expect(page.Lines.Last.GetByRole(AriaRole.Button)).ToBeFocusedAsync();
        await page.Page.Keyboard.PressAsync("Tab");
        await Expect(page.Page.GetByRole(AriaRole.Button, new() { Name = "Refresh the dead letters" })).ToBeFocusedAsync();
        await page.Page.Keyboard.PressAsync("Shift+Tab");
        await Expect(page.Lines.Last.GetByRole(AriaRole.Button)).ToBeFocusedAsync();
        await Expect(page.Page.Locator("#lines .open[tabindex='0']")).ToHaveCountAsync(1);
        page.ShouldBeClean();
    }

    [Fact]
    public async Task Chart_HasAxesWithScaleAndUnits()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await using var page = await OpenAsync(browser, receiver.Page);
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("one"));

        await Expect(page.Page.Locator("#chart .scale").First).ToHaveTextAsync("1events in 5 s0");
        await Expect(page.Page.Locator("#chart .scale").Last).ToContainTextAsync("sresponse time0");
        await Expect(page.Page.Locator("#chart .axis")).ToHaveTextAsync("5 min ago2.5 min agonow");
        page.ShouldBeClean();
    }

    [Fact]
    public async Task FailingAndDisabledDestinations_NeedAPerson()
    {
        await using var crm = await Destination.StartAsync();
        await using var receiver = await ReceiverOnTrial.StartAsync(settings: crm.Settings);
        crm.Status = StatusCodes.Status500InternalServerError;
        await receiver.RestartAsync(new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddMinutes(-16)));
        var retried = new TaskCompletionSource();
        receiver.Listen(change => _ = change is ForwardChanged { Outcome: ForwardOutcome.Retried } && retried.TrySetResult());
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("one"));
        await retried.Task.WaitAsync(BrowserFixture.Patience);
        await receiver.RestartAsync(TimeProvider.System);
        await using var page = await OpenAsync(browser, receiver.Page);

        await Expect(page.Needs).ToContainTextAsync("Destination crm has been failing for more than 15 minutes: ");
        crm.Status = StatusCodes.Status410Gone;
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("two"));

        await Expect(page.Needs.Filter(new() { HasText = "Destination crm is disabled" })).ToHaveCountAsync(1);
        page.ShouldBeClean();
    }

    [Fact]
    public async Task StorageThatRefuses_NeedsAPerson()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(services => services.AddSingleton<IStore>(provider => FullStore.Around(provider.GetRequiredService<SqliteStore>())));
        await using var page = await OpenAsync(browser, receiver.Page);

        await Expect(page.Needs).ToHaveTextAsync($"Storage does not work as it should, and events may be refused with 503. {FullStore.Word}");
        page.ShouldBeClean();
    }

    [Fact]
    public async Task MessageThatNobodyTakes_NeedsAPerson()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(services => services.Remove(services.Single(service => service.ImplementationType?.Name == "QueuePumps")));
        await receiver.RestartAsync(new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddMinutes(-6)));
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("one"));
        await receiver.RestartAsync(TimeProvider.System);

        await using var page = await OpenAsync(browser, receiver.Page);

        await Expect(page.Needs).ToContainTextAsync("Queue telecmi-events: the oldest of 1 message has waited for more than 5 minutes.");
        page.ShouldBeClean();
    }

    [Theory]
    [InlineData("replay", "{}")]
    [InlineData("discard", "{\"ids\":null}")]
    [InlineData("replay", "{\"ids\":[1]}")]
    [InlineData("replay", "not json")]
    public async Task IncompleteRequest_IsAProblemThatSaysSo(string what, string body)
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(receiver.Address, $"/live/dead-letters/{what}"));
        request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        request.Headers.Authorization = new("Bearer", receiver.Key);

        using var response = await receiver.Client.SendAsync(request);

        response.StatusCode.ShouldBe(System.Net.HttpStatusCode.BadRequest);
        response.Content.Headers.ContentType?.MediaType.ShouldBe("application/problem+json");
        (await response.Content.ReadAsStringAsync()).ShouldContain("send JSON with every field");
    }

    [Fact]
    public async Task Phone_NeedsNoSidewaysScrolling()
    {
        var handler = new StubbornHandler();
        await using var receiver = await ReceiverOnTrial.StartAsync(services => services.AddSingleton<ICallEventHandler>(handler));
        await using var page = await OpenAsync(browser, receiver.Page, new() { ViewportSize = new() { Width = 360, Height = 740 } });
        await receiver.PostEventAsync(ReceiverOnTrial.Sample(new string('x', 200), ("202_2222223", new string('y', 80))));
        await receiver.PostEventAsync(new string('z', 500));
        await Expect(page.Line("dead")).ToHaveCountAsync(1);
        await Expect(page.DeadLetters).ToHaveCountAsync(2);
        const string Overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";

        (await page.Page.EvaluateAsync<int>(Overflow)).ShouldBe(0);
        await page.Page.Locator("#connect summary").ClickAsync();
        (await page.Page.EvaluateAsync<int>(Overflow)).ShouldBe(0);
        await page.Line("dead").GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Detail).ToBeVisibleAsync();
        (await page.Page.EvaluateAsync<int>("document.querySelector('#detail').scrollWidth - document.querySelector('#detail').clientWidth")).ShouldBe(0);
        page.ShouldBeClean();
    }
}
