using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Microsoft.Playwright;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.TestSupport;
using static TeleCmi.LivePage.Tests.WatchedPage;

namespace TeleCmi.LivePage.Tests;

/// <summary>A stranger's text on its way through "Copy as curl" into a real shell.</summary>
public sealed class CurlTests(BrowserFixture browser)
{
    private const string Json = "application/json";

    private static readonly string[] Shells = ["sh", "bash"];

    [Theory]
    [InlineData("POST", Json, "@/etc/hostname")]
    [InlineData("POST", Json, """{"a":"{1,2}[3-4]","b":"it's \\ \"quoted\" ü ☎ !!"}""")]
    [InlineData("POST", Json, "'; touch pwned; '")]
    [InlineData("POST", Json, "$(touch pwned)`touch pwned`;touch pwned&\ntouch pwned\n\n\t#")]
    [InlineData("POST", Json, "--next --output pwned\\")]
    [InlineData("POST", "application/json'; touch pwned; '", "not json")]
    [InlineData("POST", "@pwned", "not json")]
    [InlineData("POST", null, "not json")]
    [InlineData("GET", null, "x=&touch$IFS'pwned'=1&y={1,2}[1-3]&z=$(touch$IFS`pwned`)\\%27;%0a")]
    public async Task Command_SendsTheSameAndRunsNothing(string method, string? contentType, string content)
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        var received = new ConcurrentQueue<string>();
        receiver.Listen(happened =>
        {
            if (happened is RequestRead read)
            {
                received.Enqueue(Encoding.UTF8.GetString(read.Content.Span));
            }
        });
        await using var page = await OpenAsync(browser, receiver.Page);
        await SendAsync(receiver, method, contentType, content);
        var command = await CommandOfNewestAsync(page, lines: 1);

        using var folder = new TemporaryFolder();
        for (var i = 0; i < Shells.Length; i++)
        {
            await RunAsync(Shells[i], command, folder);

            Directory.GetFileSystemEntries(folder.Path).ShouldBeEmpty(Shells[i]);
            (await CommandOfNewestAsync(page, lines: i + 2)).ShouldBe(command, "the same method, type and content again");
        }

        received.ToArray().ShouldBe(Enumerable.Repeat(content, 1 + Shells.Length));
        page.ShouldBeClean();
    }

    [Theory]
    [InlineData("a NUL \0 in it")]
    [InlineData("\u001b[2J clears the screen")]
    [InlineData("\u0003 ends the command, \r sends it")]
    public async Task Command_IsNotOfferedForWhatATerminalObeys(string content)
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await using var page = await OpenAsync(browser, receiver.Page);

        await SendAsync(receiver, "POST", Json, content);

        await Expect(page.Lines).ToHaveCountAsync(1);
        await ExpectNoCommandAsync(page);
    }

    [Fact]
    public async Task Command_IsNotOfferedForRefusedRequests_AndTheirMethodIsNotShown()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        await using var page = await OpenAsync(browser, receiver.Page);

        await SendAsync(receiver, "A&touch$IFS'pwned'&", Json, "{}");

        await Expect(page.Line("refused")).ToHaveCountAsync(1);
        await ExpectNoCommandAsync(page);
        (await page.Page.ContentAsync()).ShouldNotContain("pwned");
    }

    private static async Task ExpectNoCommandAsync(WatchedPage page)
    {
        await page.Lines.First.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Detail).ToBeVisibleAsync();
        await Expect(page.Detail.GetByRole(AriaRole.Button, new() { Name = "Copy as curl" })).ToBeDisabledAsync();
        await Expect(page.Detail.Locator("#detail-command")).ToHaveCountAsync(0);
        page.ShouldBeClean();
    }

    private static async Task<string> CommandOfNewestAsync(WatchedPage page, int lines)
    {
        await Expect(page.Lines).ToHaveCountAsync(lines);
        await page.Lines.First.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Detail.Locator("#detail-command")).ToBeVisibleAsync();
        var command = await page.Detail.Locator("#detail-command").TextContentAsync();
        await page.Detail.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        return command!;
    }

    private static async Task SendAsync(ReceiverOnTrial receiver, string method, string? contentType, string content)
    {
        var address = $"{receiver.Address}api/telecmi/events";
        using var request = new HttpRequestMessage(
            new HttpMethod(method), new Uri(method == "GET" ? $"{address}?{content}" : address, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        if (method != "GET")
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(content));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        using var response = await receiver.Client.SendAsync(request);
    }

    private static async Task RunAsync(string shell, string command, TemporaryFolder folder)
    {
        using var process = Process.Start(new ProcessStartInfo(shell, ["-c", command])
        {
            WorkingDirectory = folder.Path,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        process.ExitCode.ShouldBe(0, await errors);
    }
}
