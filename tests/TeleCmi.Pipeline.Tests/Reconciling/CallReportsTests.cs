using Microsoft.AspNetCore.Http;
using TeleCmi.Pipeline.Reconciling;

namespace TeleCmi.Pipeline.Tests.Reconciling;

/// <summary>The client against a server that behaves as TeleCMI's documentation says, and worse.</summary>
public sealed class CallReportsTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);

    private ReportServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await ReportServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Pages_AreReadToTheEnd_AndEveryFieldIsTyped()
    {
        for (var i = 0; i < 45; i++)
        {
            _server.Add("out_answered", Noon.AddSeconds(i), $"leg-{i}", from: "440000000000", to: "442000000001", seconds: 31);
        }

        var window = (await ReadAsync(CallReport.OutAnswered)).ShouldHaveSingleItem();

        window.Unstable.ShouldBeNull();
        window.Records.Select(record => record.CmiUid).ShouldBe(Enumerable.Range(0, 45).Select(i => $"leg-{i}"), ignoreOrder: true);
        _server.Requests.ShouldBe(3);
        window.Records.Single(record => record.CmiUid == "leg-7").ShouldBe(new ReportRecord
        {
            Report = CallReport.OutAnswered,
            CmiUid = "leg-7",
            Time = Noon.AddSeconds(7),
            Agent = CallScenario.Agent,
            From = "440000000000",
            To = "442000000001",
            Duration = 34,
            BilledSeconds = 31,
            FileName = "leg-7.mp3",
            IsRecorded = true,
        });
    }

    [Fact]
    public async Task FullLastPage_IsNotFollowedByAnother()
    {
        for (var i = 0; i < 20; i++)
        {
            _server.Add("missed", Noon.AddSeconds(i), $"leg-{i}", agent: null, seconds: null);
        }

        (await ReadAsync(CallReport.Missed)).ShouldHaveSingleItem().Records.Count.ShouldBe(20);
        _server.Requests.ShouldBe(1);
    }

    [Fact]
    public async Task CallsThatAreAddedWhilePaging_CostNoOther()
    {
        AddAnswered(50);

        // Two new ones push two others from the page that comes to the one that was read.
        BeforeTheSecondPage(() => _server.Add("answered", Noon.AddSeconds(60), "leg-50").Add("answered", Noon.AddSeconds(61), "leg-51"));

        var window = (await ReadAsync(CallReport.Answered)).ShouldHaveSingleItem();
        window.Records.Count.ShouldBe(52);
        window.Unstable.ShouldBeNull();
    }

    [Fact]
    public async Task CallThatIsRemovedWhilePaging_CostsNoOther()
    {
        AddAnswered(22);

        // The first call of the next page slips onto the page that was read, and what was seen is as many as there are.
        BeforeTheSecondPage(() => _server.Remove("answered", "leg-21"));

        var window = (await ReadAsync(CallReport.Answered)).ShouldHaveSingleItem();
        window.Records.ShouldContain(record => record.CmiUid == "leg-1");
        window.Unstable.ShouldBeNull();
    }

    [Fact]
    public async Task ReportThatNeverStandsStill_IsGivenUp_AndSaysSo()
    {
        AddAnswered(50);

        _server.Before = (request, _) =>
        {
            _server.Add("answered", Noon.AddSeconds(60 + request), $"more-{request}");
            return Task.FromResult(false);
        };

        (await ReadAsync(CallReport.Answered)).ShouldHaveSingleItem().Unstable.ShouldNotBeNull();
        _server.Requests.ShouldBeLessThan(20);
    }

    [Fact]
    public async Task PageThatRepeats_IsNotReadForEver()
    {
        _server.Before = async (_, context) =>
        {
            await context.Response.WriteAsync("""{"count":1000000,"cdr":[{"cmiuid":"x","time":1772625600000}],"code":200}""");
            return true;
        };

        (await ReadAsync(CallReport.Answered)).ShouldHaveSingleItem().Records.ShouldHaveSingleItem();
        _server.Requests.ShouldBe(8);
    }

    [Theory]
    [InlineData(404, "TeleCMI does not accept the app id or the secret")]
    [InlineData(400, "TeleCMI finds a parameter missing or wrong")]
    [InlineData(302, "which TeleCMI does not document: check TeleCmi__Reconcile__Url")]
    public async Task Refusal_IsOneRequestAndASentence_WithoutTheSecret(int code, string sentence)
    {
        foreach (var status in new[] { code, 200 })
        {
            var before = _server.Requests;
            _server.Before = async (_, context) =>
            {
                context.Response.StatusCode = status;
                context.Response.Headers.Location = "http://127.0.0.1:9/";
                await context.Response.WriteAsync($$"""{"code":{{code}},"msg":"{{ReportServer.Secret}}"}""");
                return true;
            };

            var failure = await Should.ThrowAsync<ReportException>(() => ReadAsync(CallReport.Answered));

            failure.Message.ShouldContain(sentence);
            failure.ToString().ShouldNotContain(ReportServer.Secret);
            _server.Requests.ShouldBe(before + 1);
        }
    }

    [Fact]
    public async Task WrongSecret_IsRefused_AndNotTriedAgain()
    {
        (await Should.ThrowAsync<ReportException>(() => ReadAsync(CallReport.Answered, ("TeleCmi:Reconcile:Secret", "wrong")))).Message.ShouldContain("TeleCmi__Reconcile__Secret");
        _server.Requests.ShouldBe(1);
    }

    [Fact]
    public async Task PassingFaults_AreTriedAgain_AndRetryAfterIsKept()
    {
        _server.Add("answered", Noon, "leg-1");
        var faults = new Queue<Func<HttpContext, Task>>(
        [
            context => Status(context, 429, "7"),
            context => Status(context, 503, null),
            context => context.Response.WriteAsync("<html>not a report"),
            context => { context.Abort(); return Task.CompletedTask; },
        ]);
        _server.Before = async (_, context) =>
        {
            if (faults.TryDequeue(out var fault))
            {
                await fault(context);
                return true;
            }

            return false;
        };

        await using var pipeline = Start(("TeleCmi:Reconcile:Timeout", "00:02:00"));
        var reading = ReadAsync(pipeline, CallReport.Answered);
        await PassTimeAsync(pipeline, reading, TimeSpan.Zero);

        (await reading).ShouldHaveSingleItem().Records.ShouldHaveSingleItem();
        _server.Requests.ShouldBe(5);
        pipeline.Logs.GetSnapshot().ShouldContain(line => line.Message.Contains("answered responded with 429. Next in 00:00:07.", StringComparison.Ordinal));
        pipeline.Logs.GetSnapshot().ShouldAllBe(line => !line.Message.Contains(ReportServer.Secret, StringComparison.Ordinal));

        static Task Status(HttpContext context, int status, string? retryAfter)
        {
            context.Response.StatusCode = status;
            context.Response.Headers.RetryAfter = retryAfter;
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task SlowResponse_IsCutOff_AndFailsInTheEnd()
    {
        _server.Before = async (_, context) =>
        {
            // Until the client hangs up.
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            return true;
        };

        await using var pipeline = Start(("TeleCmi:Reconcile:Timeout", "00:02:00"));
        var reading = ReadAsync(pipeline, CallReport.Answered);
        await PassTimeAsync(pipeline, reading, ofRequest: TimeSpan.FromMinutes(2));

        await Should.ThrowAsync<ReportException>(() => reading);
        _server.Requests.ShouldBe(7);
    }

    [Fact]
    public async Task WaitOfHours_IsNotWaitedFor()
    {
        _server.Before = (_, context) =>
        {
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = "86400";
            return Task.FromResult(true);
        };

        (await Should.ThrowAsync<ReportException>(() => ReadAsync(CallReport.Answered))).Message.ShouldContain("try again later");
        _server.Requests.ShouldBe(1);
    }

    [Fact]
    public async Task DayIsReadByTheHour_WithoutGapOrOverlap()
    {
        _server.Add("missed", Noon, "first").Add("missed", Noon.AddHours(1).AddMilliseconds(-1), "last of the hour").Add("missed", Noon.AddHours(1), "next hour").Add("missed", Noon.AddHours(2), "too late");

        await using var pipeline = Start();
        var windows = await pipeline.Get<CallReports>().ReadAsync([CallReport.Missed], Noon, Noon.AddHours(2), CancellationToken.None).ToListAsync();

        windows.Select(window => string.Join(", ", window.Records.Select(record => record.CmiUid).Order(StringComparer.Ordinal))).ShouldBe(["first, last of the hour", "next hour"]);
    }

    private void AddAnswered(int calls)
    {
        for (var i = 0; i < calls; i++)
        {
            _server.Add("answered", Noon.AddSeconds(i), $"leg-{i}");
        }
    }

    private void BeforeTheSecondPage(Action change) => _server.Before = (request, _) =>
    {
        if (request == 2)
        {
            change();
        }

        return Task.FromResult(false);
    };

    // Lets the faked time go on while the server really responds: slowly, so that no request is cut off on its way, and by what
    // is said for each that has arrived.
    private async Task PassTimeAsync(PipelineUnderTest pipeline, Task until, TimeSpan ofRequest)
    {
        var arrived = 0;
        while (await Task.WhenAny(until, Task.Delay(20)) != until)
        {
            var isNew = _server.Requests > arrived;
            arrived = _server.Requests;
            pipeline.Clock.Advance(isNew && ofRequest > TimeSpan.Zero ? ofRequest : TimeSpan.FromSeconds(1));
        }
    }

    private PipelineUnderTest Start(params (string Name, string Value)[] settings) => new(change: null, [.. _server.Settings, .. settings]);

    private async Task<List<ReportWindow>> ReadAsync(CallReport report, params (string Name, string Value)[] settings)
    {
        await using var pipeline = Start(settings);

        // Nobody lets the faked time go on: another try would never come.
        return await ReadAsync(pipeline, report).WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static async Task<List<ReportWindow>> ReadAsync(PipelineUnderTest pipeline, CallReport report) =>
        await pipeline.Get<CallReports>().ReadAsync([report], Noon, Noon.AddHours(1), CancellationToken.None).ToListAsync();
}
