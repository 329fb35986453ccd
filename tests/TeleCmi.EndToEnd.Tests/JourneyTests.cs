using System.Net;
using System.Text;
using Azure.Storage.Queues;
using TeleCmi.Pipeline.Storage;
using TeleCmi.TestSupport;

namespace TeleCmi.EndToEnd.Tests;

public sealed class JourneyTests(AzuriteFixture azurite)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnAnsweredCall_IsInTheJournalWithinSeconds(bool onAzurite)
    {
        await using var host = await ReceiverHost.StartAsync(storage: onAzurite ? azurite.NewStorage() : null);

        var response = await host.PostAsync(SampleNotices.Answered);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.Content.ReadAsStringAsync()).ShouldContain(SampleNotices.AnsweredId);
        await Eventually.HoldsAsync(async () => (await host.Storage.FinishedAsync()).Contains(SampleNotices.AnsweredId, StringComparer.Ordinal), TimeSpan.FromSeconds(10));
        await host.SettledAsync();
    }

    [Fact]
    public async Task GetAndPostAndResendsOfOneEvent_AreOneIdAndOneRow()
    {
        await using var host = await ReceiverHost.StartAsync();

        HttpResponseMessage[] responses =
        [
            await host.PostAsync(SampleNotices.Answered),
            await host.GetAsync($"/api/telecmi/events?{SampleNotices.QueryOf(SampleNotices.Answered)}"),
            await host.PostAsync(SampleNotices.Answered),
        ];

        foreach (var response in responses)
        {
            (await response.Content.ReadAsStringAsync()).ShouldBe(await responses[0].Content.ReadAsStringAsync());
        }

        await host.SettledAsync();
        (await host.Storage.FinishedAsync()).ShouldBe([SampleNotices.AnsweredId]);
        (await host.Storage.JournalAsync()).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task TheTwoLegsOfOneCall_AreTwoRowsSideBySide()
    {
        await using var host = await ReceiverHost.StartAsync();

        await host.PostAsync(SampleNotices.Answered);
        await host.PostAsync(SampleNotices.AnsweredWith(("leg", "b"), ("cmiuuid", "other-leg")));

        await Eventually.HoldsAsync(async () => (await host.Storage.FinishedAsync()).Count == 2);
        var rows = await host.Storage.JournalAsync();
        rows.Select(row => row.Text("AnsweredBy")).ShouldBe(["agent", "customer"], ignoreOrder: true);
        rows.Select(row => row.Key.Row.Split('|')[0]).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task AHandlerThatFailsTwice_IsDoneAfterTheThirdTry()
    {
        var tries = 0;
        await using var host = await ReceiverHost.StartAsync(
            handle: (_, _) => Interlocked.Increment(ref tries) <= 2 ? throw new InvalidOperationException("not yet") : Task.CompletedTask);

        await host.PostAsync(SampleNotices.Answered);

        await Eventually.HoldsAsync(async () => (await host.Storage.FinishedAsync()).Count == 1);
        await host.SettledAsync();
        tries.ShouldBe(3);
        (await host.Storage.JournalAsync()).ShouldHaveSingleItem().Text("Handler_test").ShouldBe("done");
        (await host.Storage.DeadLettersAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AHandlerThatAlwaysFails_EndsInDeadLettersAfterFiveTries_AndNothingIsLeftInTheQueues(bool onAzurite)
    {
        var tries = 0;
        await using var host = await ReceiverHost.StartAsync(
            storage: onAzurite ? azurite.NewStorage() : null,
            handle: (_, _) =>
            {
                Interlocked.Increment(ref tries);
                throw new InvalidOperationException("never");
            });

        await host.PostAsync(SampleNotices.Answered);

        var deadLetter = (await host.Storage.DeadLettersAsync(1)).ShouldHaveSingleItem();
        await host.SettledAsync();
        deadLetter.Text("Reason").ShouldBe("poison");
        deadLetter.Text("EventId").ShouldBe(SampleNotices.AnsweredId);
        tries.ShouldBe(PipelineQueues.MaxDequeueCount);
        (await host.Storage.JournalAsync()).ShouldHaveSingleItem().Time("ProcessedAt").ShouldBeNull();
    }

    [Fact]
    public async Task AMessageThatIsNotBase64_EndsInDeadLettersAsItCame_AndHoldsUpNoEvent()
    {
        const string Foreign = "{ not Base64 }";
        var storage = azurite.NewStorage();
        var queue = new QueueClient(storage, "telecmi-events");
        await queue.CreateIfNotExistsAsync();
        await queue.SendMessageAsync(Foreign);
        await using var host = await ReceiverHost.StartAsync(storage: storage);

        await host.PostAsync(SampleNotices.Answered);

        await Eventually.HoldsAsync(async () => (await host.Storage.FinishedAsync()).Count == 1);
        await host.SettledAsync();
        (await host.Storage.DeadLettersAsync()).ShouldHaveSingleItem().Bytes("Body").ShouldBe(Encoding.UTF8.GetBytes(Foreign));
    }

    [Fact]
    public async Task AStop_FinishesWhatIsInFlight()
    {
        var begun = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        await using var host = await ReceiverHost.StartAsync(handle: async (_, cancellation) =>
        {
            begun.SetResult();
            await release.Task.WaitAsync(cancellation);
        });
        await host.PostAsync(SampleNotices.Answered);
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(30));

        var stopping = host.StopAsync();
        await Eventually.HoldsAsync(async () => await RefusesAsync(host));
        stopping.IsCompleted.ShouldBeFalse("an event is in flight");
        release.SetResult();
        await stopping;

        (await host.Storage.FinishedAsync()).ShouldBe([SampleNotices.AnsweredId]);
        (await host.Storage.QueuedAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task AzuriteGone_Is503WithinTheDeadline_AndServiceIsNormalWhenItReturns()
    {
        var ours = await StartAsync(AzuritePorts.Any);
        try
        {
            var ports = ours.Ports;
            await using var host = await ReceiverHost.StartAsync(storage: ours.ConnectionString);
            (await host.PostAsync(SampleNotices.Answered)).StatusCode.ShouldBe(HttpStatusCode.OK);
            (await host.GetAsync("/api/telecmi/health")).StatusCode.ShouldBe(HttpStatusCode.OK);

            ours.Kill();
            await ours.DisposeAsync();
            var started = TimeProvider.System.GetTimestamp();
            var refused = await host.PostAsync(SampleNotices.AnsweredCall("during"));

            refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            refused.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(10));
            TimeProvider.System.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(9));
            (await host.GetAsync("/api/telecmi/health")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);

            ours = await StartAsync(ports);
            (await host.PostAsync(SampleNotices.AnsweredCall("after"))).StatusCode.ShouldBe(HttpStatusCode.OK);
            await Eventually.HoldsAsync(async () => (await host.Storage.FinishedAsync()).Contains(EventStream.IdOf("after"), StringComparer.Ordinal));
            (await host.GetAsync("/api/telecmi/health")).StatusCode.ShouldBe(HttpStatusCode.OK);
        }
        finally
        {
            await ours.DisposeAsync();
        }
    }

    private static Task<Azurite> StartAsync(AzuritePorts ports) =>
        Azurite.StartAsync(Repository.Find(), ports, dataFolder: null, Console.WriteLine, CancellationToken.None);

    private static async Task<bool> RefusesAsync(ReceiverHost host)
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
