using Microsoft.Playwright;
using TeleCmi.LivePage.Tests;

[assembly: AssemblyFixture(typeof(BrowserFixture))]

namespace TeleCmi.LivePage.Tests;

/// <summary>A browser that is on this machine: none is downloaded.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const string PathVariable = "CHROMIUM";

    // The last ones keep the browser from looking up hosts of its own.
    private static readonly string[] Switches =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public IBrowser Browser => _browser!;

    public async ValueTask InitializeAsync()
    {
        // Time enough for a machine that is busy with other tests; nothing waits longer than it has to.
        Assertions.SetDefaultExpectTimeout((float)Patience.TotalMilliseconds);
        _playwright = await Playwright.CreateAsync();
        _browser = await LaunchAsync(_playwright.Chromium);
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
    }

    private static async Task<IBrowser> LaunchAsync(IBrowserType chromium)
    {
        if (FindExecutable() is { } path)
        {
            return await chromium.LaunchAsync(new() { ExecutablePath = path, Args = Switches });
        }

        foreach (var channel in (string[])["chrome", "msedge"])
        {
            try
            {
                return await chromium.LaunchAsync(new() { Channel = channel, Args = Switches });
            }
            catch (PlaywrightException e) when (e.Message.Contains("is not found", StringComparison.Ordinal))
            {
                // Try the next one.
            }
        }

        throw new InvalidOperationException(
            $"The live page is tested in a real browser, and none was found: install Debian's package 'chromium' (apt-get install chromium), Chrome or Edge, or set {PathVariable} to the path of a Chromium.");
    }

    private static string? FindExecutable() => Environment.GetEnvironmentVariable(PathVariable) is { Length: > 0 } set
        ? set
        : (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(folder => new[] { "chromium", "chromium-browser", "google-chrome" }.Select(name => Path.Combine(folder, name)))
            .FirstOrDefault(File.Exists);
}
