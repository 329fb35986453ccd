using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;
using static TeleCmi.Pipeline.Tests.PipelineUnderTest;

namespace TeleCmi.Pipeline.Tests.Forwarding;

/// <summary>A new destination gets its history, each event once, whatever interrupts.</summary>
public sealed class BackfillTests
{
    private static readonly DateOnly Day = UtcDay.DateOf(Start);

    [Fact]
    public async Task Backfill_SendsWhatTheDestinationNeverGot_OldestFirst_AndMarksIt()
    {
        await using var crm = new Crm();
        await crm.JournalAsync(("third", 3), ("first", 1), ("second", 2));

        (await crm.FindAsync()).Select(item => (item.State, item.Id.Split(':')[2])).ShouldBe([(BackfillState.ToSend, "first"), (BackfillState.ToSend, "second"), (BackfillState.ToSend, "third")]);
        (await crm.CountAsync()).ShouldBe([(BackfillState.ToSend, 3)], "counting sends nothing");
        (await crm.RunAsync()).ShouldBe(3);
        crm.Requests.ShouldBeEmpty("the receiver sends, not the backfill");
        (await crm.CountAsync()).ShouldBe([(BackfillState.Waiting, 3)]);
        await crm.WorkOffAsync();

        crm.Requests.Select(request => request.Call).ShouldBe(["first", "second", "third"], ignoreOrder: true);
        crm.Requests.ShouldAllBe(request => request.IsBackfill);
        (await crm.CountAsync()).ShouldBe([(BackfillState.Delivered, 3)]);
        (await crm.RunAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task LiveEvents_AreNotMarked_AndNotSentAgain()
    {
        await using var crm = new Crm();
        await crm.Receiver.ProcessAsync(NoticeOf("live", 1));

        crm.Requests.ShouldHaveSingleItem().IsBackfill.ShouldBeFalse();
        (await crm.CountAsync()).ShouldBe([(BackfillState.Delivered, 1)]);
        await crm.Receiver.Store.Table(Delivery.TableName).DeleteAsync((await crm.Receiver.Store.RowsAsync(Delivery.TableName))[0].Key, version: null, CancellationToken.None);
        (await crm.CountAsync()).ShouldBe([(BackfillState.Delivered, 1)], "the journal knows it too");
    }

    [Fact]
    public async Task Retries_AndResends_StayMarked()
    {
        await using var crm = new Crm { Statuses = [503, 400, 200] };
        await crm.JournalAsync(("call", 1));
        await crm.RunAsync();
        await crm.WorkOffAsync();
        (await crm.CountAsync()).ShouldBe([(BackfillState.Waiting, 1)], "it is tried again");
        crm.Receiver.Clock.Advance(TimeSpan.FromSeconds(10));
        await crm.WorkOffAsync();
        (await crm.CountAsync()).ShouldBe([(BackfillState.Failed, 1)]);
        (await crm.RunAsync()).ShouldBe(0, "a person resends what failed");

        var delivery = await crm.Receiver.Get<DeliveryReader>().NewestAsync(new DeliveryFilter(), CancellationToken.None).SingleAsync();
        (await crm.Receiver.Get<ForwardResend>().ResendAsync(delivery, CancellationToken.None)).ShouldBeNull();
        await crm.WorkOffAsync();

        crm.Requests.Select(request => request.IsBackfill).ShouldBe([true, true, true]);
        (await crm.CountAsync()).ShouldBe([(BackfillState.Delivered, 1)]);
    }

    [Fact]
    public async Task InterruptedAnywhere_AndDoneAgain_SendsEachOnce()
    {
        const int Events = 60;
        await using var crm = new Crm();
        await crm.JournalAsync([.. Enumerable.Range(0, Events).Select(call => ($"call-{call}", call))]);
        var random = new Random(16);

        // Storage fails after so many requests, or the person presses Ctrl+C, while the receiver works on.
        var interruptions = 0;
        for (var isDone = false; !isDone; interruptions++)
        {
            using var interrupt = new CancellationTokenSource();
            var (left, isFault) = (random.Next(5, 60), interruptions % 2 == 0);
            crm.Receiver.Store.Before = (_, token) =>
            {
                if (Interlocked.Decrement(ref left) < 0)
                {
                    throw isFault ? new StorageException("Storage is gone.") : Cancelled(interrupt, token);
                }

                return Task.CompletedTask;
            };
            try
            {
                await crm.RunAsync(cancellation: interrupt.Token);
                isDone = true;
            }
            catch (Exception e) when (e is StorageException or OperationCanceledException)
            {
                // The next one goes on.
            }

            crm.Receiver.Store.Recover();
            if (interruptions % 3 == 0)
            {
                await crm.WorkOffAsync();
            }
        }

        interruptions.ShouldBeGreaterThan(4);
        await crm.WorkOffAsync();

        crm.Requests.Select(request => request.Call).Order(StringComparer.Ordinal).ShouldBe(Enumerable.Range(0, Events).Select(call => $"call-{call}").Order(StringComparer.Ordinal));
        (await crm.CountAsync()).ShouldBe([(BackfillState.Delivered, Events)]);
        (await crm.Receiver.Store.RowsAsync(Delivery.TableName)).ShouldAllBe(row => row.Key.Partition != "waiting");
    }

    [Theory]
    [InlineData("insert Deliveries", 1, 0)]
    [InlineData("send telecmi-forwards", 1, 0)]
    [InlineData("merge Deliveries", 2, 1)]
    public async Task BrokenOffBetweenNoteAndQueue_IsQueuedAgain_AndSentOnce(string operation, int messages, int queuedBefore)
    {
        await using var crm = new Crm();
        await crm.JournalAsync(("call", 1));
        crm.Receiver.Store.Fail(operation);
        await Should.ThrowAsync<StorageException>(() => crm.RunAsync());
        crm.Receiver.Store.Recover();
        (await crm.Receiver.Queues.Forwards.CountAsync(CancellationToken.None)).ShouldBe(queuedBefore);

        (await crm.CountAsync()).ShouldBe([(BackfillState.ToSend, 1)]);
        (await crm.RunAsync()).ShouldBe(1);
        (await crm.Receiver.Queues.Forwards.CountAsync(CancellationToken.None)).ShouldBe(messages);
        await crm.WorkOffAsync();

        crm.Requests.ShouldHaveSingleItem();
        (await crm.CountAsync()).ShouldBe([(BackfillState.Delivered, 1)]);
    }

    [Fact]
    public async Task SentBeforeTheSecondRunNotices_IsNotSentAgain()
    {
        await using var crm = new Crm();
        await crm.JournalAsync(("call", 1));
        crm.Receiver.Store.Fail("merge Deliveries");
        await Should.ThrowAsync<StorageException>(() => crm.RunAsync());
        crm.Receiver.Store.Recover();
        await crm.WorkOffAsync();

        (await crm.CountAsync()).ShouldBe([(BackfillState.Delivered, 1)]);
        (await crm.RunAsync()).ShouldBe(0);
        crm.Requests.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task ErasedWhileItWaits_IsNotSent()
    {
        await using var crm = new Crm();
        await crm.JournalAsync(("call", 1));
        await crm.RunAsync();
        await crm.Receiver.Get<ForwardErasure>().EraseAsync([.. (await crm.Receiver.JournalRowsAsync()).Select(row => row.Key)], number: null, CancellationToken.None);

        await crm.WorkOffAsync();

        crm.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task FiltersOfTheDestination_Apply_AlsoWhenWhoeverRunsItHasOthers()
    {
        await using var crm = new Crm(("CustomerNumbers", "442"));
        await crm.JournalAsync(("call", 1));
        await crm.Journal.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredWith(("time", Start.ToUnixTimeMilliseconds()), ("cmiuuid", "abroad"), ("conversation_uuid", "abroad"), ("to", "331")), Start));
        (await crm.CountAsync()).ShouldBe([(BackfillState.ToSend, 1), (BackfillState.FilteredOut, 1)]);

        var everything = Filter(("Name", "crm"));
        (await crm.RunAsync(destination: everything)).ShouldBe(2);
        await crm.WorkOffAsync();

        crm.Requests.ShouldHaveSingleItem().Call.ShouldBe("call");
        (await crm.CountAsync()).ShouldBe([(BackfillState.Delivered, 1), (BackfillState.FilteredOut, 1)]);
    }

    [Fact]
    public async Task Selection_ByWhatAPersonAsksFor()
    {
        await using var crm = new Crm();
        await crm.Journal.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredWith(("time", Start.ToUnixTimeMilliseconds()), ("cmiuuid", "one"), ("conversation_uuid", "one"), ("user", "203_2222223"), ("to", "331234567")), Start));
        await crm.JournalAsync(("two", 1));

        (await crm.CountAsync(filter => filter with { Agent = "203" })).ShouldBe([(BackfillState.ToSend, 1)]);
        (await crm.CountAsync(filter => filter with { Number = "31234567" })).ShouldBe([(BackfillState.ToSend, 1)]);
        (await crm.CountAsync(filter => filter with { Kind = EventKind.OutgoingAnswered })).ShouldBe([(BackfillState.ToSend, 2)]);
        (await crm.CountAsync(filter => filter with { Kind = EventKind.OutgoingHangup })).ShouldBeEmpty();
        (await crm.CountAsync(filter => filter with { Direction = CallDirection.Incoming })).ShouldBeEmpty();
        (await crm.CountAsync(filter => filter with { Team = "Sales" })).ShouldBeEmpty();
        (await crm.CountAsync(filter => filter with { From = Day.AddDays(1), To = Day.AddDays(3) })).ShouldBeEmpty();
        (await crm.CountAsync(filter => filter with { From = Day.AddDays(-3) })).ShouldBe([(BackfillState.ToSend, 2)]);
    }

    [Fact]
    public async Task OncePerConversation_SendsTheFirstAnswerOfEach_UnlessOneWasSent()
    {
        await using var crm = new Crm(("OncePerConversation", "true"));
        foreach (var (call, leg, second) in new[] { ("one", "leg-2", 2), ("one", "leg-1", 1), ("two", "leg-3", 3) })
        {
            await crm.Journal.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredWith(("time", Start.ToUnixTimeMilliseconds()), ("cmiuuid", leg), ("conversation_uuid", call), ("leg", "b")), Start.AddSeconds(second)));
        }

        (await crm.CountAsync()).ShouldBe([(BackfillState.ToSend, 2), (BackfillState.Superseded, 1)]);
        await crm.RunAsync();
        await crm.WorkOffAsync();
        crm.Requests.Select(request => request.Id.Split(':')[2]).ShouldBe(["leg-1", "leg-3"], ignoreOrder: true);
        (await crm.CountAsync()).ShouldBe([(BackfillState.Delivered, 2), (BackfillState.Superseded, 1)]);
        await crm.Receiver.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredWith(("time", Start.ToUnixTimeMilliseconds()), ("cmiuuid", "leg-4"), ("conversation_uuid", "two"), ("leg", "b")), Start.AddSeconds(9)));
        crm.Requests.Count.ShouldBe(2, "a backfilled answer counts for live ones");
    }

    [Fact]
    public async Task Calls_AreSentWhole_Once_HoweverOftenTheyAreQueued()
    {
        await using var crm = new Crm(("Send", "calls"), ("Outcomes", "reached"));
        var reached = new CallScenario(Start).Outgoing("started", "a").Outgoing("answered", "a").Outgoing("started", "b").Outgoing("answered", "b")
            .Outgoing("hangup", "b").Outgoing("hangup", "a").OutgoingCdr("answered", "a").OutgoingCdr("answered", "b");
        var missed = new CallScenario(Start.AddMinutes(1)).Incoming("waiting").Incoming("hangup").IncomingCdr("missed");
        var running = new CallScenario(Start.AddMinutes(2)).Outgoing("started", "a");
        foreach (var callEvent in reached.Events.Concat(missed.Events).Concat(running.Events))
        {
            await crm.Journal.ProcessAsync(callEvent.Envelope.ToArray());
        }

        crm.Receiver.Clock.Advance(TimeSpan.FromMinutes(10));
        crm.Journal.Clock.Advance(TimeSpan.FromMinutes(10));
        (await crm.CountAsync()).ShouldBe([(BackfillState.ToSend, 1), (BackfillState.FilteredOut, 1), (BackfillState.NotEnded, 1)]);
        (await crm.RunAsync()).ShouldBe(1);
        (await crm.RunAsync()).ShouldBe(1);
        await crm.WorkOffAsync();

        var request = crm.Requests.ShouldHaveSingleItem();
        request.Id.ShouldBe($"{reached.Id}:1");
        request.IsBackfill.ShouldBeTrue();
        request.Data.GetProperty("events").GetArrayLength().ShouldBe(8, "also the detail records, which do not name the conversation");
        request.Data.GetProperty("talkSeconds").GetInt64().ShouldBe(6);
        (await crm.CountAsync()).ShouldBe([(BackfillState.Delivered, 1), (BackfillState.FilteredOut, 1), (BackfillState.NotEnded, 1)]);
    }

    [Fact]
    public async Task CallThatFails_IsTriedAgain_Marked()
    {
        await using var crm = new Crm(("Send", "calls")) { Statuses = [503, 200] };
        foreach (var callEvent in new CallScenario(Start).Reached().Events)
        {
            await crm.Journal.ProcessAsync(callEvent.Envelope.ToArray());
        }

        crm.Receiver.Clock.Advance(TimeSpan.FromMinutes(10));
        await crm.RunAsync();
        await crm.WorkOffAsync();
        (await crm.CountAsync()).ShouldBe([(BackfillState.Waiting, 1)]);
        crm.Receiver.Clock.Advance(TimeSpan.FromSeconds(10));
        await crm.WorkOffAsync();

        crm.Requests.Select(request => request.IsBackfill).ShouldBe([true, true]);
    }

    [Fact]
    public async Task DeliveredCall_CanBeResent_WithTheSameId()
    {
        await using var crm = new Crm(("Send", "calls"));
        var scenario = new CallScenario(Start).Reached();
        foreach (var callEvent in scenario.Events)
        {
            await crm.Journal.ProcessAsync(callEvent.Envelope.ToArray());
        }

        crm.Receiver.Clock.Advance(TimeSpan.FromMinutes(10));
        await crm.RunAsync();
        await crm.WorkOffAsync();
        var delivery = await crm.Receiver.Get<DeliveryReader>().NewestAsync(new DeliveryFilter(), CancellationToken.None).SingleAsync();

        (await crm.Receiver.Get<ForwardResend>().ResendAsync(delivery, CancellationToken.None)).ShouldBeNull();
        await crm.WorkOffAsync();

        crm.Requests.Count.ShouldBe(2);
        crm.Requests[1].Id.ShouldBe(crm.Requests[0].Id);
        crm.Requests[1].Body.ShouldBe(crm.Requests[0].Body);
        (await crm.Receiver.Get<ForwardResend>().ResendAsync(delivery with { EventId = $"{scenario.Id}:0" }, CancellationToken.None)).ShouldBe("A later revision of the call was sent: resend that one.");
    }

    [Fact]
    public async Task Rate_IsTheMostOfASecond()
    {
        await using var crm = new Crm();
        await crm.JournalAsync([.. Enumerable.Range(0, 25).Select(call => ($"call-{call}", call))]);
        var clock = new SkippingClock(crm.Receiver.Clock);

        await crm.RunAsync(clock: clock, perSecond: 10);

        clock.Skipped.ShouldBe(TimeSpan.FromSeconds(2.4), "the first of 25 goes at once");
    }

    private static OperationCanceledException Cancelled(CancellationTokenSource interrupt, CancellationToken token)
    {
        interrupt.Cancel();
        return new OperationCanceledException(token);
    }

    private static byte[] NoticeOf(string call, int second) =>
        EnvelopeOf(SampleNotices.AnsweredWith(("cmiuuid", call), ("conversation_uuid", call), ("time", Start.ToUnixTimeMilliseconds())), Start.AddSeconds(second));

    private static DestinationFilter Filter(params (string Name, string Value)[] settings) =>
        new DestinationFilters(new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => new KeyValuePair<string, string?>($"TeleCmi:Forward:0:{setting.Name}", setting.Value))).Build())
            .All.ShouldHaveSingleItem();

    /// <summary>One store: an app that had no destination yet wrote its journal, then came one with a destination and its receiver.</summary>
    private sealed class Crm : HttpMessageHandler, IAsyncDisposable
    {
        private readonly ConcurrentQueue<Request> _requests = new();
        private readonly (string Name, string Value)[] _filters;

        public Crm(params (string Name, string Value)[] filters)
        {
            _filters = [("Name", "crm"), .. filters];
            Receiver = new PipelineUnderTest(
                services => services.AddHttpClient(EventSender.ClientName).ConfigurePrimaryHttpMessageHandler(() => this),
                [
                    ("TeleCmi:AcceptedEvents", "*"), ("TeleCmi:Forward:0:Url", "https://crm.example.com"), ("TeleCmi:Forward:0:Secrets", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
                    .. _filters.Select(filter => ($"TeleCmi:Forward:0:{filter.Name}", filter.Value)),
                ]);
            Journal = new PipelineUnderTest(services => services.AddSingleton<IStore>(Receiver.Store));
        }

        /// <summary>With the destination.</summary>
        public PipelineUnderTest Receiver { get; }

        /// <summary>Without.</summary>
        public PipelineUnderTest Journal { get; }

        /// <summary>How it responds, to the first request and on; the last one holds.</summary>
        public int[] Statuses { get; init; } = [200];

        public IReadOnlyList<Request> Requests => [.. _requests];

        public async Task JournalAsync(params (string Call, int Second)[] calls)
        {
            foreach (var (call, second) in calls)
            {
                await Journal.ProcessAsync(NoticeOf(call, second));
            }
        }

        /// <summary>How many stand how.</summary>
        public async Task<List<(BackfillState State, int Count)>> CountAsync(Func<BackfillFilter, BackfillFilter>? change = null)
        {
            var filter = new BackfillFilter { From = Day, To = Day };
            filter = change?.Invoke(filter) ?? filter;
            return [.. (await FindAsync(filter)).CountBy(item => item.State).OrderBy(count => count.Key).Select(count => (count.Key, count.Value))];
        }

        public async Task<List<BackfillItem>> FindAsync(BackfillFilter? filter = null) =>
            await Receiver.Get<Backfill>().FindAsync(Filter(_filters), filter ?? new BackfillFilter { From = Day, To = Day }, CancellationToken.None).ToListAsync();

        /// <summary>Runs it as an operator's tool does.</summary>
        public async Task<int> RunAsync(DestinationFilter? destination = null, TimeProvider? clock = null, int perSecond = 1000, CancellationToken cancellation = default)
        {
            var queued = 0;
            var backfill = new Backfill(
                Receiver.Store,
                Receiver.Get<JournalReader>(),
                Receiver.Get<CallReader>(),
                Receiver.Get<CallIndex>(),
                Receiver.Get<ConversationClaim>(),
                Receiver.Queues,
                clock ?? new SkippingClock(Receiver.Clock));
            await backfill.RunAsync(
                destination ?? Filter(_filters), new BackfillFilter { From = Day.AddDays(-1), To = Day }, perSecond, () => Interlocked.Increment(ref queued), cancellation);
            return queued;
        }

        public async Task WorkOffAsync()
        {
            while (await Receiver.Queues.Forwards.ReceiveAsync(1, TimeSpan.FromMinutes(1), CancellationToken.None) is [var message])
            {
                await Receiver.Get<ForwardProcessor>().ProcessAsync(message.Body, message.InsertedOn, CancellationToken.None);
                await Receiver.Queues.Forwards.DeleteAsync(message, CancellationToken.None);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Journal.DisposeAsync();
            await Receiver.DisposeAsync();
            Dispose();
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var body = await request.Content!.ReadAsByteArrayAsync(cancellationToken);
            var isBackfill = request.Headers.TryGetValues("telecmi-backfill", out var values) && values.Single() == "true";
            _requests.Enqueue(new Request(request.Headers.GetValues("webhook-id").Single(), isBackfill, body));
            return new HttpResponseMessage((HttpStatusCode)Statuses[Math.Min(_requests.Count, Statuses.Length) - 1]);
        }
    }

    private sealed record Request(string Id, bool IsBackfill, byte[] Body)
    {
        public JsonElement Data => JsonElement.Parse(Body).GetProperty("data");

        public string Call => Data.GetProperty("conversation_uuid").GetString()!;
    }

    /// <summary>A clock on which every wait is over at once, because it moves on by it.</summary>
    private sealed class SkippingClock(TimeProvider clock) : TimeProvider
    {
        public TimeSpan Skipped { get; private set; }

        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow() + Skipped;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Skipped += dueTime > TimeSpan.Zero ? dueTime : TimeSpan.Zero;
            return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }
}
