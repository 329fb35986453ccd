using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using TeleCmi.TestSupport;

namespace TeleCmi.LivePage.Tests;

public sealed class PageGuardTests(AzuriteFixture azurite)
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
        await using var receiver = await ReceiverOnTrial.StartAsync(azurite.NewStorage());

        (await GetAsync(receiver, path, request => request.Headers.Host = "rebound.example.test")).ShouldBe(HttpStatusCode.NotFound);
        (await GetAsync(receiver, path, request => request.Headers.Add("X-Forwarded-Host", Tunnel))).ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task AHostThatIsListed_NeedsAnAccessToken()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(
            azurite.NewStorage(), settings: ["--LocalHost:LivePageHosts", Tunnel, "--TeleCmi:AccessTokens", Token]);

        (await GetAsync(receiver, "/", request => request.Headers.Host = Tunnel)).ShouldBe(HttpStatusCode.Unauthorized);
        (await GetAsync(receiver, "/", request => Visit(request, "another-token-of-twenty"))).ShouldBe(HttpStatusCode.Unauthorized);
        (await GetAsync(receiver, "/", request => Visit(request, Token))).ShouldBe(HttpStatusCode.OK);
        (await GetAsync(receiver, "/", request => request.Headers.Host = "other.example.test")).ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task AnotherSite_MayNeitherReadNorOrder()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(azurite.NewStorage());

        (await GetAsync(receiver, "/live/detail?id=x", request => request.Headers.Add("Sec-Fetch-Site", "cross-site"))).ShouldBe(HttpStatusCode.Forbidden);
        (await OrderAsync(receiver, request => request.Headers.Add("Sec-Fetch-Site", "cross-site"))).ShouldBe(HttpStatusCode.Forbidden);
        (await OrderAsync(receiver, request => request.Headers.Add("Origin", "https://evil.example.test"))).ShouldBe(HttpStatusCode.Forbidden);
        (await OrderAsync(receiver, request => request.Headers.Add("Origin", "null"))).ShouldBe(HttpStatusCode.Forbidden);
        (await OrderAsync(receiver, request => request.Content!.Headers.ContentType = new MediaTypeHeaderValue("text/plain"))).ShouldBe(HttpStatusCode.Forbidden);
        (await OrderAsync(receiver, request => request.Headers.Add("Origin", receiver.Address.GetLeftPart(UriPartial.Authority)))).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Tunnel_DoesNotReachTheAddressWithoutASecret()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(azurite.NewStorage());

        // Dev tunnels write localhost into the Host header.
        (await GetAsync(receiver, "/api/telecmi/events?leg=a", request => request.Headers.Add("X-Forwarded-For", "198.51.100.7"))).ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task SwitchedOff_ThereIsNoPage()
    {
        await using var receiver = await ReceiverOnTrial.StartAsync(azurite.NewStorage(), settings: ["--LocalHost:LivePage", "false"]);

        (await GetAsync(receiver, "/", _ => { })).ShouldBe(HttpStatusCode.NotFound);
        using var answer = await receiver.PostEventAsync(ReceiverOnTrial.Sample("unseen"));
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
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

    private static async Task<HttpStatusCode> OrderAsync(ReceiverOnTrial receiver, Action<HttpRequestMessage> change)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(receiver.Address, "/live/sample"));
        // With a length, as a browser sends it.
        request.Content = JsonContent.Create(new { method = "POST", sample = "agent" });
        await request.Content.LoadIntoBufferAsync();
        change(request);
        using var response = await receiver.Client.SendAsync(request);
        return response.StatusCode;
    }
}
