using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using TeleCmi.Pipeline.Processing;
using TeleCmi.TestSupport;
using static TeleCmi.LivePage.Tests.WatchedPage;

namespace TeleCmi.LivePage.Tests;

/// <summary>Not a test: makes the README's picture, and the others to look at before it goes in (docs/live-page.md has the command).</summary>
public sealed class Screenshots(BrowserFixture browser)
{
    [Theory(Explicit = true)]
    [InlineData(ColorScheme.Light, 1280, "docs/live-page.png")]
    [InlineData(ColorScheme.Dark, 1280, "artifacts/live-page-dark.png")]
    [InlineData(ColorScheme.Light, 390, "artifacts/live-page-phone.png")]
    [InlineData(ColorScheme.Dark, 390, "artifacts/live-page-phone-dark.png")]
    public async Task Take(ColorScheme scheme, int width, string file)
    {
        var handler = new StubbornHandler();
        await using var receiver = await ReceiverOnTrial.StartAsync(
            services => services.AddSingleton<ICallEventHandler>(handler), "--LocalHost:RetryDelay", "00:00:00.5");
        await using var page = await OpenAsync(browser, receiver.Page, new()
        {
            ColorScheme = scheme,
            ReducedMotion = ReducedMotion.Reduce,
            ViewportSize = new() { Width = width, Height = 940 },
        });
        await ShootAsync(page, file.Replace(".png", "-empty.png", StringComparison.Ordinal).Replace("docs/", "artifacts/", StringComparison.Ordinal));

        await receiver.PostEventAsync(ReceiverOnTrial.Sample("the-dead-one"));
        await Expect(page.Line("dead")).ToHaveCountAsync(1);
        handler.Fix();
        foreach (var number in Enumerable.Range(1, 6))
        {
            await receiver.PostEventAsync(ReceiverOnTrial.Sample(string.Create(CultureInfo.InvariantCulture, $"call-{number}"), ("202_", string.Create(CultureInfo.InvariantCulture, $"{200 + (number % 4)}_"))));
        }

        await Expect(page.Line("processed")).ToHaveCountAsync(6);
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("call-3", ("202_", "203_")));
        await receiver.PostEventAsync(ReceiverOnTrial.Sample("call-3", ("\"answered\"", "\"hangup\"")));
        await receiver.PostEventAsync("{\"hello\": \"world\"}");
        await receiver.PostEventAsync("{\"hello\": \"world\"}");
        await Expect(page.Line("duplicate")).ToHaveCountAsync(1);
        await Expect(page.Page.Locator("#queues dd")).ToHaveCountAsync(4);
        await Expect(page.Page.Locator("#totals div").Filter(new() { HasText = "duplicates" })).ToContainTextAsync("1");
        await Expect(page.Needs).ToContainTextAsync("3 dead letters");
        await page.Page.EvaluateAsync("scrollTo(0, 0)");
        await ShootAsync(page, file);

        await page.Line("duplicate").GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Detail).ToBeVisibleAsync();
        await ShootAsync(page, file.Replace(".png", "-detail.png", StringComparison.Ordinal).Replace("docs/", "artifacts/", StringComparison.Ordinal));
    }

    [Theory(Explicit = true)]
    [InlineData(ColorScheme.Light, 1280, "artifacts/live-calls.png")]
    [InlineData(ColorScheme.Dark, 1280, "artifacts/live-calls-dark.png")]
    [InlineData(ColorScheme.Light, 390, "artifacts/live-calls-phone.png")]
    [InlineData(ColorScheme.Dark, 390, "artifacts/live-calls-phone-dark.png")]
    public async Task TakeCalls(ColorScheme scheme, int width, string file)
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(settings: ["--TeleCmi:AcceptedEvents", "outgoing.answered,outgoing.started,outgoing.hangup,incoming.hangup"]);
        await using var all = await ReceiverOnTrial.StartAsync(settings: ["--TeleCmi:AcceptedEvents", "*"]);
        await using var empty = await OpenCallsAsync(browser, receiver.Page, new() { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce, ViewportSize = new() { Width = width, Height = 940 } });
        await Expect(empty.Page.Locator("#calls-note")).ToHaveTextAsync("No call on this day yet.");
        await ShootAsync(empty, file.Replace(".png", "-empty.png", StringComparison.Ordinal));

        var now = TimeProvider.System.GetUtcNow();
        await all.PostEventsAsync(new CallScenario(now).Incoming("hangup"));
        await all.PostEventsAsync(new CallScenario(now).OutgoingCdr("missed", "b", ("user", "203_2222223"), ("to", "442000000777")));
        await all.PostEventsAsync(new CallScenario(now).Outgoing("hangup", "b"));
        await all.PostEventsAsync(new CallScenario(now).OutgoingCdr("missed", "a", ("user", "204_2222223")));
        await all.PostEventsAsync(new CallScenario(now).IncomingCdr("answered"));
        await all.PostEventsAsync(new CallScenario(now).Reached());
        await all.PostEventsAsync(new CallScenario(now).Outgoing("started", "a"));
        await using var page = await OpenCallsAsync(browser, all.Page, new() { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce, ViewportSize = new() { Width = width, Height = 940 } });
        await Expect(page.Calls).ToHaveCountAsync(7);
        await page.Call("reached").GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Page.Locator(".call-events li")).ToHaveCountAsync(8);
        await page.Page.EvaluateAsync("scrollTo(0, 0)");
        await page.Page.ScreenshotAsync(new() { Path = Path.Combine(Repository.Find(), file), FullPage = true });
    }

    private static async Task ShootAsync(WatchedPage page, string file) =>
        await page.Page.ScreenshotAsync(new() { Path = Path.Combine(Repository.Find(), file) });
}
