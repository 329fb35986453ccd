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
        await page.Page.EvaluateAsync("scrollTo(0, 0)");
        await ShootAsync(page, file);

        await page.Line("duplicate").GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Detail).ToBeVisibleAsync();
        await ShootAsync(page, file.Replace(".png", "-detail.png", StringComparison.Ordinal).Replace("docs/", "artifacts/", StringComparison.Ordinal));
    }

    private static async Task ShootAsync(WatchedPage page, string file) =>
        await page.Page.ScreenshotAsync(new() { Path = Path.Combine(Repository.Find(), file) });
}
