using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.DependencyInjection;
using NJsonSchema;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Tests.Forwarding;

public sealed class CompletedCallsTests
{
    private static readonly DateTimeOffset Start = PipelineUnderTest.Start;

    [Fact]
    public async Task ReachedCall_WhoseEightNoticesComeShuffledAndTwice_IsSentOnce_WhenItHasSettled()
    {
        await using var crm = new CallCrm();
        var scenario = new CallScenario(Start).Reached();
        var twice = scenario.Events.Concat(scenario.Events).ToArray();
        new Random(7).Shuffle(twice);

        await crm.ProcessAsync(twice);
        await crm.RunUntilAsync(Start.AddSeconds(26));
        crm.Requests.ShouldBeEmpty("its last notice is 19 s old");
        await crm.RunAsync();

        var request = crm.Requests.ShouldHaveSingleItem();
        request.Id.ShouldBe($"{scenario.Id}:1");
        var data = request.Data;
        data.GetProperty("outcome").GetString().ShouldBe("reached");
        data.GetProperty("talkSeconds").GetInt64().ShouldBe(6);
        data.GetProperty("recording").GetString().ShouldBe("16506305548176941220057791_2222223.mp3");
        data.GetProperty("revision").GetInt32().ShouldBe(1);
        data.GetProperty("complete").GetBoolean().ShouldBeTrue();
        data.GetProperty("events").GetArrayLength().ShouldBe(8);
        (await crm.Pipeline.DeadLetterRowsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task CompletedCall_IsACloudEvent_ThatIsTheSameForTheSameCall()
    {
        await using var crm = new CallCrm();
        var scenario = new CallScenario(Start).Reached();
        await crm.ProcessAsync([.. scenario.Events]);
        await crm.RunAsync();

        var json = JsonElement.Parse(crm.Requests.ShouldHaveSingleItem().Body);
        json.GetProperty("specversion").GetString().ShouldBe("1.0");
        json.GetProperty("id").GetString().ShouldBe($"{scenario.Id}:1");
        json.GetProperty("source").GetString().ShouldBe("/telecmi/apps/2223343");
        json.GetProperty("type").GetString().ShouldBe("com.telecmi.call.completed");
        json.GetProperty("subject").GetString().ShouldBe(scenario.Conversation);
        json.GetProperty("time").GetString().ShouldBe(json.GetProperty("data").GetProperty("endedAt").GetString());
    }

    [Fact]
    public async Task EveryKindOfCall_FitsTheSchema_WhichDescribesAllOfIt_AndSoDoesTheDocumentedBody()
    {
        CallScenario[] scenarios =
        [
            new CallScenario(Start).Reached(),
            new CallScenario(Start).Outgoing("started", "a").Outgoing("hangup", "a").OutgoingCdr("missed", "a", ("request_id", null)),
            new CallScenario(Start).Outgoing("started", "a").Outgoing("answered", "a").Outgoing("started", "b").OutgoingCdr("missed", "b"),
            new CallScenario(Start).OutgoingCdr("congestion", "b"),
            new CallScenario(Start).Incoming("waiting").IncomingAgent("answered").Incoming("hangup").IncomingCdr("answered"),
            new CallScenario(Start).Incoming("waiting").Incoming("hangup").IncomingCdr("missed"),
        ];
        await using var crm = new CallCrm();
        foreach (var scenario in scenarios)
        {
            await crm.ProcessAsync([.. scenario.Events]);
        }

        await crm.RunAsync();

        var schema = await JsonSchema.FromFileAsync(Path.Combine(Repository.Find(), "docs", "call-completed.schema.json"));
        var documented = File.ReadAllText(Path.Combine(Repository.Find(), "docs", "forwarding.md")).ReplaceLineEndings("\n").Split("```json\n")[1].Split("\n```")[0];
        crm.Requests.Count.ShouldBe(scenarios.Length);
        foreach (var body in crm.Requests.Select(request => Encoding.UTF8.GetString(request.Body)).Prepend(documented))
        {
            schema.Validate(body).Select(error => $"{error}").ShouldBeEmpty(body);
            Names(JsonElement.Parse(body)).ShouldBeSubsetOf(schema.Properties.Keys);
            Names(JsonElement.Parse(body).GetProperty("data")).ShouldBe(schema.Definitions["call"].Properties.Keys, ignoreOrder: true);
        }

        // A schema that accepts everything would show nothing.
        var wrong = JsonNode.Parse(documented)!;
        wrong["data"]!["outcome"] = "sold";
        schema.Validate(wrong.ToJsonString()).ShouldNotBeEmpty();
        wrong = JsonNode.Parse(documented)!;
        wrong["data"]!.AsObject().Remove("revision");
        schema.Validate(wrong.ToJsonString()).ShouldNotBeEmpty();

        static IEnumerable<string> Names(JsonElement json) => json.EnumerateObject().Select(property => property.Name);
    }

    /// <summary>In whatever order, at whatever distance and however often the notices come: what is sent last is the call, and each revision is new.</summary>
    [Fact]
    public void Notices_InAnyOrderAtAnyDistanceAndRepeated_EndWithTheSameCall()
    {
        CallScenario[] scenarios =
        [
            new CallScenario(Start).Reached(),
            new CallScenario(Start).Outgoing("started", "a").Outgoing("answered", "a").Outgoing("started", "b").OutgoingCdr("missed", "b").OutgoingCdr("answered", "a").Outgoing("hangup", "b"),
            new CallScenario(Start).Outgoing("started", "a").Outgoing("hangup", "a").OutgoingCdr("missed", "a"),
            new CallScenario(Start).Incoming("waiting").IncomingAgent("answered").Incoming("hangup").IncomingCdr("answered").IncomingCdr("missed", "other"),
            new CallScenario(Start).Incoming("waiting").Incoming("hangup"),
            new CallScenario(Start).Outgoing("started", "a").Outgoing("answered", "b").Outgoing("hangup", "b").OutgoingCdr("answered", "b", ("request_id", null)),
        ];
        var cases = from scenario in Gen.Elements(scenarios)
                    from repeated in Gen.SubListOf(scenario.Events.AsEnumerable())
                    from shuffled in Gen.Shuffle(scenario.Events.Concat(repeated).ToArray())
                    from seconds in Gen.ListOf(Gen.Frequency((6, Gen.Constant(0)), (2, Gen.Choose(1, 19)), (1, Gen.Choose(20, 60))), shuffled.Length)
                    select (Scenario: scenario, Order: shuffled.Zip(seconds).ToArray());

        Prop.ForAll(cases.ToArbitrary(), sample => HoldsAsync(sample.Scenario, sample.Order).GetAwaiter().GetResult()).QuickCheckThrowOnFailure();

        static async Task<bool> HoldsAsync(CallScenario scenario, (CallEvent Event, int Seconds)[] order)
        {
            await using var crm = new CallCrm();
            foreach (var (callEvent, seconds) in order)
            {
                await crm.RunUntilAsync(crm.Pipeline.Clock.GetUtcNow().AddSeconds(seconds));
                await crm.ProcessAsync(callEvent);
            }

            await crm.RunAsync();

            // One id for all of them: where a detail record was sent long before the first event, the one that it was sent under.
            var sent = crm.Requests;
            var id = sent.Select(request => request.Data.GetProperty("id").GetString()!).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
            sent.Select(request => request.Id).ShouldBe(Enumerable.Range(1, sent.Count).Select(revision => $"{id.Replace("~", "%7E", StringComparison.Ordinal)}:{revision}"));
            var call = (await crm.Pipeline.Get<CallReader>().FindAsync(scenario.Id, CancellationToken.None)).ShouldHaveSingleItem();
            call.Ids.ShouldContain(id);
            var expected = CallDocument.Of(call with { Id = id });
            sent.Select(request => request.Data.GetProperty("revision").GetInt32()).ShouldBe(Enumerable.Range(1, sent.Count));
            JsonSerializer.Serialize(JsonSerializer.Deserialize(sent[^1].Data, CallJson.Default.CallDocument)! with { Revision = null }, CallJson.Default.CallDocument)
                .ShouldBe(JsonSerializer.Serialize(expected, CallJson.Default.CallDocument));
            sent.Select(request => string.Join(',', request.Data.EnumerateObject().Where(field => field.Name != "revision"))).ShouldBeUnique();
            if (order.All(step => step.Seconds == 0))
            {
                sent.Count.ShouldBe(1);
            }

            return true;
        }
    }

    [Fact]
    public async Task LateCdr_IsSentAsTheNextRevision_AndARepeatOfItIsNot()
    {
        await using var crm = new CallCrm();
        var scenario = new CallScenario(Start).Reached();
        await crm.ProcessAsync([.. scenario.Events.Where(callEvent => !callEvent.Id.Contains(":cdr:", StringComparison.Ordinal))]);
        await crm.RunAsync();
        crm.Requests.ShouldHaveSingleItem().Data.GetProperty("talkSeconds").ValueKind.ShouldBe(JsonValueKind.Null);

        await crm.ProcessAsync([.. scenario.Events.Where(callEvent => callEvent.Id.Contains(":cdr:", StringComparison.Ordinal))]);
        await crm.RunAsync();
        await crm.ProcessAsync([.. scenario.Events]);
        await crm.RunAsync();

        crm.Requests.Count.ShouldBe(2);
        crm.Requests[1].Id.ShouldBe($"{scenario.Id}:2");
        crm.Requests[1].Data.GetProperty("talkSeconds").GetInt64().ShouldBe(6);
        crm.Requests[1].Data.GetProperty("revision").GetInt32().ShouldBe(2);
    }

    [Fact]
    public async Task LateCdrOfLegB_ThatNamesNeitherConversationNorRequest_BelongsToItsCall()
    {
        await using var crm = new CallCrm();
        var scenario = new CallScenario(Start).Outgoing("started", "a").Outgoing("answered", "a").Outgoing("answered", "b").Outgoing("hangup", "b")
            .OutgoingCdr("answered", "b", ("request_id", null));
        await crm.ProcessAsync([.. scenario.Events.SkipLast(1)]);
        await crm.RunAsync();

        await crm.ProcessAsync(scenario.Events[^1]);
        await crm.RunAsync();

        crm.Requests.Select(request => request.Id).ShouldBe([$"{scenario.Id}:1", $"{scenario.Id}:2"]);
    }

    /// <summary>Nothing says yet which conversation it is; when something does, it is the same call to the receiver.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CallWhoseDetailRecordsComeLongBeforeItsEvents_KeepsTheIdItWasSentUnder(bool hasRequest)
    {
        await using var crm = new CallCrm();
        var scenario = new CallScenario(Start).Outgoing("started", "a").Outgoing("answered", "a").Outgoing("answered", "b").Outgoing("hangup", "b");
        _ = hasRequest ? scenario.OutgoingCdr("answered", "b") : scenario.OutgoingCdr("answered", "b", ("request_id", null));
        await crm.ProcessAsync(scenario.Events[^1]);
        await crm.RunAsync();

        foreach (var callEvent in scenario.Events)
        {
            await crm.ProcessAsync(callEvent);
            await crm.RunAsync();
        }

        var id = hasRequest ? $"2223343:call:request~{scenario.Request}" : $"2223343:call:unjoined~{scenario.LegB}";
        crm.Requests.ShouldAllBe(request => request.Data.GetProperty("id").GetString() == id);
        crm.Requests.Select(request => request.Data.GetProperty("revision").GetInt32()).ShouldBe(Enumerable.Range(1, crm.Requests.Count));
        crm.Requests[^1].Data.GetProperty("conversationId").GetString().ShouldBe(scenario.Conversation);
        crm.Requests[^1].Data.GetProperty("events").GetArrayLength().ShouldBe(5);

        // What became of all revisions is found from the call as the journal has it now.
        var call = (await crm.Pipeline.Get<CallReader>().FindAsync(scenario.Conversation, CancellationToken.None)).ShouldHaveSingleItem();
        (await crm.Pipeline.Get<DeliveryReader>().OfAsync(call, CancellationToken.None)).Select(delivery => delivery.EventId)
            .ShouldBe(crm.Requests.Select(request => request.Id), ignoreOrder: true);
    }

    [Fact]
    public async Task EventsThatComeBetweenACheckAndItsClaim_GiveTheCallItsConversation()
    {
        await using var crm = new CallCrm();
        var scenario = new CallScenario(Start).Outgoing("started", "a").Outgoing("answered", "b").Outgoing("hangup", "b").OutgoingCdr("answered", "b");
        await crm.ProcessAsync(scenario.Events[^1]);
        var others = scenario.Events.SkipLast(1).ToArray();
        crm.Pipeline.Store.Before = async (operation, _) =>
        {
            if (operation == "insert ForwardClaims" && others.Length > 0)
            {
                var now = others;
                others = [];
                await crm.ProcessAsync(now);
            }
        };
        await crm.RunAsync();

        crm.Requests.ShouldHaveSingleItem().Id.ShouldBe($"{scenario.Id}:1");
        crm.Requests[0].Data.GetProperty("events").GetArrayLength().ShouldBe(4);
    }

    [Fact]
    public async Task CorrectedCdr_WithTheSameId_IsSentAsTheNextRevision()
    {
        await using var crm = new CallCrm();
        var scenario = new CallScenario(Start).Reached();
        await crm.ProcessAsync([.. scenario.Events]);
        await crm.RunAsync();

        scenario.OutgoingCdr("answered", "b", ("answeredsec", 60));
        await crm.ProcessAsync(scenario.Events[^1]);
        await crm.RunAsync();

        crm.Requests.Select(request => request.Data.GetProperty("talkSeconds").GetInt64()).ShouldBe([6, 60]);
    }

    [Fact]
    public async Task CallsOfTwoAppsWithOneConversation_AreSentApart()
    {
        await using var crm = new CallCrm();
        var first = new CallScenario(Start, "1111111", "shared").Reached();
        var second = new CallScenario(Start, "2222222", "shared").Outgoing("started", "a").Outgoing("hangup", "a").OutgoingCdr("missed", "a");

        await crm.ProcessAsync([.. first.Events, .. second.Events]);
        await crm.RunAsync();

        crm.Requests.Select(request => (request.Id, request.Data.GetProperty("outcome").GetString())).ShouldBe(
            [("1111111:call:shared:1", "reached"), ("2222222:call:shared:1", "agent_missed")], ignoreOrder: true);
    }

    [Fact]
    public async Task CallAcrossMidnight_IsOneCall()
    {
        await using var crm = new CallCrm();
        crm.Pipeline.Clock.SetUtcNow(new(2026, 3, 30, 23, 59, 58, TimeSpan.Zero));
        var before = new CallScenario(crm.Pipeline.Clock.GetUtcNow(), conversation: "night").Outgoing("started", "a").Outgoing("answered", "a");
        var after = new CallScenario(before.At(600), conversation: "night").Outgoing("answered", "b").Outgoing("hangup", "b");

        await crm.ProcessAsync([.. before.Events, .. after.Events]);
        await crm.RunAsync();

        crm.Requests.ShouldHaveSingleItem().Data.GetProperty("events").GetArrayLength().ShouldBe(4);
    }

    [Fact]
    public async Task CallThatIsNotDecided_IsNotSent()
    {
        await using var crm = new CallCrm();
        await crm.ProcessAsync([.. new CallScenario(Start).Outgoing("started", "a").Outgoing("answered", "a").Outgoing("answered", "b").Outgoing("hangup", "a").Events]);
        await crm.RunAsync();

        crm.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Outcomes_ChooseTheCalls_ButWhatWasSentIsCorrected()
    {
        await using var crm = new CallCrm(("TeleCmi:Forward:0:Outcomes", "no_answer"));
        var reached = new CallScenario(Start).Reached();
        await crm.ProcessAsync([.. reached.Events]);
        await crm.RunAsync();
        crm.Requests.ShouldBeEmpty();

        var corrected = new CallScenario(Start).Outgoing("started", "a").Outgoing("answered", "a").Outgoing("started", "b").Outgoing("hangup", "b").OutgoingCdr("answered", "b");
        await crm.ProcessAsync([.. corrected.Events.SkipLast(1)]);
        await crm.RunAsync();
        await crm.ProcessAsync(corrected.Events[^1]);
        await crm.RunAsync();

        crm.Requests.Select(request => request.Data.GetProperty("outcome").GetString()).ShouldBe(["no_answer", "reached"]);
    }

    [Fact]
    public async Task ChecksThatAreDueAtOnce_SendOnce()
    {
        await using var crm = new CallCrm();
        var scenario = new CallScenario(Start).Reached();
        await crm.ProcessAsync([.. scenario.Events]);
        crm.Pipeline.Clock.Advance(TimeSpan.FromMinutes(1));

        var due = await crm.Pipeline.Queues.Forwards.ReceiveAsync(IMessageQueue.MaxBatch, TimeSpan.FromMinutes(1), CancellationToken.None);
        due.Count.ShouldBe(8);

        // None inserts its claim before each has found none.
        var found = 0;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        crm.Pipeline.Store.Before = async (operation, cancellation) =>
        {
            if (operation == "insert ForwardClaims")
            {
                if (Interlocked.Increment(ref found) == due.Count)
                {
                    all.SetResult();
                }

                await all.Task.WaitAsync(TimeSpan.FromSeconds(30), cancellation);
            }
        };
        await Task.WhenAll(due.Select(message => Task.Run(() => crm.DeliverAsync(message))));
        await crm.RunAsync();

        crm.Requests.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task ProcessThatEndsBetweenRequestAndNote_IsFollowedByTheSameRequest()
    {
        await using var crm = new CallCrm();
        var scenario = new CallScenario(Start).Outgoing("started", "a").OutgoingCdr("missed", "a");
        await crm.ProcessAsync([.. scenario.Events]);
        crm.Pipeline.Clock.Advance(TimeSpan.FromMinutes(1));

        // The process ends before it can remove the message: the queue delivers it again.
        var due = await crm.Pipeline.Queues.Forwards.ReceiveAsync(IMessageQueue.MaxBatch, TimeSpan.FromSeconds(10), CancellationToken.None);
        await crm.DeliverAsync(due[0], remove: false);
        await crm.RunAsync();

        crm.Requests.Count.ShouldBe(2);
        crm.Requests[1].Id.ShouldBe(crm.Requests[0].Id);
        crm.Requests[1].Body.ShouldBe(crm.Requests[0].Body);
    }

    [Theory]
    [InlineData("insert ForwardClaims")]
    [InlineData("find ForwardClaims")]
    [InlineData("read CallEvents")]
    [InlineData("read CallIndex")]
    [InlineData("send telecmi-forwards")]
    public async Task StorageThatFails_DelaysTheCallAndLosesNothing(string operation)
    {
        await using var crm = new CallCrm { Statuses = [503, 200] };
        var scenario = new CallScenario(Start).Reached();
        await crm.ProcessAsync([.. scenario.Events]);
        crm.Pipeline.Store.Fail(operation);
        await crm.RunUntilAsync(Start.AddMinutes(1));
        crm.Pipeline.Store.Recover();
        await crm.RunAsync();

        crm.Requests.Select(request => request.Id).Distinct(StringComparer.Ordinal).ShouldBe([$"{scenario.Id}:1"]);
        crm.Requests.Count.ShouldBeGreaterThanOrEqualTo(2, "the first was refused");
        crm.Requests.Select(request => Convert.ToHexString(request.Body)).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task EventThatIsJournaledButWhoseCheckWasNotQueued_IsProcessedAgain()
    {
        await using var crm = new CallCrm();
        var scenario = new CallScenario(Start).Outgoing("started", "a").OutgoingCdr("missed", "a");
        crm.Pipeline.Store.Fail("send telecmi-forwards");
        foreach (var callEvent in scenario.Events)
        {
            await Should.ThrowAsync<StorageException>(() => crm.ProcessAsync(callEvent));
        }

        crm.Pipeline.Store.Recover();
        await crm.ProcessAsync([.. scenario.Events]);
        await crm.RunAsync();

        crm.Requests.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task ClockOfAReceiverThatRunsAnHourAhead_DelaysTheCallByMinutesOnly()
    {
        await using var crm = new CallCrm();
        await crm.ProcessAsync([.. new CallScenario(Start.AddHours(1)).Outgoing("started", "a").OutgoingCdr("missed", "a").Events]);
        await crm.RunUntilAsync(Start.AddMinutes(5));

        crm.Requests.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task ErasedCall_IsNotSent()
    {
        await using var crm = new CallCrm();
        var scenario = new CallScenario(Start).Reached();
        await crm.ProcessAsync([.. scenario.Events]);
        foreach (var key in await crm.Pipeline.Get<CallErasure>().FindCallAsync(scenario.Id, CancellationToken.None))
        {
            await crm.Pipeline.Get<CallErasure>().EraseAsync(key, CancellationToken.None);
        }

        await crm.RunAsync();

        crm.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task RefusedCall_IsADeadLetter_ThatCanBeReplayed_WithTheSameId()
    {
        await using var crm = new CallCrm { Statuses = [422, 200] };
        var scenario = new CallScenario(Start).Reached();
        await crm.ProcessAsync([.. scenario.Events]);
        await crm.RunAsync();
        var row = await crm.Pipeline.DeadLetterRowAsync();
        row.Text("Kind").ShouldBe("call.completed");
        row.Text("EventId").ShouldBe($"{scenario.Id}:1");

        var letter = await crm.Pipeline.Get<DeadLetterStore>().QueryAsync(new DeadLetterFilter(), true, CancellationToken.None).SingleAsync();
        (await crm.Pipeline.Get<DeadLetterReplay>().ReplayAsync(letter, CancellationToken.None)).Outcome.ShouldBe(ReplayOutcome.Replayed);
        await crm.RunAsync();

        crm.Requests.Count.ShouldBe(2);
        crm.Requests[1].Id.ShouldBe(crm.Requests[0].Id);
        crm.Requests[1].Body.ShouldBe(crm.Requests[0].Body);
    }

    [Fact]
    public async Task Gone_DisablesTheDestination_AndLaterCallsAreKept()
    {
        await using var crm = new CallCrm { Statuses = [410] };
        foreach (var call in new[] { 1, 2 })
        {
            await crm.ProcessAsync([.. new CallScenario(Start.AddMinutes(call)).Reached().Events]);
            await crm.RunAsync();
        }

        crm.Requests.ShouldHaveSingleItem();
        (await crm.Pipeline.DeadLetterRowsAsync()).Select(row => row.Text("Kind")).ShouldBe(["call.completed", "call.completed"]);
    }

    [Fact]
    public async Task DestinationsOfBothKinds_GetWhatTheyAskFor()
    {
        await using var crm = new CallCrm(("TeleCmi:Forward:1:Url", "https://events.example.com"), ("TeleCmi:Forward:1:Secrets", CallCrm.Secret));
        await crm.ProcessAsync([.. new CallScenario(Start).Reached().Events]);
        await crm.RunAsync();

        crm.All.Count(request => request.Host == "events.example.com").ShouldBe(8);
        crm.All.Where(request => request.Host == "events.example.com").ShouldAllBe(request => !request.Id.Contains(":call:", StringComparison.Ordinal));
        crm.Requests.ShouldHaveSingleItem().Id.ShouldEndWith(":1");
        (await crm.Pipeline.JournalRowsAsync()).ShouldAllBe(row => row["Handler_Forward_calls_example_com"] == null && row.Text("Handler_Forward_events_example_com") == "done");
    }

    [Fact]
    public async Task WithoutSuchADestination_NothingIsChecked()
    {
        await using var pipeline = new PipelineUnderTest();
        await pipeline.ProcessAsync(new CallScenario(Start).Reached().Events[0].Envelope.ToArray());

        pipeline.Store.Operations.ShouldBe(["insert CallEvents"]);
    }

    [Fact]
    public async Task LargestCall_FitsTheQueue()
    {
        await using var crm = new CallCrm { Statuses = [503, 200] };
        var scenario = new CallScenario(Start).Incoming("waiting");
        for (var agent = 0; agent < 30; agent++)
        {
            scenario.IncomingAgent("started", $"{new string('x', 300)}{agent}").IncomingCdr("missed", $"{new string('x', 300)}{agent}", ("custom", new string('"', 1024)));
        }

        await crm.ProcessAsync([.. scenario.Events]);
        crm.Pipeline.Clock.Advance(TimeSpan.FromMinutes(5));
        await crm.RunAsync();

        crm.Requests.Count.ShouldBe(2, "the second came from the queue");
        crm.Requests[1].Data.GetProperty("events").GetArrayLength().ShouldBe(50);
    }

    /// <summary>The pipeline with one destination that wants calls, its receiver, and the queue's clockwork.</summary>
    private sealed class CallCrm : HttpMessageHandler, IAsyncDisposable
    {
        public const string Secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

        private readonly List<Request> _requests = [];

        public CallCrm(params (string Name, string Value)[] settings) => Pipeline = new PipelineUnderTest(
            services => services.AddHttpClient(EventSender.ClientName).ConfigurePrimaryHttpMessageHandler(() => this),
            [
                ("TeleCmi:AcceptedEvents", "*"), ("TeleCmi:Forward:0:Url", "https://calls.example.com"), ("TeleCmi:Forward:0:Secrets", Secret),
                ("TeleCmi:Forward:0:Send", "calls"), .. settings,
            ]);

        public PipelineUnderTest Pipeline { get; }

        /// <summary>How it responds, to the first request and on; the last one holds.</summary>
        public int[] Statuses { get; init; } = [200];

        public IReadOnlyList<Request> All => [.. _requests];

        public IReadOnlyList<Request> Requests => [.. All.Where(request => request.Host == "calls.example.com")];

        public async Task ProcessAsync(params CallEvent[] events)
        {
            foreach (var callEvent in events)
            {
                await Pipeline.ProcessAsync(callEvent.Envelope.ToArray());
            }
        }

        /// <summary>Delivers what falls due until then.</summary>
        public async Task RunUntilAsync(DateTimeOffset end)
        {
            while (true)
            {
                foreach (var message in await Pipeline.Queues.Forwards.ReceiveAsync(IMessageQueue.MaxBatch, TimeSpan.FromSeconds(30), CancellationToken.None))
                {
                    try
                    {
                        await DeliverAsync(message);
                    }
                    catch (StorageException)
                    {
                        // It is delivered again.
                    }
                }

                var left = end - Pipeline.Clock.GetUtcNow();
                if (left <= TimeSpan.Zero)
                {
                    return;
                }

                Pipeline.Clock.Advance(left < TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1));
            }
        }

        /// <summary>Delivers until nothing is left.</summary>
        public async Task RunAsync()
        {
            while (await Pipeline.Queues.Forwards.CountAsync(CancellationToken.None) > 0)
            {
                await RunUntilAsync(Pipeline.Clock.GetUtcNow().AddSeconds(1));
            }
        }

        public async Task DeliverAsync(ReceivedMessage message, bool remove = true)
        {
            await Pipeline.Get<ForwardProcessor>().ProcessAsync(message.Body, message.InsertedOn, CancellationToken.None);
            if (remove)
            {
                (await Pipeline.Queues.Forwards.DeleteAsync(message, CancellationToken.None)).ShouldBeTrue();
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Pipeline.DisposeAsync();
            Dispose();
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var body = await request.Content!.ReadAsByteArrayAsync(cancellationToken);
            int number;
            lock (_requests)
            {
                number = _requests.Count;
                _requests.Add(new Request(request.RequestUri!.Host, request.Headers.GetValues("webhook-id").Single(), body));
            }

            return new HttpResponseMessage((HttpStatusCode)Statuses[Math.Min(number, Statuses.Length - 1)]);
        }
    }

    private sealed record Request(string Host, string Id, byte[] Body)
    {
        public JsonElement Data => JsonElement.Parse(Body).GetProperty("data");
    }
}
