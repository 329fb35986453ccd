using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Reconciling;

namespace TeleCmi.Pipeline.Tests.Reconciling;

/// <summary>TeleCMI's books and ours, side by side.</summary>
public sealed class ReconcilerTests : IAsyncLifetime
{
    // The clock stands at 5:06 on March 4th.
    private static readonly DateTimeOffset Midday = new(2026, 3, 3, 12, 0, 0, TimeSpan.Zero);

    private readonly Runs _runs = [];
    private ReportServer _server = null!;
    private PipelineUnderTest _pipeline = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ReportServer.StartAsync();
        _pipeline = new PipelineUnderTest(services => services.AddSingleton<ICallEventHandler>(new TestHandler("count", _runs)), [.. _server.Settings]);
    }

    public async ValueTask DisposeAsync()
    {
        await _pipeline.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("the customer's leg")]
    [InlineData("the conversation")]
    public async Task CallThatBothKnow_IsMatched_WhicheverLegTheReportNames(string what)
    {
        var call = await JournalAsync(new CallScenario(Midday).Reached());
        _server.Add("out_answered", Midday, what == "the conversation" ? call.Conversation : call.LegB);

        var compared = await OneAsync();
        compared.State.ShouldBe(ReconcileState.Matched);
        compared.CallId.ShouldBe(call.Id);
    }

    [Fact]
    public async Task IncomingCalls_AreMatched_ByTheAgentsLeg()
    {
        var answered = await JournalAsync(new CallScenario(Midday).Incoming("waiting").IncomingAgent("answered").IncomingCdr("answered").Incoming("hangup"));
        var missed = await JournalAsync(new CallScenario(Midday.AddMinutes(5)).Incoming("waiting").Incoming("hangup").IncomingCdr("missed"));
        _server.Add("answered", Midday, answered.LegB, from: "440000000002", to: "440000000001", seconds: 11);
        _server.Add("missed", Midday.AddMinutes(5), missed.LegB, agent: null, from: "440000000001", to: "440000000000", seconds: null);

        (await CompareAsync()).Select(call => (call.State, call.CallId)).ShouldBe([(ReconcileState.Matched, answered.Id), (ReconcileState.Matched, missed.Id)], ignoreOrder: true);
    }

    [Fact]
    public async Task CallOfADayThatMayBePurged_IsNotMissing()
    {
        await using var pipeline = new PipelineUnderTest(_ => { }, [.. _server.Settings, ("TeleCmi:Retention", "7")]);
        var firstKept = new DateTimeOffset(pipeline.Clock.GetUtcNow().UtcDateTime.Date.AddDays(-7), TimeSpan.Zero);
        _server.Add("out_answered", firstKept.AddMinutes(-1), "purged").Add("out_answered", firstKept, "kept");

        var compared = await pipeline.Get<Reconciler>().CompareAsync(firstKept.AddDays(-3), pipeline.Clock.GetUtcNow(), CancellationToken.None).ToListAsync();

        compared.ShouldHaveSingleItem().Record!.CmiUid.ShouldBe("kept");
    }

    [Fact]
    public async Task CallWithoutACommonId_IsMatched_ByNumberAgentAndTime()
    {
        var call = await JournalAsync(new CallScenario(Midday).Reached());
        _server.Add("out_answered", Midday.AddSeconds(90), "an id that nobody here knows", to: "+44 2000 000001");

        var compared = await OneAsync();
        compared.State.ShouldBe(ReconcileState.Matched);
        compared.ByNumbers.ShouldBeTrue();
        compared.CallId.ShouldBe(call.Id);
    }

    [Theory]
    [InlineData(121, CallScenario.Agent, CallScenario.Customer)]
    [InlineData(0, "203_2222223", CallScenario.Customer)]
    [InlineData(0, CallScenario.Agent, "442000000002")]
    public async Task CallWithAnotherTimeAgentOrNumber_IsAnother(int seconds, string agent, string number)
    {
        await JournalAsync(new CallScenario(Midday).Reached());
        _server.Add("out_answered", Midday.AddSeconds(seconds), "other", agent, to: number);

        (await CompareAsync()).Select(call => call.State).ShouldBe([ReconcileState.Missing, ReconcileState.HereOnly], ignoreOrder: true);
    }

    [Fact]
    public async Task TwoCallsThatCouldBeIt_AreUnclear_NotMissing()
    {
        await JournalAsync(new CallScenario(Midday).Reached());
        await JournalAsync(new CallScenario(Midday.AddSeconds(20)).Reached());
        _server.Add("out_answered", Midday, "unknown-1").Add("out_answered", Midday.AddSeconds(20), "unknown-2");

        var compared = await CompareAsync();
        compared.ShouldAllBe(call => call.State == ReconcileState.Unclear && call.Reconstructed == null);
        compared.Count.ShouldBe(2);
    }

    [Fact]
    public async Task OutcomeAndTalkTime_AreCompared()
    {
        var outcome = await JournalAsync(new CallScenario(Midday).Reached());
        var talk = await JournalAsync(new CallScenario(Midday.AddMinutes(1)).Reached());
        var nearly = await JournalAsync(new CallScenario(Midday.AddMinutes(2)).Reached());
        _server.Add("out_missed", Midday, outcome.LegB, seconds: null)
            .Add("out_answered", Midday.AddMinutes(1), talk.LegB, seconds: 60)
            .Add("out_answered", Midday.AddMinutes(2), nearly.LegB, seconds: 8);

        var compared = (await CompareAsync()).ToDictionary(call => call.CallId!, call => (call.State, call.Why));
        compared[outcome.Id].ShouldBe((ReconcileState.Differing, "The outcome differs: out_missed there, reached here."));
        compared[talk.Id].ShouldBe((ReconcileState.Differing, "The talk time differs: 60 s there, 6 s here."));
        compared[nearly.Id].State.ShouldBe(ReconcileState.Matched);
    }

    [Fact]
    public async Task WhatIsNotOver_IsOpen_AndNothingIsMadeOfIt()
    {
        var talking = await JournalAsync(new CallScenario(PipelineUnderTest.Start.AddHours(-1)).Outgoing("started", "a").Outgoing("answered", "a").Outgoing("started", "b").Outgoing("answered", "b"));
        await JournalAsync(new CallScenario(PipelineUnderTest.Start.AddHours(-2)).Outgoing("started", "a"));
        _server.Add("out_answered", PipelineUnderTest.Start.AddHours(-1), talking.LegB, seconds: 0)
            .Add("out_answered", PipelineUnderTest.Start.AddMinutes(-40), "no length yet", seconds: null)
            .Add("answered", PipelineUnderTest.Start.AddMinutes(-40), "ended a moment ago", seconds: 30 * 60);

        var compared = await CompareAsync();
        compared.Select(call => call.State).ShouldBe(Enumerable.Repeat(ReconcileState.Open, compared.Count));
        compared.Count.ShouldBe(4);
    }

    [Fact]
    public async Task WhatIsNotSettled_IsNotLookedAt()
    {
        _server.Add("answered", PipelineUnderTest.Start.AddMinutes(-29), "just now");

        (await CompareAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task CallsAtMidnight_AndAtTheEdges_AreNeitherMissingNorHereOnly()
    {
        var midnight = new DateTimeOffset(2026, 3, 3, 0, 0, 0, TimeSpan.Zero);
        foreach (var seconds in new[] { -1, 1 })
        {
            var call = await JournalAsync(new CallScenario(midnight.AddSeconds(seconds)).Reached());
            _server.Add("out_answered", midnight.AddSeconds(-seconds), call.LegB);
        }

        (await CompareAsync(midnight.AddDays(-1), midnight.AddDays(1))).ShouldAllBe(call => call.State == ReconcileState.Matched);
        (await CompareAsync(midnight, midnight.AddDays(1))).ShouldHaveSingleItem().State.ShouldBe(ReconcileState.Matched);
        (await CompareAsync(midnight.AddDays(-1), midnight)).ShouldHaveSingleItem().State.ShouldBe(ReconcileState.Matched);
    }

    [Fact]
    public async Task OtherApplications_AreNotOurs()
    {
        await JournalAsync(new CallScenario(Midday, app: "7").Reached());

        (await CompareAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task MissingOutgoingCall_ComesBackAsADetailRecord_WithNothingInvented()
    {
        _server.Add("out_answered", Midday, "leg-b");

        await BackfillAsync();

        var row = await _pipeline.JournalRowAsync();
        row.Text("EventId").ShouldBe("2223343:cdr:leg-b:b:answered", "as TeleCMI's own would be");
        using var envelope = JsonDocument.Parse(row.Text("Event")!);
        envelope.RootElement.GetProperty("telecmireconciled").GetDateTimeOffset().ShouldBe(PipelineUnderTest.Start);
        envelope.RootElement.GetProperty("time").GetDateTimeOffset().ShouldBe(Midday);
        envelope.RootElement.GetProperty("type").GetString().ShouldBe("com.telecmi.cdr.outgoing.answered");
        envelope.RootElement.GetProperty("data").GetRawText().ShouldBe(
            """{"type":"cdr","appid":2223343,"direction":"outbound","status":"answered","cmiuuid":"leg-b","user":"202_2222223","from":"440000000000","to":"442000000001","time":1772539200000,"answeredsec":6,"record":true,"filename":"leg-b.mp3"}""");
        var call = (await CallsAsync()).ShouldHaveSingleItem();
        (call.Outcome, call.TalkSeconds, call.Agent, call.CustomerNumber).ShouldBe((CallOutcome.Reached, 6, CallScenario.Agent, CallScenario.Customer));
        (await OneAsync()).State.ShouldBe(ReconcileState.Matched);
        _runs.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task MissingIncomingCall_ComesBack()
    {
        _server.Add("missed", Midday, "leg", agent: null, from: "440000000009", to: "440000000000", seconds: null);

        await BackfillAsync();

        var call = (await CallsAsync()).ShouldHaveSingleItem();
        (call.Direction, call.Outcome, call.CustomerNumber, call.BusinessNumber).ShouldBe((CallDirection.Incoming, CallOutcome.Missed, "440000000009", "440000000000"));
        (await _pipeline.JournalRowAsync()).Text("EventId").ShouldBe("2223343:cdr:leg:-:missed");
    }

    [Fact]
    public async Task BackfillTwice_ChangesNothing()
    {
        _server.Add("out_answered", Midday, "leg-b").Add("missed", Midday, "leg", agent: null, seconds: null);
        var missing = await CompareAsync();

        await QueueAsync(missing);
        _pipeline.Clock.Advance(TimeSpan.FromHours(1));
        await QueueAsync(missing);

        (await _pipeline.JournalRowsAsync()).Count.ShouldBe(2);
        _runs.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData("outgoing")]
    [InlineData("incoming")]
    public async Task OriginalThatComesLate_IsAVariant_AndNoEffectIsDoubled(string direction)
    {
        var call = direction == "outgoing" ? new CallScenario(Midday).OutgoingCdr("answered", "b") : new CallScenario(Midday).IncomingCdr("answered");
        _server.Add(direction == "outgoing" ? "out_answered" : "answered", Midday, call.LegB);
        await BackfillAsync();

        var late = call.Events.ShouldHaveSingleItem();
        var processed = await _pipeline.ProcessAsync([.. late.Envelope.Span]);

        processed.Entry.Outcome.ShouldBe(Journaling.JournalOutcome.Variant);
        _runs.ShouldHaveSingleItem().Event.Id.ShouldBe(late.Id);
        (await CallsAsync()).ShouldHaveSingleItem().HangupReason.ShouldNotBeNull("what the original says besides");
    }

    [Theory]
    [InlineData("the customer's leg")]
    [InlineData("the conversation")]
    [InlineData("nothing that is here")]
    public async Task CallWithoutItsDetailRecord_IsIncomplete_AndIsCompletedAsOneCall(string what)
    {
        var call = await JournalAsync(new CallScenario(Midday).Outgoing("started", "a").Outgoing("answered", "a").Outgoing("started", "b").Outgoing("answered", "b").Outgoing("hangup", "b").Outgoing("hangup", "a"));
        _server.Add("out_answered", Midday, what switch { "the conversation" => call.Conversation, "the customer's leg" => call.LegB, _ => "unknown" });
        (await OneAsync()).State.ShouldBe(ReconcileState.Incomplete);

        await BackfillAsync();

        var completed = (await CallsAsync()).ShouldHaveSingleItem();
        completed.Id.ShouldBe(call.Id);
        completed.TalkSeconds.ShouldBe(6);
        completed.Events.Select(notice => notice.Id).ShouldContain($"2223343:cdr:{call.LegB}:b:answered", "which leg it is is known here");
        (await OneAsync()).State.ShouldBe(ReconcileState.Matched);
    }

    [Fact]
    public async Task AgentWhoMissedTheCall_StaysTheOneWhoMissedIt()
    {
        var call = await JournalAsync(new CallScenario(Midday).Outgoing("started", "a").Outgoing("hangup", "a"));
        _server.Add("out_missed", Midday, call.Conversation, seconds: null);

        await BackfillAsync();

        (await CallsAsync()).ShouldHaveSingleItem().Outcome.ShouldBe(CallOutcome.AgentMissed);
        (await OneAsync()).State.ShouldBe(ReconcileState.Matched);
    }

    [Theory]
    [InlineData("event")]
    [InlineData("record")]
    public async Task CallThatTheCustomerMissed_IsNotTheAgentsFault(string whatIsHere)
    {
        var call = new CallScenario(Midday).Outgoing("started", "a");
        await JournalAsync(whatIsHere == "event" ? call.Outgoing("answered", "a").Outgoing("hangup", "a") : call.OutgoingCdr("answered", "a"));
        _server.Add("out_missed", Midday, call.Conversation, seconds: null);

        await BackfillAsync();

        (await CallsAsync()).ShouldHaveSingleItem().Outcome.ShouldBe(CallOutcome.NoAnswer);
        (await OneAsync()).State.ShouldBe(ReconcileState.Matched);
    }

    [Fact]
    public async Task CallOfWhichOnlyTheAgentsRecordIsHere_IsCompletedAsOneCall()
    {
        var call = await JournalAsync(new CallScenario(Midday).OutgoingCdr("answered", "a"));
        _server.Add("out_answered", Midday, call.LegB);

        (await OneAsync()).State.ShouldBe(ReconcileState.Incomplete);
        await BackfillAsync();

        (await CallsAsync()).ShouldHaveSingleItem().Outcome.ShouldBe(CallOutcome.Reached);
    }

    [Fact]
    public async Task WhatWasReconstructed_IsNoLag()
    {
        using var lag = new Microsoft.Extensions.Diagnostics.Metrics.Testing.MetricCollector<double>(_pipeline.Get<System.Diagnostics.Metrics.IMeterFactory>(), "TeleCmi", "telecmi.event.lag");
        _server.Add("out_answered", Midday, "leg-b");

        await BackfillAsync();

        lag.GetMeasurementSnapshot().ShouldBeEmpty();
    }

    private async Task<CallScenario> JournalAsync(CallScenario call)
    {
        foreach (var callEvent in call.Events)
        {
            await _pipeline.ProcessAsync([.. callEvent.Envelope.Span]);
        }

        return call;
    }

    private Task<List<ReconciledCall>> CompareAsync() => CompareAsync(Midday.AddDays(-1), PipelineUnderTest.Start);

    private async Task<List<ReconciledCall>> CompareAsync(DateTimeOffset from, DateTimeOffset to) =>
        await _pipeline.Get<Reconciler>().CompareAsync(from, to, CancellationToken.None).ToListAsync();

    private async Task<ReconciledCall> OneAsync() => (await CompareAsync()).ShouldHaveSingleItem();

    private async Task BackfillAsync() => await QueueAsync(await CompareAsync());

    private async Task QueueAsync(List<ReconciledCall> compared)
    {
        foreach (var notice in compared.Select(call => call.Reconstructed).OfType<ReconstructedNotice>())
        {
            await _pipeline.Get<Reconciler>().QueueAsync(notice, CancellationToken.None);
        }

        foreach (var message in await _pipeline.QueuedAsync())
        {
            await _pipeline.ProcessAsync(message);
        }
    }

    private async Task<List<CallRecord>> CallsAsync() =>
        await _pipeline.Get<CallReader>().QueryAsync(new CallFilter { From = new(2026, 3, 2), To = new(2026, 3, 4) }, CancellationToken.None).ToListAsync();
}
