using Microsoft.Playwright;

namespace TeleCmi.LivePage.Tests;

/// <summary>The live page in a browser of its own, with an eye on everything that a page should not do.</summary>
internal sealed class WatchedPage : IAsyncDisposable
{
    // The browser logs an error when a page is not connected, or has the key of an earlier start; that alone is no fault.
    private static readonly string[] NotConnected = ["net::ERR_", "401"];

    private readonly IBrowserContext _context;
    private readonly List<string> _faults = [];

    private WatchedPage(IBrowserContext context, IPage page)
    {
        _context = context;
        Page = page;
    }

    public IPage Page { get; }

    /// <summary>Dialogs of the browser that the page opened.</summary>
    public List<string> Dialogs { get; } = [];

    public ILocator DeadLetters => Page.Locator("#dead > li");

    /// <summary>What the banner says that a person is needed for.</summary>
    public ILocator Needs => Page.Locator("#needs > li");

    public ILocator Lines => Page.Locator("#lines tbody tr");

    public ILocator Detail => Page.Locator("#detail");

    public ILocator Calls => Page.Locator("#calls tbody tr[data-outcome]");

    /// <summary>The page at its second view, which shows single deliveries.</summary>
    public static async Task<WatchedPage> OpenAsync(BrowserFixture browser, Uri address, BrowserNewContextOptions? options = null)
    {
        var page = await OpenCallsAsync(browser, address, options);
        await page.ShowAsync("Deliveries");
        return page;
    }

    /// <summary>The page as it opens: the view of calls.</summary>
    public static async Task<WatchedPage> OpenCallsAsync(BrowserFixture browser, Uri address, BrowserNewContextOptions? options = null)
    {
        var context = await browser.Browser.NewContextAsync(new(options ?? new()) { Locale = "en-US", TimezoneId = "UTC" });
        context.SetDefaultTimeout((float)BrowserFixture.Patience.TotalMilliseconds);
        var page = await context.NewPageAsync();
        var watched = new WatchedPage(context, page);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                watched.Note($"console {message.Type}: {message.Text}");
            }
        };
        page.PageError += (_, error) => watched.Note($"error: {error}");
        page.Dialog += async (_, dialog) =>
        {
            watched.Dialogs.Add(dialog.Message);
            await dialog.AcceptAsync();
        };
        await page.AddInitScriptAsync(
            "addEventListener('securitypolicyviolation', e => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))");
        await page.GotoAsync(address.ToString());
        page.Url.ShouldBe(new Uri(address, "/").ToString());
        await Assertions.Expect(page.Locator("#link")).ToHaveTextAsync("Live");
        return watched;
    }

    public Task ShowAsync(string view) => Page.GetByRole(AriaRole.Tab, new() { Name = view }).ClickAsync();

    /// <summary>The calls that ended like this.</summary>
    public ILocator Call(string outcome) => Page.Locator($"#calls tbody tr[data-outcome='{outcome}']");

    /// <summary>The lines of journeys in that state.</summary>
    public ILocator Line(string state) => Page.Locator($"#lines tbody tr[data-state='{state}']");

    public static ILocatorAssertions Expect(ILocator locator) => Assertions.Expect(locator);

    /// <summary>Nothing has gone wrong behind the scenes.</summary>
    public void ShouldBeClean(bool wasDisconnected = false)
    {
        lock (_faults)
        {
            _faults.Where(fault => !(wasDisconnected && NotConnected.Any(sign => fault.Contains(sign, StringComparison.Ordinal)))).ShouldBeEmpty();
        }
    }

    /// <summary>Nothing but responses with that status, which the browser reports by itself.</summary>
    public void ShouldBeCleanBut(string status)
    {
        lock (_faults)
        {
            _faults.Where(fault => !fault.Contains($"the server responded with a status of {status}", StringComparison.Ordinal)).ShouldBeEmpty();
        }
    }

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();

    private void Note(string fault)
    {
        lock (_faults)
        {
            _faults.Add(fault);
        }
    }
}
