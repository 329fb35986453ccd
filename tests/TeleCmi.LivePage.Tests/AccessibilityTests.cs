using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using TeleCmi.Pipeline.Processing;
using TeleCmi.TestSupport;
using static TeleCmi.LivePage.Tests.WatchedPage;

namespace TeleCmi.LivePage.Tests;

public sealed class AccessibilityTests(BrowserFixture browser)
{
    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Light, 360)]
    [InlineData(ColorScheme.Dark, 360)]
    public async Task Page_HasNoViolation(ColorScheme scheme, int width)
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(
            services => services.AddSingleton<ICallEventHandler>(new StubbornHandler()));
        await using var page = await OpenAsync(browser, receiver.Page, new()
        {
            ColorScheme = scheme,
            ReducedMotion = ReducedMotion.Reduce,
            ViewportSize = new() { Width = width, Height = 900 },
            // Axe is injected as a script, which the page's own policy rightly forbids.
            BypassCSP = true,
        });
        (await ViolationsAsync(page)).ShouldBeEmpty("the empty page");

        await receiver.PostEventAsync(ReceiverOnTrial.Sample("one"));
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("one", ("\"answered\"", "\"hangup\"")));
        await receiver.PostEventAsync("not json");
        await Expect(page.Line("dead")).ToHaveCountAsync(1);
        await Expect(page.DeadLetters).ToHaveCountAsync(2);
        await page.Page.GetByLabel("Day of the event (UTC)").FillAsync("2022-04-22");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Show", Exact = true }).ClickAsync();
        await Expect(page.Page.Locator("#older tbody tr")).ToHaveCountAsync(1);
        (await ViolationsAsync(page)).ShouldBeEmpty("the page with events");

        await page.Line("dead").GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Detail).ToBeVisibleAsync();
        await page.Detail.GetByLabel("Find in it").FillAsync("telecmi");
        (await ViolationsAsync(page)).ShouldBeEmpty("the detail");
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Light, 390)]
    [InlineData(ColorScheme.Dark, 390)]
    public async Task Calls_HaveNoViolation(ColorScheme scheme, int width)
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(settings: ["--TeleCmi:AcceptedEvents", "*"]);
        await using var page = await OpenCallsAsync(browser, receiver.Page, new()
        {
            ColorScheme = scheme,
            ReducedMotion = ReducedMotion.Reduce,
            ViewportSize = new() { Width = width, Height = 900 },
            BypassCSP = true,
        });
        await Expect(page.Page.Locator("#calls-note")).ToHaveTextAsync("No call on this day yet.");
        (await ViolationsAsync(page)).ShouldBeEmpty("no calls");

        var now = TimeProvider.System.GetUtcNow();
        await receiver.PostEventsAsync(new CallScenario(now).Reached());
        await receiver.PostEventsAsync(new CallScenario(now).Outgoing("started", "a"));
        await receiver.PostEventsAsync(new CallScenario(now).Outgoing("hangup", "b"));
        await receiver.PostEventsAsync(new CallScenario(now).Incoming("hangup"));
        foreach (var outcome in (string[])["reached", "in_progress", "no_answer", "missed"])
        {
            await Expect(page.Call(outcome)).ToHaveCountAsync(1);
        }

        await page.Call("reached").GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Page.Locator(".call-events li")).ToHaveCountAsync(8);
        (await ViolationsAsync(page)).ShouldBeEmpty("calls and the events of one");
        (await page.Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth")).ShouldBe(0);
        page.ShouldBeClean();
    }

    private static async Task<string[]> ViolationsAsync(WatchedPage page)
    {
        if (!await page.Page.EvaluateAsync<bool>("'axe' in window"))
        {
            await page.Page.AddScriptTagAsync(new() { Path = Path.Combine(Repository.Find(), "node_modules", "axe-core", "axe.min.js") });
        }

        var result = await page.Page.EvaluateAsync<JsonElement>("axe.run()");
        return
        [
            .. result.GetProperty("violations").EnumerateArray().Select(violation =>
                $"{violation.GetProperty("id")}: {string.Join(" | ", violation.GetProperty("nodes").EnumerateArray().Select(node => $"{node.GetProperty("target")} {node.GetProperty("failureSummary")}"))}"),
        ];
    }
}
