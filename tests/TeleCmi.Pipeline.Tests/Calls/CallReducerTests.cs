using FsCheck;
using FsCheck.Fluent;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;

namespace TeleCmi.Pipeline.Tests.Calls;

public class CallReducerTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 31, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void OutgoingCall_Reached_HasLegBsTalkTimeAndRecording()
    {
        var call = Only(Scenario().Reached());

        call.Outcome.ShouldBe(CallOutcome.Reached);
        call.Direction.ShouldBe(CallDirection.Outgoing);
        call.Agent.ShouldBe(CallScenario.Agent);
        call.CustomerNumber.ShouldBe(CallScenario.Customer);
        call.BusinessNumber.ShouldBe("442000000000");
        call.TalkSeconds.ShouldBe(6); // Leg a's 15 s have the customer's ringing in them.
        call.Recording.ShouldBe("16506305548176941220057791_2222223.mp3");
        call.StartedAt.ShouldBe(Start);
        call.AgentAnsweredAt.ShouldBe(Start.AddSeconds(1));
        call.CustomerAnsweredAt.ShouldBe(Start.AddSeconds(3));
        call.EndedAt.ShouldBe(Start.AddSeconds(4));
        call.Complete.ShouldBeTrue(string.Join(' ', call.Missing));
        call.Events.Count.ShouldBe(8);
        call.Custom.ShouldBe("""{"crm":"true"}""");
    }

    [Fact]
    public void OutgoingCall_RejectedByCustomer_IsBusy() =>
        Only(AgentAnswered().OutgoingCdr("missed", "b").OutgoingCdr("answered", "a")).Outcome.ShouldBe(CallOutcome.Busy);

    [Fact]
    public void OutgoingCall_CustomerDoesNotPickUp_IsNoAnswerWithoutTalkTime()
    {
        var call = Only(AgentAnswered().OutgoingCdr("missed", "b", ("hangup_reason", "recv_cancel")).OutgoingCdr("answered", "a"));

        call.Outcome.ShouldBe(CallOutcome.NoAnswer);
        call.TalkSeconds.ShouldBeNull();
        call.HangupReason.ShouldBe("recv_cancel");
    }

    [Fact]
    public void OutgoingCall_AgentDoesNotPickUp_IsAgentMissed() =>
        Only(Scenario().Outgoing("started", "a").Outgoing("hangup", "a").OutgoingCdr("missed", "a")).Outcome.ShouldBe(CallOutcome.AgentMissed);

    [Fact]
    public void OutgoingCall_AgentsCdrMissedButCustomerRung_IsNotAgentMissed() =>
        Only(Scenario().Outgoing("started", "a").Outgoing("started", "b").OutgoingCdr("missed", "a")).Outcome.ShouldBe(CallOutcome.InProgress);

    [Fact]
    public void OutgoingCall_AgentAnsweredAndOnlyHisCdr_IsUnknownAndSaysWhatIsMissing()
    {
        var call = Only(Scenario().Outgoing("started", "a").Outgoing("answered", "a").Outgoing("hangup", "a").OutgoingCdr("answered", "a"));

        call.Outcome.ShouldBe(CallOutcome.Unknown);
        call.Missing.ShouldBe(["cdr.b"]);
    }

    [Fact]
    public void OutgoingCall_OtherCdrStatus_IsUnknown() =>
        Only(AgentAnswered().OutgoingCdr("congestion", "b")).Outcome.ShouldBe(CallOutcome.Unknown);

    [Fact]
    public void OutgoingCall_RecordingOnLegAsCdr_IsFound() =>
        Only(AgentAnswered().OutgoingCdr("answered", "b", ("filename", null), ("record", null)).OutgoingCdr("answered", "a", ("record", true), ("filename", "late.mp3")))
            .Recording.ShouldBe("late.mp3");

    [Fact]
    public void OutgoingCall_CdrBeforeHangup_EndsWithTheHangup()
    {
        var call = Only(AgentAnswered().Outgoing("answered", "b").OutgoingCdr("answered", "b").Outgoing("hangup", "b"));

        call.Outcome.ShouldBe(CallOutcome.Reached);
        call.EndedAt.ShouldBe(Start.AddSeconds(5));
    }

    [Fact]
    public void OutgoingCall_EventsOnly_IsReachedWithoutTalkTime()
    {
        var call = Only(AgentAnswered().Outgoing("answered", "b").Outgoing("hangup", "b").Outgoing("hangup", "a"));

        call.Outcome.ShouldBe(CallOutcome.Reached);
        call.TalkSeconds.ShouldBeNull();
        call.Missing.ShouldBe(["cdr.a", "cdr.b"]);
    }

    [Fact]
    public void OutgoingCall_CdrsOnly_AreJoinedByTheirRequest()
    {
        var scenario = Scenario().OutgoingCdr("answered", "b").OutgoingCdr("answered", "a");
        var call = Only(scenario);

        call.Id.ShouldBe($"2223343:call:request~{scenario.Request}");
        call.ConversationId.ShouldBeNull();
        call.Outcome.ShouldBe(CallOutcome.Reached);
        call.CustomerNumber.ShouldBe(CallScenario.Customer);
    }

    [Fact]
    public void OutgoingCall_LegAsHangupAlone_DoesNotEndIt() =>
        Only(AgentAnswered().Outgoing("answered", "b").Outgoing("hangup", "a")).EndedAt.ShouldBeNull();

    [Fact]
    public void IncomingCall_AnsweredByAnAgent_HasTheCdrsTalkTime()
    {
        var call = Only(Scenario().Incoming("waiting").IncomingAgent("started").IncomingAgent("answered").Incoming("answered")
            .IncomingAgent("hangup").Incoming("hangup").IncomingCdr("answered"));

        call.Direction.ShouldBe(CallDirection.Incoming);
        call.Outcome.ShouldBe(CallOutcome.Answered);
        call.Agent.ShouldBe("204_2222223");
        call.CustomerNumber.ShouldBe(CallScenario.Customer);
        call.BusinessNumber.ShouldBe("440000000001");
        call.TalkSeconds.ShouldBe(11);
        call.Team.ShouldBe("Sales_2222223");
        call.CustomerAnsweredAt.ShouldBeNull();
        call.Complete.ShouldBeTrue(string.Join(' ', call.Missing));
    }

    [Fact]
    public void IncomingCall_MissedWithVoicemail_SaysSo()
    {
        var call = Only(Scenario().Incoming("waiting").Incoming("hangup").IncomingCdr("missed"));

        call.Outcome.ShouldBe(CallOutcome.Missed);
        call.Voicemail.ShouldBeTrue();
        call.WaitSeconds.ShouldBe(127);
    }

    [Fact]
    public void IncomingCall_RingGroup_IsAnsweredByTheOneWhoPickedUp()
    {
        var call = Only(Scenario().Incoming("waiting").IncomingAgent("started", "leg-1").IncomingAgent("answered", "leg-2")
            .IncomingCdr("answered", "leg-2", ("user", "205_2222223")).IncomingCdr("missed", "leg-1", ("user", "206_2222223")));

        call.Outcome.ShouldBe(CallOutcome.Answered);
        call.Agent.ShouldBe("205_2222223");
    }

    [Fact]
    public void TwoApps_WithOneConversation_AreTwoCalls()
    {
        var first = new CallScenario(Start, "1111111", "shared").Reached();
        var second = new CallScenario(Start, "2222222", "shared").Outgoing("started", "a");

        Calls([.. first.Events, .. second.Events]).Select(call => call.Id).ShouldBe(["1111111:call:shared", "2222222:call:shared"], ignoreOrder: true);
    }

    [Fact]
    public void CallWithoutAnEnd_IsInProgressForHoursOnly()
    {
        var scenario = AgentAnswered();

        Only(scenario, Start.AddHours(1)).Outcome.ShouldBe(CallOutcome.InProgress);
        Only(scenario, Start.AddHours(5)).Outcome.ShouldBe(CallOutcome.Unknown);
    }

    [Fact]
    public void NoticeWithNeitherConversationNorRequest_StandsAlone() =>
        Only(Scenario().OutgoingCdr("answered", "b", ("request_id", null))).Id.ShouldStartWith("2223343:call:unjoined~");

    /// <summary>Whatever is lost of a call: in any order and repeated, what is left gives one and the same record.</summary>
    [Fact]
    public void Notices_InAnyOrderAndRepeated_GiveTheSameRecord()
    {
        CallScenario[] scenarios =
        [
            Scenario().Reached(),
            AgentAnswered().OutgoingCdr("missed", "b").OutgoingCdr("answered", "a"),
            Scenario().Incoming("waiting").IncomingAgent("answered").Incoming("hangup").IncomingCdr("answered").IncomingCdr("missed", "other"),
            Scenario().OutgoingCdr("answered", "b").OutgoingCdr("answered", "a"),
        ];
        var cases = from scenario in Gen.Elements(scenarios)
                    from kept in Gen.SubListOf(scenario.Events.AsEnumerable()).Where(events => events.Count > 0)
                    from repeated in Gen.SubListOf(kept.AsEnumerable())
                    from shuffled in Gen.Shuffle(kept.Concat(repeated).ToArray())
                    select (Kept: kept.ToArray(), Shuffled: shuffled);

        Prop.ForAll(cases.ToArbitrary(), sample => Describe(Calls(sample.Kept)) == Describe(Calls(sample.Shuffled))).QuickCheckThrowOnFailure();
    }

    private static CallScenario Scenario() => new(Start);

    private static CallScenario AgentAnswered() => Scenario().Outgoing("started", "a").Outgoing("answered", "a").Outgoing("started", "b");

    private static CallRecord Only(CallScenario scenario, DateTimeOffset? asOf = null) => Calls([.. scenario.Events], asOf).ShouldHaveSingleItem();

    private static CallRecord[] Calls(CallEvent[] events, DateTimeOffset? asOf = null)
    {
        var grouping = new CallGrouping();
        foreach (var callEvent in events)
        {
            grouping.Add(CallNotice.Of(callEvent));
        }

        return [.. grouping.Calls().Select(call => CallReducer.Reduce(call.Id, call.Notices, asOf ?? Start.AddMinutes(10))).OrderBy(call => call.Id, StringComparer.Ordinal)];
    }

    private static string Describe(CallRecord[] calls) => string.Join('\n', calls.Select(call =>
        $"{call with { Events = [], Missing = [] }} {string.Join(' ', call.Missing)} {string.Join(' ', call.Events.Select(notice => notice.Id))}"));
}
