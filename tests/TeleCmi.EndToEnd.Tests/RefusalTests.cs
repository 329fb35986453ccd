using System.Net;
using System.Text.Json;
using TeleCmi.LocalHost;
using TeleCmi.TestSupport;

namespace TeleCmi.EndToEnd.Tests;

/// <summary>What strangers can reach: other sites' pages, tunnels, proxies, the network.</summary>
public sealed class RefusalTests
{
    private const string Token = "token-of-at-least-twenty";

    private static readonly string Webhook = $"/api/telecmi/events?{SampleNotices.QueryOf(SampleNotices.Answered)}";

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "http://127.0.0.1:1")]
    [InlineData("Origin", "null")]
    public async Task AnotherSitesPage_Is403AndForgesNothing(string header, string value)
    {
        await using var host = await ReceiverHost.StartAsync();
        using var post = new HttpRequestMessage(HttpMethod.Post, host.Events) { Content = new ByteArrayContent(SampleNotices.Answered) };
        post.Headers.Add(header, value);

        foreach (var response in (HttpResponseMessage[])[await host.GetAsync(Webhook, (header, value)), await host.SendAsync(post)])
        {
            response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
            using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
            problem.RootElement.GetProperty("type").GetString().ShouldBe("urn:telecmi:problem:foreign-site");
        }

        (await host.Storage.QueuedAsync()).ShouldBe(0);
        (await host.Storage.JournalAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task AProgramAndTheReceiversOwnPage_AreServed()
    {
        await using var host = await ReceiverHost.StartAsync();
        var origin = host.Address.GetLeftPart(UriPartial.Authority);

        (await host.GetAsync(Webhook)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await host.GetAsync(Webhook, ("Sec-Fetch-Site", "none"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await host.GetAsync(Webhook, ("Sec-Fetch-Site", "same-origin"), ("Origin", origin))).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task WithAccessTokens_TheAddressWithoutOneIsClosed_AndTheConsoleSaysOnceWhatToDo()
    {
        await using var host = await ReceiverHost.StartAsync([$"--TeleCmi:AccessTokens={Token}"]);

        for (var i = 0; i < 3; i++)
        {
            (await host.GetAsync(Webhook)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        }

        (await host.GetAsync(Webhook.Replace("/events", $"/{Token}/events", StringComparison.Ordinal), ("Host", "tunnel.example"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        ShouldHaveHint(host);
    }

    [Theory]
    [InlineData("Host", "tunnel.example")]
    [InlineData("Host", "127.0.0.1.example")]
    [InlineData("X-Forwarded-For", "192.0.2.1")]
    [InlineData("X-Forwarded-Host", "tunnel.example")]
    [InlineData("X-Forwarded-Proto", "https")]
    [InlineData("Forwarded", "for=192.0.2.1")]
    [InlineData("Via", "1.1 proxy")]
    [InlineData("True-Client-IP", "192.0.2.1")]
    [InlineData("CF-Connecting-IP", "192.0.2.1")]
    [InlineData("CF-Ray", "1")]
    [InlineData("Tailscale-User-Login", "somebody")]
    [InlineData("X-Real-IP", "192.0.2.1")]
    [InlineData("X-Original-Host", "tunnel.example")]
    public async Task ARequestThroughATunnelOrProxy_Is404_AndTheConsoleSaysWhatToDo(string header, string value)
    {
        await using var host = await ReceiverHost.StartAsync();

        (await host.GetAsync(Webhook, (header, value))).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        ShouldHaveHint(host);
        (await host.Storage.QueuedAsync()).ShouldBe(0);
        (await host.Storage.JournalAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("--Kestrel:Endpoints:x:Url=http://0.0.0.0:0")]
    [InlineData("--Kestrel:Endpoints:x:Url=http://[::]:0")]
    [InlineData("--urls=http://0.0.0.0:0")]
    public async Task AnAddressBeyondThisMachine_NeedsAToken_HoweverItIsSet(string setting)
    {
        var refused = await Should.ThrowAsync<StartupException>(() => ReceiverHost.StartAsync([setting]));

        refused.Message.ShouldStartWith("Listening beyond this machine (http://");
        refused.Message.ShouldContain("set TeleCmi__AccessTokens");
        await using var host = await ReceiverHost.StartAsync([setting, $"--TeleCmi:AccessTokens={Token}"]);
    }

    private static void ShouldHaveHint(ReceiverHost host) =>
        host.Log.Where(line => line.Message.Contains("/api/telecmi/<access token>/events", StringComparison.Ordinal)).ShouldHaveSingleItem();
}
