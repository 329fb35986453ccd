using System.Diagnostics;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Storage;
using TeleCmi.TestSupport;

namespace TeleCmi.Forwarding.Tests;

public sealed class IsolationTests
{
    private const int Events = 40;
    private const int MostAtATime = 8;

    // Half of what one request to the hanging destination may take: nobody waited for it.
    private static readonly TimeSpan InTime = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DestinationThatIsDown_HoldsUpNeitherTheJournalNorAnotherDestination(bool hangs)
    {
        await using var healthy = await CrmUnderTest.StartAsync(200);
        var (now, most) = (0, 0);
        await using var hanging = await CrmUnderTest.StartAsync(async (context, _) =>
        {
            InterlockedMax(ref most, Interlocked.Increment(ref now));
            try
            {
                await CrmUnderTest.HoldAsync(context);
            }
            finally
            {
                Interlocked.Decrement(ref now);
            }
        });
        var down = hangs ? hanging.Address : CrmUnderTest.DeadAddress();
        await using var host = await Forwards.StartAsync(
            [
                // Long enough that no attempt ends while the requests at a time are counted.
                "--TeleCmi:Forward:FirstAttemptTimeout=00:00:10",
                .. Forwards.Destination(0, "down", down, "Timeout=00:01:00"),
                .. Forwards.Destination(1, "healthy", healthy.Address),
            ],
            new([.. Enumerable.Repeat(TimeSpan.FromHours(1), 5)]));

        await Task.WhenAll(Enumerable.Range(0, Events).Select(i => host.AcceptsAsync(Forwards.Answered($"call-{i}"))));
        await healthy.HasAsync(Events, InTime);
        if (hangs)
        {
            await hanging.HasAsync(MostAtATime, InTime);
        }

        most.ShouldBe(hangs ? MostAtATime : 0, "a hanging destination gets at most so many requests at a time");
        healthy.Requests.Select(request => request.WebhookId).ShouldBeUnique();
        await Eventually.HoldsAsync(async () => (await host.Storage.FinishedAsync()).Count == Events, InTime);
        healthy.Count.ShouldBe(Events);

        // Nothing is lost meanwhile: what the one that is down has not got waits for it. (What waited for a place at the healthy one may be there a moment longer.)
        await Eventually.HoldsAsync(async () => await host.Storage.CountAsync("telecmi-forwards") == Events, InTime);
    }

    [Fact]
    public async Task SlowDestination_DelaysNoOther()
    {
        var alone = await P95Async();
        var beside = await P95Async(TimeSpan.FromSeconds(2));

        // A busy machine may take its time, but nobody waited the two seconds.
        beside.ShouldBeLessThan((alone * 5) + TimeSpan.FromSeconds(0.5), $"alone: {alone}");
    }

    [Fact]
    public async Task TheSameEventTwiceAtOnce_IsForwardedOnce()
    {
        const int Pairs = 200;
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var host = await Forwards.StartAsync(Forwards.Destination(0, "crm", crm.Address), RetrySchedule.Default);

        await Task.WhenAll(Enumerable.Range(0, Pairs * 2).Select(i => host.AcceptsAsync(Forwards.Answered($"call-{i / 2}"))));
        await host.SettledAsync();

        crm.Requests.Select(request => request.WebhookId).Order(StringComparer.Ordinal)
            .ShouldBe(Enumerable.Range(0, Pairs).Select(i => Forwards.IdOf($"call-{i}")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task OncePerConversation_IsOncePerConversationAndApp_AlsoWhenAllComeAtOnce()
    {
        const int Conversations = 30;
        int[] apps = [2223343, 2223344];
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var host = await Forwards.StartAsync(Forwards.Destination(0, "crm", crm.Address, "OncePerConversation=true"), RetrySchedule.Default);

        // Three legs in each conversation, each of them sent twice.
        await Task.WhenAll(
            from number in Enumerable.Range(0, Conversations * 6)
            from app in apps
            select host.AcceptsAsync(Forwards.Answered($"leg-{number / 2}", conversation: $"conversation-{number / 6}", app: app)));
        await host.SettledAsync();

        crm.Requests.Select(request => request.Json.GetProperty("data")).Select(data => $"{data.GetProperty("app_id")} {data.GetProperty("conversation_uuid")}")
            .Order(StringComparer.Ordinal)
            .ShouldBe(apps.SelectMany(app => Enumerable.Range(0, Conversations).Select(number => $"{app} conversation-{number}")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task OncePerConversation_TellsOfTheCustomersFirstAnswerOnly()
    {
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var all = await CrmUnderTest.StartAsync(200);
        await using var host = await Forwards.StartAsync([.. Forwards.Destination(0, "crm", crm.Address, "OncePerConversation=true"), .. Forwards.Destination(1, "all", all.Address)]);

        await host.AcceptsAsync(Forwards.Answered("leg-1", "a", "conversation-1"));
        await host.AcceptsAsync(Forwards.Answered("leg-2", "b", "conversation-1"));
        await host.SettledAsync();
        await host.AcceptsAsync(Forwards.Answered("leg-3", "b", "conversation-1"));
        await host.AcceptsAsync(Forwards.Answered("leg-4", "b", "conversation-2"));
        await host.SettledAsync();

        crm.Requests.Select(request => request.WebhookId).ShouldBe([Forwards.IdOf("leg-2"), Forwards.IdOf("leg-4")]);
        all.Count.ShouldBe(4);
    }

    [Fact]
    public async Task OncePerConversation_LetsTheSameEventPassAgain_WhenItsProcessingIsRepeated()
    {
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var host = await Forwards.StartAsync(Forwards.Destination(0, "crm", crm.Address, "OncePerConversation=true"));
        await host.AcceptsAsync(Forwards.Answered("leg-1"));
        await crm.HasAsync(1);
        await host.SettledAsync();

        // As a crash leaves it that came after the claim on the conversation, once the one on the handlers has expired.
        var row = (await host.Storage.JournalAsync()).Single();
        await host.Store.Table("CallEvents").MergeAsync(new TableRow(row.Key) { ["Handler_Forward_crm"] = "pending" }, version: null, CancellationToken.None);
        await host.AcceptsAsync(Forwards.Answered("leg-1"));

        await crm.HasAsync(2);
        crm.Requests[1].WebhookId.ShouldBe(crm.Requests[0].WebhookId);
    }

    private static void InterlockedMax(ref int most, int value)
    {
        var seen = Volatile.Read(ref most);
        while (value > seen && Interlocked.CompareExchange(ref most, value, seen) is var found && found != seen)
        {
            seen = found;
        }
    }

    // From the acknowledgement to the request at the fast destination, beside a slow one if there is one.
    private static async Task<TimeSpan> P95Async(TimeSpan? slowness = null)
    {
        await using var fast = await CrmUnderTest.StartAsync(200);
        await using var slow = await CrmUnderTest.StartAsync((context, _) => Task.Delay(slowness ?? TimeSpan.Zero, context.RequestAborted));
        await using var host = await Forwards.StartAsync([.. Forwards.Destination(0, "slow", slow.Address), .. Forwards.Destination(1, "fast", fast.Address)], RetrySchedule.Default);
        await host.AcceptsAsync(Forwards.Answered("first"));
        await fast.HasAsync(1);

        var accepted = new Dictionary<string, long>(StringComparer.Ordinal);
        for (var i = 0; i < 100; i++)
        {
            accepted[Forwards.IdOf($"call-{i}")] = Stopwatch.GetTimestamp();
            await host.AcceptsAsync(Forwards.Answered($"call-{i}"));
            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }

        await fast.HasAsync(101, TimeSpan.FromSeconds(60));
        var delays = fast.Requests.Skip(1).Select(request => Stopwatch.GetElapsedTime(accepted[request.WebhookId], request.At)).Order().ToList();
        return delays[(int)(delays.Count * 0.95)];
    }
}
