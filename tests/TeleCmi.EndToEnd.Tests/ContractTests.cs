using System.Net;
using System.Net.Sockets;
using System.Text;
using TeleCmi.Events.Samples;
using TeleCmi.TestSupport;

namespace TeleCmi.EndToEnd.Tests;

/// <summary>Every row of the HTTP contract, over a real connection.</summary>
public sealed class ContractTests(AzuriteFixture azurite)
{
    private const string First = "first-token-of-at-least-twenty";
    private const string Second = "second-token-of-at-least-twenty";
    private const string Form = "application/x-www-form-urlencoded";
    private const string Accepted = $$"""{"status":"accepted","id":"{{SampleNotices.AnsweredId}}","kind":"outgoing.answered"}""";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EveryWayToSendAnAcceptedEvent_Is200WithItsId(bool onAzurite)
    {
        await using var host = await ReceiverHost.StartAsync(storage: onAzurite ? azurite.NewStorage() : null);
        var query = SampleNotices.QueryOf(SampleNotices.Answered);

        await ShouldBeAsync(host.PostAsync(SampleNotices.Answered), 200, Accepted);
        await ShouldBeAsync(host.GetAsync($"/api/telecmi/events?{query}"), 200, Accepted);
        await ShouldBeAsync(host.GetAsync($"/api/telecmi/events?code=key&{query}"), 200, Accepted);
        await ShouldBeAsync(host.PostAsync(Encoding.UTF8.GetBytes(query), Form), 200, Accepted);
        await ShouldBeAsync(host.PostAsync(SampleNotices.Answered, Form), 200, Accepted);
        await ShouldBeAsync(host.PostAsync([], address: new Uri(host.Address, $"/api/telecmi/events?{query}")), 200, Accepted);
    }

    [Fact]
    public async Task AChunkedBody_IsReadHereAlthoughThePlatformDropsIt()
    {
        await using var host = await ReceiverHost.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, host.Events) { Content = new ByteArrayContent(SampleNotices.Answered) };
        request.Headers.TransferEncodingChunked = true;

        await ShouldBeAsync(host.SendAsync(request), 200, Accepted);
    }

    [Fact]
    public async Task AnotherKind_Is200Ignored()
    {
        await using var host = await ReceiverHost.StartAsync();
        var hangup = DocumentedNotices.Load().First(sample => sample.Name.Contains("outgoing-hangup", StringComparison.Ordinal));

        await ShouldBeAsync(host.PostAsync(hangup.Utf8), 200, """{"status":"ignored","kind":"outgoing.hangup"}""");
    }

    [Fact]
    public async Task WhatCannotBeAnEvent_IsRefusedWithAProblem()
    {
        await using var host = await ReceiverHost.StartAsync(["--TeleCmi:AppIds=2223343"]);

        await ShouldBeProblemAsync(host.PostAsync("hello"u8.ToArray()), 400);
        await ShouldBeProblemAsync(host.PostAsync("{}"u8.ToArray()), 400);
        await ShouldBeProblemAsync(host.PostAsync([]), 400);
        await ShouldBeProblemAsync(host.GetAsync("/api/telecmi/events"), 400);
        await ShouldBeProblemAsync(host.GetAsync("/api/telecmi/events?a=b"), 400);
        await ShouldBeProblemAsync(host.PostAsync(SampleNotices.AnsweredWith(("app_id", 1))), 403);
        await ShouldBeProblemAsync(host.PostAsync(new byte[(16 * 1024) + 1]), 413);
        await ShouldBeProblemAsync(host.GetAsync($"/api/telecmi/events?app_id=1&custom={new string('x', 17_000)}"), 413);
        (await host.Storage.DeadLettersAsync()).Count.ShouldBe(3, "what was unreadable is kept, and nothing else");
    }

    [Fact]
    public async Task AnEmptyChunkedPost_Is411()
    {
        await using var host = await ReceiverHost.StartAsync();

        var response = await RawAsync(host, "POST /api/telecmi/events HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");

        response.ShouldStartWith("HTTP/1.1 411 ");
        response.ShouldContain("application/problem+json");
    }

    [Fact]
    public async Task AClaimOfAGigabyte_Is413AtOnce()
    {
        await using var host = await ReceiverHost.StartAsync();

        var response = await RawAsync(host, "POST /api/telecmi/events HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 1073741824\r\n\r\n{");

        response.ShouldStartWith("HTTP/1.1 413 ");
    }

    [Theory]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("HEAD")]
    [InlineData("OPTIONS")]
    [InlineData("PATCH")]
    public async Task AnotherMethod_Is405(string method)
    {
        await using var host = await ReceiverHost.StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), host.Events);

        var response = await host.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        response.Content.Headers.Allow.ShouldBe(["GET", "POST"]);
    }

    [Fact]
    public async Task TheAddressWithAToken_OpensWithEachOfTwoTokensAndNothingElse()
    {
        await using var host = await ReceiverHost.StartAsync([$"--TeleCmi:AccessTokens={First},{Second}"]);
        var query = SampleNotices.QueryOf(SampleNotices.Answered);

        await ShouldBeAsync(host.GetAsync($"/api/telecmi/{First}/events?{query}"), 200, Accepted);
        await ShouldBeAsync(host.GetAsync($"/api/telecmi/{Second}/events?{query}"), 200, Accepted);
        foreach (var wrong in (string[])["wrong-token-of-at-least-twenty", "x", "%20", First.ToUpperInvariant(), $"{First},{Second}", First[..^1], First + "x"])
        {
            await ShouldBeProblemAsync(host.GetAsync($"/api/telecmi/{wrong}/events?{query}"), 404);
        }
    }

    [Fact]
    public async Task TheAddressWithAToken_IsClosedWithoutTokens()
    {
        await using var host = await ReceiverHost.StartAsync();

        foreach (var guess in (string[])[First, "%20", ",", "null"])
        {
            await ShouldBeProblemAsync(host.GetAsync($"/api/telecmi/{guess}/events?{SampleNotices.QueryOf(SampleNotices.Answered)}"), 404);
        }
    }

    private static async Task<string> RawAsync(ReceiverHost host, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(host.Address.Host, host.Address.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static async Task ShouldBeAsync(Task<HttpResponseMessage> sending, int status, string body)
    {
        using var response = await sending;
        ((int)response.StatusCode).ShouldBe(status);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        (await response.Content.ReadAsStringAsync()).ShouldBe(body);
    }

    private static async Task ShouldBeProblemAsync(Task<HttpResponseMessage> sending, int status)
    {
        using var response = await sending;
        ((int)response.StatusCode).ShouldBe(status, await response.Content.ReadAsStringAsync());
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
    }
}
