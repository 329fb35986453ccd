using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TeleCmi.TestSupport;

namespace TeleCmi.EndToEnd.Tests;

/// <summary>Hostile requests over real connections: no 5xx, no hang, no crash, no memory beyond the cap, no row outside its partition, no log line split.</summary>
public sealed partial class HostileHttpTests(ITestOutputHelper output)
{
    private const int Requests = 600;

    // Far below the gigabytes that some requests claim, and far above what a garbage collector leaves lying about.
    private const long MostMemoryGrowth = 256L << 20;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly string[] IdFields = ["cmiuuid", "conversation_uuid", "app_id", "leg", "call_id", "request_id", "user", "to", "callerid", "type", "status", "time", "custom"];

    [Fact]
    public async Task WhateverComes_TheHostRespondsBelow500AndServesOn()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        using var folder = new TemporaryFolder();
        await using var host = HostProcess.LocalHost(
            null, "--urls", "http://127.0.0.1:0", "--data", folder.Path, "--TeleCmi:AcceptedEvents=*", "--LocalHost:MaxPollingInterval=00:00:00.05");
        var address = await host.Address;
        var memory = host.Memory;

        await Parallel.ForAsync(0, Requests, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, _) =>
        {
            var random = new Random(unchecked(seed + number));
            var request = HostileRequest(random);

            var response = await RawHttp.SendAsync(address, Deadline, request);

            RawHttp.StatusOf(response).ShouldBeLessThan(500, $"seed {seed}, number {number}: {Encoding.Latin1.GetString(request.AsSpan(0, Math.Min(request.Length, 2000)))}");
        });

        host.HasExited.ShouldBeFalse();
        (host.Memory - memory).ShouldBeLessThan(MostMemoryGrowth);
        RawHttp.StatusOf(await RawHttp.SendAsync(address, Deadline, RawHttp.Post($"Content-Length: {SampleNotices.Answered.Length}\r\n", SampleNotices.Answered))).ShouldBe(200);
        using var judge = StorageUnderTest.Open(folder.Store);
        await Eventually.HoldsAsync(async () => await judge.QueuedAsync() == 0, TimeSpan.FromSeconds(60));
        var journal = await judge.JournalAsync();
        journal.Count.ShouldBeGreaterThan(50);
        journal.ShouldAllBe(row => PartitionOfJournal().IsMatch(row.Key.Partition) && row.Key.Row.Length <= 512 && row.Key.Row.Contains('|'));
        (await judge.DeadLettersAsync()).ShouldAllBe(row => row.Text("Reason") == "rejected");
        host.Output.Split('\n').ShouldAllBe(line => LogLine().IsMatch(line));
    }

    [Fact]
    public async Task ABodyThatComesTooSlowly_Is408WithinItsDeadline()
    {
        await using var host = await ReceiverHost.StartAsync();
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(host.Address.Host, host.Address.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(RawHttp.Post("Content-Length: 100\r\n", "{"u8));

        var response = new byte[12];
        await stream.ReadExactlyAsync(response).AsTask().WaitAsync(TimeSpan.FromSeconds(20));

        Encoding.ASCII.GetString(response).ShouldBe("HTTP/1.1 408");
    }

    [Fact]
    public async Task TenThousandQueryFields_HaveAResponse()
    {
        await using var host = await ReceiverHost.StartAsync();

        RawHttp.StatusOf(await RawHttp.SendAsync(host.Address, Deadline, RawHttp.Get(string.Join('&', Enumerable.Range(0, 10_000).Select(_ => "a=1"))))).ShouldBe(413);
        RawHttp.StatusOf(await RawHttp.SendAsync(host.Address, Deadline, RawHttp.Get(string.Join('&', Enumerable.Range(0, 50_000).Select(number => $"field{number}=1"))))).ShouldBe(414);
        RawHttp.StatusOf(await RawHttp.SendAsync(host.Address, Deadline, RawHttp.Get($"{SampleNotices.QueryOf(SampleNotices.Answered)}&{string.Join('&', Enumerable.Repeat("a", 2_000))}"))).ShouldBe(200);
    }

    [Fact]
    public async Task ASenderThatHangsUp_DoesNotDisturbTheNext()
    {
        await using var host = await ReceiverHost.StartAsync();
        for (var i = 0; i < 50; i++)
        {
            using var client = new System.Net.Sockets.TcpClient();
            await client.ConnectAsync(host.Address.Host, host.Address.Port);
            client.LingerState = new System.Net.Sockets.LingerOption(enable: true, seconds: 0);
            await client.GetStream().WriteAsync(RawHttp.Post("Content-Length: 5000\r\n", SampleNotices.Answered));
        }

        (await host.PostAsync(SampleNotices.Answered)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static byte[] HostileRequest(Random random)
    {
        switch (random.Next(10))
        {
            case 0:
                string[] claims = ["1073741824", "9223372036854775807", "99999999999999999999", "-1", "0x10", "1,2", " ", "10\r\nContent-Length: 20"];
                return RawHttp.Post($"Content-Length: {Pick(random, claims)}\r\n", "{\"app_id\":1}"u8);
            case 1:
                string[] sizes = ["ffffffff", "-1", "zz", "5;ext=\u0001", "100000000000000000", "0"];
                return RawHttp.Post("Transfer-Encoding: chunked\r\n", Encoding.Latin1.GetBytes($"{Pick(random, sizes)}\r\nhello\r\n0\r\n\r\n"));
            case 2:
                return RawHttp.Get(Uri.EscapeDataString(Hostile(random)).Replace("%3D", "=", StringComparison.Ordinal).Replace("%26", "&", StringComparison.Ordinal));
            case 3:
                return RawHttp.Get($"{SampleNotices.QueryOf(HostileNotice(random))}");
            case 4:
                var junk = new byte[random.Next(1, 3000)];
                random.NextBytes(junk);
                return junk;
            case 5:
                string[] paths = ["/api/telecmi/../../events", "/api/telecmi/%2e%2e/events", "//api//telecmi//events", "/api/telecmi/%00/events", "/api/telecmi/%ff/events", "*", "http://other/api/telecmi/events", $"/{new string('a', 70_000)}"];
                return Encoding.Latin1.GetBytes($"{Pick(random, ["GET", "POST", "BREW", "G\u00c9T"])} {Pick(random, paths)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            case 6:
                string[] headers = ["Content-Type: \u0001\r\n", $"X: {new string('x', 40_000)}\r\n", "Expect: 100-continue\r\n", "Content-Type: application/x-www-form-urlencoded\r\n", "Content-Encoding: gzip\r\n", "Transfer-Encoding: gzip\r\n", "Host: a\r\n", "traceparent: 00-zz\r\n"];
                return RawHttp.Post($"{Pick(random, headers)}Content-Length: {SampleNotices.Answered.Length}\r\n", SampleNotices.Answered);
            case 7:
                var deep = Encoding.ASCII.GetBytes($"{{\"app_id\":1,\"x\":{new string('[', 1000)}{new string(']', 1000)}}}");
                return RawHttp.Post($"Content-Length: {deep.Length}\r\n", deep);
            default:
                var notice = HostileNotice(random);
                if (random.Next(3) == 0)
                {
                    notice[random.Next(notice.Length)] ^= (byte)(1 << random.Next(8));
                }

                return RawHttp.Post($"Content-Length: {notice.Length}\r\n", notice);
        }
    }

    private static byte[] HostileNotice(Random random) => SampleNotices.AnsweredWith(
        [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => (Pick(random, IdFields), (JsonNode?)Hostile(random)))]);

    private static string Hostile(Random random)
    {
        string[] texts =
        [
            "../../etc/passwd", @"a\b/c#d?e", "\u0000\u0001\u001f\u007f\u0085", "x\r\n2026-01-01 fail: forged\u2028", "\u001b[2J", "😀\u202e\ufeff", "%2f%00",
            "' or 1 eq 1 or '", "<script>alert(1)</script>", new string('9', random.Next(1, 400)), "1e999", "-0", new string('é', random.Next(1, 3000)), "{\"a\":[",
        ];
        return Pick(random, texts) + random.Next(1000).ToString(CultureInfo.InvariantCulture);
    }

    private static string Pick(Random random, string[] texts) => texts[random.Next(texts.Length)];

    [GeneratedRegex(@"^(\d{4}-\d{2}-\d{2}|undated)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex PartitionOfJournal();

    [GeneratedRegex(@"^(\d{2}:\d{2}:\d{2}\.\d{3} \w{4}: |Webhook: |Watch it live: )[^\p{C}\u2028\u2029]*$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex LogLine();
}
