using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;

namespace TeleCmi.LivePage.Tests;

public sealed class PageGuardTests
{
    private const string Token = "a-token-of-at-least-twenty";
    private const string Tunnel = "abc.example.test";

    [Theory]
    [InlineData("/")]
    [InlineData("/live/main.js")]
    [InlineData("/live/events")]
    [InlineData("/live/detail?id=x")]
    public async Task AnotherHostsName_FindsNothing(string path)
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();

        (await GetAsync(receiver, path, request => request.Headers.Host = "rebound.example.test")).ShouldBe(HttpStatusCode.NotFound);
        (await GetAsync(receiver, path, request => request.Headers.Add("X-Forwarded-Host", Tunnel))).ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("GET", "/")]
    [InlineData("GET", "/?key=guessed")]
    [InlineData("GET", "/live/main.js")]
    [InlineData("GET", "/live/no-such-file.js")]
    [InlineData("GET", "/live/events")]
    [InlineData("GET", "/live/detail?id=x")]
    [InlineData("GET", "/live/journal?day=2022-04-22")]
    [InlineData("GET", "/live/calls")]
    [InlineData("GET", "/live/calls/call?id=x")]
    [InlineData("GET", "/live/dead-letters")]
    [InlineData("GET", "/live/dead-letters/body?id=x/y")]
    [InlineData("POST", "/live/sample")]
    [InlineData("POST", "/live/send-again")]
    [InlineData("POST", "/live/dead-letters/replay")]
    [InlineData("POST", "/live/dead-letters/discard")]
    public async Task RawTunnel_FindsThePageClosedWithoutItsKey(string method, string path)
    {
        // Such as ssh -R, or nginx as it comes: the request looks like one of this machine.
        await using var receiver = await ReceiverOnTrial.StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(receiver.Address, path));
        request.Headers.Host = "127.0.0.1";
        request.Headers.Add("Cookie", string.Create(CultureInfo.InvariantCulture, $"telecmi-page-{receiver.Address.Port}=guessed"));
        request.Content = method == "POST" ? new StringContent("not even JSON", Encoding.UTF8, "application/json") : null;

        using var response = await receiver.Client.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        response.Headers.Contains("Set-Cookie").ShouldBeFalse();
        (await response.Content.ReadAsStringAsync()).ShouldContain("open the address that the receiver printed");
    }

    [Fact]
    public async Task PrintedAddress_MakesTheKeyACookieThatNoScriptReadsAndNoOtherSiteSends()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        Convert.FromBase64String(receiver.Key.Replace('-', '+').Replace('_', '/')).Length.ShouldBeGreaterThanOrEqualTo(128 / 8);

        using var response = await receiver.Client.GetAsync(receiver.Page);

        response.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        response.Headers.Location.ShouldBe(new Uri("/", UriKind.Relative));
        var cookie = response.Headers.GetValues("Set-Cookie").ShouldHaveSingleItem().Split("; ");
        cookie[0].ShouldEndWith($"={receiver.Key}");
        cookie[1..].ShouldBe(["path=/", "samesite=strict", "httponly"], ignoreOrder: true);
        (await GetAsync(receiver, "/live/dead-letters", request => request.Headers.Add("Cookie", cookie[0]))).ShouldBe(HttpStatusCode.OK);
        (await GetAsync(receiver, "/live/dead-letters", request => Carry(request, receiver.Key))).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Key_IsAnotherOneAfterEachStart()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();
        var former = receiver.Key;
        await receiver.StopAsync();
        await receiver.StartAsync();

        receiver.Key.ShouldNotBe(former);
        (await GetAsync(receiver, "/", request => Carry(request, former))).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task AHostThatIsListed_NeedsAnAccessToken()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(settings: ["--LocalHost:LivePageHosts", Tunnel, "--TeleCmi:AccessTokens", Token]);

        (await GetAsync(receiver, "/", request => request.Headers.Host = Tunnel)).ShouldBe(HttpStatusCode.Unauthorized);
        (await GetAsync(receiver, "/", request => Visit(request, "another-token-of-twenty"))).ShouldBe(HttpStatusCode.Unauthorized);
        (await GetAsync(receiver, "/", request => Visit(request, Token))).ShouldBe(HttpStatusCode.OK);
        (await GetAsync(receiver, "/", request => request.Headers.Host = "other.example.test")).ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task AnotherSite_MayNeitherReadNorSend()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();

        (await GetAsync(receiver, "/live/detail?id=x", request => Carry(request, receiver.Key).Headers.Add("Sec-Fetch-Site", "cross-site"))).ShouldBe(HttpStatusCode.Forbidden);
        (await SendAsync(receiver, request => request.Headers.Add("Sec-Fetch-Site", "cross-site"))).ShouldBe(HttpStatusCode.Forbidden);
        (await SendAsync(receiver, request => request.Headers.Add("Origin", "https://evil.example.test"))).ShouldBe(HttpStatusCode.Forbidden);
        (await SendAsync(receiver, request => request.Headers.Add("Origin", "null"))).ShouldBe(HttpStatusCode.Forbidden);
        // What a form can send.
        (await SendAsync(receiver, request => request.Content!.Headers.ContentType = new MediaTypeHeaderValue("text/plain"))).ShouldBe(HttpStatusCode.UnsupportedMediaType);
        (await SendAsync(receiver, request => request.Headers.Add("Origin", receiver.Address.GetLeftPart(UriPartial.Authority)))).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Tunnel_DoesNotReachTheAddressWithoutASecret()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync();

        // Dev tunnels write localhost into the Host header.
        (await GetAsync(receiver, "/api/telecmi/events?leg=a", request => request.Headers.Add("X-Forwarded-For", "198.51.100.7"))).ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task SwitchedOff_ThereIsNoPage()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(settings: ["--LocalHost:LivePage", "false"]);

        (await GetAsync(receiver, "/", request => Carry(request, "any"))).ShouldBe(HttpStatusCode.NotFound);
        using var response = await receiver.PostEventAsync(ReceiverOnTrial.Sample("unseen"));
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static HttpRequestMessage Carry(HttpRequestMessage request, string key)
    {
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return request;
    }

    private static void Visit(HttpRequestMessage request, string password)
    {
        request.Headers.Host = Tunnel;
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"me:{password}")));
    }

    private static async Task<HttpStatusCode> GetAsync(ReceiverOnTrial receiver, string path, Action<HttpRequestMessage> change)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(receiver.Address, path));
        change(request);
        using var response = await receiver.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return response.StatusCode;
    }

    private static async Task<HttpStatusCode> SendAsync(ReceiverOnTrial receiver, Action<HttpRequestMessage> change)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(receiver.Address, "/live/sample"));
        // With a length, as a browser sends it.
        request.Content = JsonContent.Create(new { method = "POST", sample = "agent" });
        await request.Content.LoadIntoBufferAsync();
        change(Carry(request, receiver.Key));
        using var response = await receiver.Client.SendAsync(request);
        return response.StatusCode;
    }
}
