using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Time.Testing;
using Microsoft.Playwright;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Storage;
using TeleCmi.TestSupport;
using static TeleCmi.LivePage.Tests.WatchedPage;

namespace TeleCmi.LivePage.Tests;

public sealed class CallsViewTests(BrowserFixture browser)
{
    private const string Masked = "*********001";

    private static readonly string[] AllKinds = ["--TeleCmi:AcceptedEvents", "*"];

    [Fact]
    public async Task ReachedClick2Call_SentShuffledAndTwice_IsOneRowWithTheCustomersTalkTime()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(settings: AllKinds);
        await using var page = await OpenCallsAsync(browser, receiver.Page);
        await Expect(page.Page.Locator("#calls-note")).ToHaveTextAsync("No call on this day yet.");

        await receiver.PostEventsAsync(new CallScenario(TimeProvider.System.GetUtcNow()).Reached(), [6, 2, 7, 0, 0, 5, 3, 3, 1, 4, 2, 6, 7, 5, 1, 4]);

        await Expect(page.Page.Locator("#calls-figures")).ToHaveTextAsync("calls1reached1connect rate100 %talk time0:06to call back0");
        var call = page.Call("reached");
        await Expect(call).ToHaveCountAsync(1);
        await Expect(page.Calls).ToHaveCountAsync(1);
        await Expect(call.Locator(".event")).ToContainTextAsync("outgoing");
        await Expect(call.Locator(".who")).ToHaveTextAsync(CallScenario.Agent);
        await Expect(call.Locator(".talk")).ToHaveTextAsync("0:06 ◉ recorded");
        await call.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Page.Locator(".call-events .kind")).ToHaveTextAsync(
        [
            "cdr.outgoing.answered", "outgoing.started", "cdr.outgoing.answered", "outgoing.started", "outgoing.hangup", "outgoing.answered", "outgoing.answered", "outgoing.hangup",
        ]);
        page.ShouldBeClean();
    }

    [Fact]
    public async Task ClickDuringWhichTheCallChanges_OpensItsEvents()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(settings: AllKinds);
        await using var page = await OpenCallsAsync(browser, receiver.Page);
        var call = new CallScenario(TimeProvider.System.GetUtcNow()).Reached();
        await receiver.PostEventsAsync(call, [0]);
        await Expect(page.Calls).ToHaveCountAsync(1);

        await page.Calls.First.GetByRole(AriaRole.Button).HoverAsync();
        await page.Page.Mouse.DownAsync();
        await receiver.PostEventsAsync(call, [1, 2, 3, 4, 5, 6, 7]);
        await Expect(page.Call("reached")).ToHaveCountAsync(1);
        await page.Page.Mouse.UpAsync();

        await Expect(page.Page.Locator(".call-events .kind")).ToHaveCountAsync(8);
        page.ShouldBeClean();
    }

    [Fact]
    public async Task Filters_ChooseByAgentNumberOutcomeAndDay()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(settings: AllKinds);
        var now = TimeProvider.System.GetUtcNow();
        await receiver.PostEventsAsync(new CallScenario(now).OutgoingCdr("answered", "b"));
        await receiver.PostEventsAsync(new CallScenario(now).OutgoingCdr("missed", "b", ("user", "203_2222223"), ("to", "442000000777")));
        await receiver.PostEventsAsync(new CallScenario(now).Incoming("hangup"));
        await using var page = await OpenCallsAsync(browser, receiver.Page);
        await Expect(page.Calls).ToHaveCountAsync(3);
        var agent = page.Page.GetByLabel("Agent", new() { Exact = true });
        var number = page.Page.GetByLabel("Number", new() { Exact = true });
        var outcome = page.Page.GetByLabel("Ended", new() { Exact = true });

        await agent.FillAsync("203");
        await Expect(page.Calls).ToHaveCountAsync(1);
        await Expect(page.Calls.Locator(".who")).ToHaveTextAsync("203_2222223");
        await Expect(page.Page.Locator("#calls-figures")).ToContainTextAsync("calls3reached1connect rate33 %");

        await agent.FillAsync("");
        await number.FillAsync("0777");
        await Expect(page.Page.Locator("#calls-note")).ToContainTextAsync("at least the last 7 digits");
        await number.FillAsync("000 0777");
        await Expect(page.Call("busy")).ToHaveCountAsync(1);
        await Expect(page.Calls).ToHaveCountAsync(1);

        await number.FillAsync("");
        await outcome.SelectOptionAsync("missed");
        await Expect(page.Call("missed")).ToHaveCountAsync(1);
        await Expect(page.Calls).ToHaveCountAsync(1);

        await page.Page.GetByLabel("Day (UTC)", new() { Exact = true }).FillAsync("2022-04-22");
        await Expect(page.Calls).ToHaveCountAsync(0);
        await Expect(page.Page.Locator("#calls-title")).ToHaveTextAsync("Calls of 2022-04-22 (UTC)");
        page.ShouldBeCleanBut("400");
    }

    [Fact]
    public async Task Filters_ChooseByKindAndConversation_OnAnyDay()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(settings: AllKinds);
        var call = new CallScenario(TimeProvider.System.GetUtcNow()).OutgoingCdr("answered", "a").Outgoing("started", "b").OutgoingCdr("answered", "b");
        await receiver.PostEventsAsync(call);
        await receiver.PostEventsAsync(new CallScenario(TimeProvider.System.GetUtcNow()).Incoming("hangup"));
        await using var page = await OpenCallsAsync(browser, receiver.Page);
        await Expect(page.Calls).ToHaveCountAsync(2);

        await page.Page.GetByLabel("Kind", new() { Exact = true }).SelectOptionAsync("outgoing.started");
        await Expect(page.Calls).ToHaveCountAsync(1);
        await Expect(page.Call("reached")).ToHaveCountAsync(1);
        await page.Page.GetByLabel("Kind", new() { Exact = true }).SelectOptionAsync("outgoing.hangup");
        await Expect(page.Page.Locator("#calls-note")).ToHaveTextAsync("No call matches.");
        await page.Page.GetByLabel("Kind", new() { Exact = true }).SelectOptionAsync("");

        await page.Page.GetByLabel("Day (UTC)", new() { Exact = true }).FillAsync("2022-04-22");
        await Expect(page.Calls).ToHaveCountAsync(0);
        foreach (var id in (string[])[call.Conversation, call.Request, call.Events[^1].Id, call.LegB])
        {
            await page.Page.GetByLabel("Conversation", new() { Exact = true }).FillAsync(id);
            await Expect(page.Call("reached")).ToHaveCountAsync(1);
            await Expect(page.Calls).ToHaveCountAsync(1);
            await page.Page.GetByLabel("Conversation", new() { Exact = true }).FillAsync("another");
            await Expect(page.Calls).ToHaveCountAsync(0);
        }

        page.ShouldBeClean();
    }

    [Fact]
    public async Task DaysBefore_JoinTheSameList_WhichStaysLive()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(settings: AllKinds);
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddDays(-1));
        await receiver.RestartAsync(clock);
        await receiver.PostEventsAsync(new CallScenario(clock.GetUtcNow()).Incoming("hangup"));
        await receiver.RestartAsync(TimeProvider.System);
        await receiver.PostEventsAsync(new CallScenario(TimeProvider.System.GetUtcNow()).OutgoingCdr("answered", "b"));
        await using var page = await OpenCallsAsync(browser, receiver.Page);
        await Expect(page.Call("reached")).ToHaveCountAsync(1);

        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Also show the day before" }).ClickAsync();

        await Expect(page.Call("missed")).ToHaveCountAsync(1);
        await Expect(page.Page.Locator("#calls-figures")).ToContainTextAsync("calls2reached1");
        await Expect(page.Page.Locator("#calls-title")).ToContainTextAsync($"{clock.GetUtcNow():yyyy-MM-dd} to ");
        await receiver.PostEventsAsync(new CallScenario(TimeProvider.System.GetUtcNow()).Outgoing("started", "a"));
        await Expect(page.Calls).ToHaveCountAsync(3);
        await Expect(page.Calls.First).ToHaveAttributeAsync("data-outcome", "in_progress");
        await Expect(page.Calls.Last).ToHaveAttributeAsync("data-outcome", "missed");
        page.ShouldBeClean();
    }

    [Theory]
    [InlineData("outgoing.answered", true)]
    [InlineData("*", false)]
    public async Task PartOfTheEvents_IsSaidToShowNoWholeCalls(string acceptedEvents, bool isSaid)
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(settings: ["--TeleCmi:AcceptedEvents", acceptedEvents]);
        await using var page = await OpenCallsAsync(browser, receiver.Page);
        await Expect(page.Page.Locator("#calls-note")).ToHaveTextAsync("No call on this day yet.");

        await Expect(page.Page.GetByText("To see whole calls")).ToBeVisibleAsync(new() { Visible = isSaid });
    }

    [Fact]
    public async Task Call_ShowsTheDeliveriesOfItsEvents_WithTheirAttempts()
    {
        await using var crm = await Destination.StartAsync();
        await using var receiver = await ReceiverOnTrial.StartAsync(settings: [.. AllKinds, .. crm.Settings]);
        var now = TimeProvider.System.GetUtcNow();
        await receiver.PostEventsAsync(new CallScenario(now).OutgoingCdr("answered", "b"));
        await using var page = await OpenCallsAsync(browser, receiver.Page);
        await page.ShowAsync("Deliveries");
        await Expect(page.Line("processed")).ToHaveCountAsync(1);
        crm.Status = 400;
        await receiver.PostEventsAsync(new CallScenario(now).Incoming("hangup"));
        await Expect(page.Line("dead")).ToHaveCountAsync(1);
        await page.ShowAsync("Calls");

        await page.Call("reached").GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Page.Locator(".deliveries li")).ToContainTextAsync("delivered crm cdr.outgoing.answered");
        await Expect(page.Page.Locator(".deliveries li")).ToContainTextAsync("200 in ");
        await page.Call("reached").GetByRole(AriaRole.Button).ClickAsync();
        await page.Call("missed").GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Page.Locator(".deliveries li")).ToContainTextAsync("failed crm incoming.hangup");
        await Expect(page.Page.Locator(".deliveries li")).ToContainTextAsync("400 in ");
        page.ShouldBeClean();
    }

    [Fact]
    public async Task Call_ShowsWhatBecameOfItselfAtADestinationThatWantsCalls()
    {
        await using var crm = await Destination.StartAsync();
        await using var receiver = await ReceiverOnTrial.StartAsync(
            settings: [.. AllKinds, .. crm.Settings, "--TeleCmi:Forward:0:Send", "calls", "--TeleCmi:Forward:SettleTime", "00:00:01"]);
        var call = new CallScenario(TimeProvider.System.GetUtcNow()).Incoming("waiting").Incoming("hangup").IncomingCdr("missed");
        await receiver.PostEventsAsync(call);

        await Eventually.HoldsAsync(async () => JsonElement.Parse((await GetAsync(receiver, $"live/calls/call?id={Uri.EscapeDataString(call.Id)}")).Text).GetProperty("deliveries")
            .EnumerateArray().Any(delivery => delivery.GetProperty("eventId").GetString() == $"{call.Id}:1" && delivery.GetProperty("state").GetString() == "delivered"));
    }

    [Fact]
    public async Task Numbers_AreCoveredUntilAskedFor()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(settings: AllKinds);
        var call = new CallScenario(TimeProvider.System.GetUtcNow()).Reached();
        await receiver.PostEventsAsync(call);
        await using var page = await OpenCallsAsync(browser, receiver.Page);
        await page.Call("reached").GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Page.Locator(".call-events li")).ToHaveCountAsync(8);

        await Expect(page.Calls.Locator(".number")).ToHaveTextAsync(Masked);
        string[] paths = ["live/calls?", $"live/calls/call?id={Uri.EscapeDataString(call.Id)}&"];
        foreach (var path in paths)
        {
            (await GetAsync(receiver, path)).Text.ShouldContain(Masked);
            (await GetAsync(receiver, path)).Text.ShouldNotContain("4420000");
            (await GetAsync(receiver, $"{path}reveal=true")).Text.ShouldContain(CallScenario.Customer);
        }

        (await page.Page.Locator("#view-calls").InnerTextAsync()).ShouldNotContain("4420000");
        await page.Page.GetByLabel("whole numbers").CheckAsync();

        await Expect(page.Calls.Locator(".number")).ToHaveTextAsync(CallScenario.Customer);
        await Expect(page.Page.Locator(".unfolded .facts")).ToContainTextAsync("442000000000");
        page.ShouldBeClean();
    }

    [Fact]
    public async Task MoreThanTheWindowHolds_AreCountedAndSaidToExist()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(settings: AllKinds);
        var now = TimeProvider.System.GetUtcNow();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 201), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (_, _) => await receiver.PostEventsAsync(new CallScenario(now).Incoming("hangup")));

        await using var page = await OpenCallsAsync(browser, receiver.Page);

        await Expect(page.Page.Locator("#calls-figures")).ToHaveTextAsync("calls201reached0connect rate0 %talk time0:00to call back1");
        await Expect(page.Calls).ToHaveCountAsync(200);
        await Expect(page.Page.Locator("#calls-note")).ToHaveTextAsync("The newest 200 are shown, and there are more: narrow the choice.");
        page.ShouldBeClean();
    }

    [Fact]
    public async Task Keys_MoveFromCallToCall_PastWhatIsUnfolded_AndStayWhenOneComes()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(settings: AllKinds);
        var now = TimeProvider.System.GetUtcNow();
        await receiver.PostEventsAsync(new CallScenario(now).Incoming("hangup"));
        await receiver.PostEventsAsync(new CallScenario(now).OutgoingCdr("answered", "b"));
        await using var page = await OpenCallsAsync(browser, receiver.Page);
        await Expect(page.Calls).ToHaveCountAsync(2);

        await page.Call("reached").GetByRole(AriaRole.Button).FocusAsync();
        await page.Page.Keyboard.PressAsync("Enter");
        await Expect(page.Page.Locator(".call-events li")).ToHaveCountAsync(1);
        await Expect(page.Call("reached").GetByRole(AriaRole.Button)).ToHaveAttributeAsync("aria-expanded", "true");
        await page.Page.Keyboard.PressAsync("ArrowDown");
        await Expect(page.Call("missed").GetByRole(AriaRole.Button)).ToBeFocusedAsync();
        await receiver.PostEventsAsync(new CallScenario(now).Outgoing("started", "a"));

        await Expect(page.Calls).ToHaveCountAsync(3);
        await Expect(page.Calls.First).ToHaveAttributeAsync("data-outcome", "in_progress");
        await Expect(page.Call("missed").GetByRole(AriaRole.Button)).ToBeFocusedAsync();
        await Expect(page.Page.Locator(".call-events li")).ToHaveCountAsync(1);
        page.ShouldBeClean();
    }

    [Fact]
    public async Task DefaultSettings_AreToldHowToSeeWholeCalls()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await using var page = await OpenCallsAsync(browser, receiver.Page);
        await Expect(page.Page.Locator("#calls-accepted")).ToContainTextAsync("TeleCmi__AcceptedEvents=*");

        await using var all = await ReceiverOnTrial.StartAsync(settings: AllKinds);
        await using var another = await OpenCallsAsync(browser, all.Page);
        await Expect(another.Page.Locator("#calls-note")).ToHaveTextAsync("No call on this day yet.");
        await Expect(another.Page.Locator("#calls-accepted")).ToBeHiddenAsync();
    }

    [Fact]
    public async Task HostileText_IsShownAsText()
    {
        const string Hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>";
        await using var receiver = await ReceiverOnTrial.StartAsync(settings: AllKinds);
        await receiver.PostEventsAsync(new CallScenario(TimeProvider.System.GetUtcNow()).OutgoingCdr("answered", "b", ("user", Hostile), ("filename", Hostile), ("hangup_reason", Hostile)));
        await using var page = await OpenCallsAsync(browser, receiver.Page);

        await Expect(page.Calls.Locator(".who")).ToHaveTextAsync(Hostile);
        await page.Calls.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Page.Locator(".unfolded .facts")).ToContainTextAsync(Hostile);
        (await page.Page.Locator("img, main script").CountAsync()).ShouldBe(0);
        page.Dialogs.ShouldBeEmpty();
        page.ShouldBeClean();
    }

    [Fact]
    public async Task StorageFault_IsSaidInItsOwnWords()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(
            services => services.Replace(ServiceDescriptor.Singleton(new CallReader(DispatchProxy.Create<IStore, BrokenStore>(), TimeProvider.System))));
        await using var page = await OpenCallsAsync(browser, receiver.Page);

        await Expect(page.Page.Locator("#calls-note")).ToHaveTextAsync(BrokenStore.Word);
        foreach (var path in (string[])["live/calls", "live/calls/call?id=x"])
        {
            var (status, text) = await GetAsync(receiver, path);
            status.ShouldBe(HttpStatusCode.ServiceUnavailable);
            text.ShouldContain($"\"detail\":\"{BrokenStore.Word}\"");
        }
    }

    [Theory]
    [InlineData("live/calls?day=yesterday", HttpStatusCode.BadRequest)]
    [InlineData("live/calls?outcome=sold", HttpStatusCode.BadRequest)]
    [InlineData("live/calls?number=123", HttpStatusCode.BadRequest)]
    [InlineData("live/calls?kind=sold", HttpStatusCode.BadRequest)]
    [InlineData("live/calls?days=32", HttpStatusCode.BadRequest)]
    [InlineData("live/calls?days=2&day=0001-01-01", HttpStatusCode.BadRequest)]
    [InlineData("live/calls/call", HttpStatusCode.BadRequest)]
    [InlineData("live/calls/call?id=no-such-call", HttpStatusCode.NotFound)]
    public async Task WrongQuestion_HasAMessage(string path, HttpStatusCode expected)
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();

        var (status, text) = await GetAsync(receiver, path);

        status.ShouldBe(expected);
        text.ShouldContain("\"detail\":\"");
    }

    private static async Task<(HttpStatusCode Status, string Text)> GetAsync(ReceiverOnTrial receiver, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(receiver.Address, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", receiver.Key);
        using var response = await receiver.Client.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>A store, and its tables, that do nothing.</summary>
    public class BrokenStore : DispatchProxy
    {
        public const string Word = "The disk is away.";

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            targetMethod?.Name == nameof(IStore.Table) ? Create<ITable, BrokenStore>() : throw new StorageException(Word);
    }
}
