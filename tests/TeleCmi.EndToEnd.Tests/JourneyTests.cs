using System.Net;
using System.Text;
using TeleCmi.LocalHost;
using TeleCmi.TestSupport;

namespace TeleCmi.EndToEnd.Tests;

public sealed class JourneyTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task AnAnsweredCall_IsInTheJournalWithinSeconds()
    {
        await using var host = await HostUnderTest.StartAsync(azurite.NewStorage());

        var answer = await host.PostAsync(SampleNotices.Answered);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await answer.Content.ReadAsStringAsync()).ShouldContain(SampleNotices.AnsweredId);
        await Eventually.HoldsAsync(async () => (await FinishedAsync(host)).Contains(SampleNotices.AnsweredId, StringComparer.Ordinal), TimeSpan.FromSeconds(10));
        await Eventually.HoldsAsync(async () => await host.Storage.QueuedAsync() == 0);
    }

    [Fact]
    public async Task GetAndPostAndResendsOfOneEvent_AreOneIdAndOneRow()
    {
        await using var host = await HostUnderTest.StartAsync(azurite.NewStorage());

        HttpResponseMessage[] answers =
        [
            await host.PostAsync(SampleNotices.Answered),
            await host.GetAsync($"/api/telecmi/events?{SampleNotices.QueryOf(SampleNotices.Answered)}"),
            await host.PostAsync(SampleNotices.Answered),
        ];

        foreach (var answer in answers)
        {
            (await answer.Content.ReadAsStringAsync()).ShouldBe(await answers[0].Content.ReadAsStringAsync());
        }

        await Eventually.HoldsAsync(async () => (await FinishedAsync(host)).Count > 0 && await host.Storage.QueuedAsync() == 0);
        (await host.Storage.JournalAsync()).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task TheTwoLegsOfOneCall_AreTwoRowsSideBySide()
    {
        await using var host = await HostUnderTest.StartAsync(azurite.NewStorage());

        await host.PostAsync(SampleNotices.Answered);
        await host.PostAsync(SampleNotices.AnsweredWith(("leg", "b"), ("cmiuuid", "other-leg")));

        await Eventually.HoldsAsync(async () => (await FinishedAsync(host)).Count == 2);
        var rows = await host.Storage.JournalAsync();
        rows.Select(row => row.GetString("AnsweredBy")).ShouldBe(["agent", "customer"], ignoreOrder: true);
        rows.Select(row => row.RowKey.Split('|')[0]).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task AHandlerThatFailsTwice_IsDoneAfterTheThirdTry()
    {
        var tries = 0;
        await using var host = await HostUnderTest.StartAsync(
            azurite.NewStorage(),
            new TestHandler((_, _) => Interlocked.Increment(ref tries) <= 2 ? throw new InvalidOperationException("not yet") : Task.CompletedTask));

        await host.PostAsync(SampleNotices.Answered);

        await Eventually.HoldsAsync(async () => (await FinishedAsync(host)).Count == 1 && await host.Storage.QueuedAsync() == 0);
        tries.ShouldBe(3);
        (await host.Storage.JournalAsync()).ShouldHaveSingleItem().GetString("Handler_test").ShouldBe("done");
        (await host.Storage.DeadLettersAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task AHandlerThatAlwaysFails_EndsInDeadLettersAfterFiveTries_AndNothingIsLeftInTheQueues()
    {
        var tries = 0;
        await using var host = await HostUnderTest.StartAsync(
            azurite.NewStorage(),
            new TestHandler((_, _) =>
            {
                Interlocked.Increment(ref tries);
                throw new InvalidOperationException("never");
            }));

        await host.PostAsync(SampleNotices.Answered);

        await Eventually.HoldsAsync(async () => (await host.Storage.DeadLettersAsync()).Count == 1 && await host.Storage.QueuedAsync() == 0);
        var deadLetter = (await host.Storage.DeadLettersAsync()).ShouldHaveSingleItem();
        deadLetter.GetString("Reason").ShouldBe("poison");
        deadLetter.GetString("EventId").ShouldBe(SampleNotices.AnsweredId);
        tries.ShouldBe(QueuePump.MaxDequeueCount);
        (await host.Storage.JournalAsync()).ShouldHaveSingleItem().GetDateTimeOffset("ProcessedAt").ShouldBeNull();
    }

    [Fact]
    public async Task AMessageThatIsNotBase64_EndsInDeadLettersAsItCame_AndHoldsUpNoEvent()
    {
        const string Foreign = "{ not Base64 }";
        await using var host = await HostUnderTest.StartAsync(azurite.NewStorage());
        await host.Storage.PutForeignMessageAsync(Foreign);

        await host.PostAsync(SampleNotices.Answered);

        await Eventually.HoldsAsync(async () => (await FinishedAsync(host)).Count == 1 && await host.Storage.QueuedAsync() == 0);
        (await host.Storage.DeadLettersAsync()).ShouldHaveSingleItem().GetBinary("Body").ShouldBe(Encoding.UTF8.GetBytes(Foreign));
    }

    [Fact]
    public async Task AStop_FinishesWhatIsInFlight()
    {
        var begun = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        var host = await HostUnderTest.StartAsync(
            azurite.NewStorage(),
            new TestHandler(async (_, cancellation) =>
            {
                begun.SetResult();
                await release.Task.WaitAsync(cancellation);
            }));
        await using var _ = host;
        await host.PostAsync(SampleNotices.Answered);
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(30));

        var stopping = host.StopAsync();
        await Eventually.HoldsAsync(async () => await RefusesAsync(host));
        stopping.IsCompleted.ShouldBeFalse("an event is in flight");
        release.SetResult();
        await stopping;

        (await FinishedAsync(host)).ShouldBe([SampleNotices.AnsweredId]);
        (await host.Storage.QueuedAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task AnEventThatOutlastsItsLease_IsStillProcessedOnce()
    {
        var runs = 0;
        await using var host = await HostUnderTest.StartAsync(
            azurite.NewStorage(),
            new TestHandler(async (_, cancellation) =>
            {
                Interlocked.Increment(ref runs);
                await Task.Delay(TimeSpan.FromSeconds(5), cancellation);
            }),
            "--LocalHost:Lease=00:00:02");

        await host.PostAsync(SampleNotices.Answered);

        await Eventually.HoldsAsync(async () => (await FinishedAsync(host)).Count == 1 && await host.Storage.QueuedAsync() == 0);
        runs.ShouldBe(1);
    }

    [Fact]
    public async Task StorageGone_Is503WithinTheDeadline_AndServiceIsNormalWhenItReturns()
    {
        var azuriteOfOurs = await StartAsync(AzuritePorts.Any);
        try
        {
            var ports = azuriteOfOurs.Ports;
            await using var host = await HostUnderTest.StartAsync(azuriteOfOurs.ConnectionString);
            (await host.PostAsync(SampleNotices.Answered)).StatusCode.ShouldBe(HttpStatusCode.OK);
            (await host.GetAsync("/api/telecmi/health")).StatusCode.ShouldBe(HttpStatusCode.OK);

            azuriteOfOurs.Kill();
            await azuriteOfOurs.DisposeAsync();
            var started = TimeProvider.System.GetTimestamp();
            var refused = await host.PostAsync(SampleNotices.AnsweredCall("during"));

            refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            refused.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(10));
            TimeProvider.System.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(9));
            (await host.GetAsync("/api/telecmi/health")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);

            azuriteOfOurs = await StartAsync(ports);
            (await host.PostAsync(SampleNotices.AnsweredCall("after"))).StatusCode.ShouldBe(HttpStatusCode.OK);
            await Eventually.HoldsAsync(async () => (await FinishedAsync(host)).Contains("2223343:event:after:a:answered", StringComparer.Ordinal));
            (await host.GetAsync("/api/telecmi/health")).StatusCode.ShouldBe(HttpStatusCode.OK);
        }
        finally
        {
            await azuriteOfOurs.DisposeAsync();
        }
    }

    private static Task<Azurite> StartAsync(AzuritePorts ports) =>
        Azurite.StartAsync(Repository.Find(), ports, dataFolder: null, Console.WriteLine, CancellationToken.None);

    private static async Task<IReadOnlyList<string>> FinishedAsync(HostUnderTest host) =>
        [.. (await host.Storage.JournalAsync()).Where(row => row.GetDateTimeOffset("ProcessedAt") is not null).Select(row => row.GetString("EventId"))];

    private static async Task<bool> RefusesAsync(HostUnderTest host)
    {
        try
        {
            await host.GetAsync("/api/telecmi/health");
            return false;
        }
        catch (HttpRequestException)
        {
            return true;
        }
    }
}
