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
