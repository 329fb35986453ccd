using FsCheck;
using FsCheck.Fluent;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Storage;

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
    public void OutgoingCall_OtherCdrStatus_IsUnknown()
    {
        var call = Only(AgentAnswered().OutgoingCdr("congestion", "b"));

        call.Direction.ShouldBe(CallDirection.Outgoing);
        call.Outcome.ShouldBe(CallOutcome.Unknown);
    }

    [Fact]
    public void OutgoingCall_EventOfAnotherStatus_IsNoDetailRecord() =>
        Only(Scenario().Outgoing("started", "a").Outgoing("started", "b", ("status", "ringing"))).Outcome.ShouldBe(CallOutcome.InProgress);

    [Fact]
    public void OutgoingCall_DetailRecordWithoutALeg_IsTheCustomers()
    {
        var call = Only(Scenario().OutgoingCdr("answered", "a").OutgoingCdr("missed", "b", ("leg", null)));

        call.Outcome.ShouldBe(CallOutcome.Busy);
        call.HangupReason.ShouldBe("sent_reject");
    }

    [Fact]
    public void OutgoingCall_Recordings_TheCustomersLegsComesFirst() =>
        Only(Scenario().OutgoingCdr("answered", "a", ("filename", "a.mp3")).OutgoingCdr("answered", "b", ("filename", "b.mp3"))).Recording.ShouldBe("b.mp3");

    [Fact]
    public void OutgoingCall_DetailRecordWithoutAHangup_IsItsEnd() =>
        Only(AgentAnswered().OutgoingCdr("answered", "b").OutgoingCdr("answered", "a")).EndedAt.ShouldBe(Start.AddSeconds(3));

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

    [Fact]
    public void OutgoingCall_CustomersLegEndsUnanswered_IsNoAnswerBeforeAnyDetailRecord()
    {
        var call = Only(AgentAnswered().Outgoing("hangup", "b"));

        call.Outcome.ShouldBe(CallOutcome.NoAnswer);
        call.EndedAt.ShouldBe(Start.AddSeconds(3));
        call.CustomerAnsweredAt.ShouldBeNull();
    }

    [Fact]
    public void OutgoingCall_AgentHangsUpUnanswered_IsAgentMissedBeforeAnyDetailRecord()
    {
        var call = Only(Scenario().Outgoing("started", "a").Outgoing("hangup", "a"));

        call.Outcome.ShouldBe(CallOutcome.AgentMissed);
        call.EndedAt.ShouldBe(Start.AddSeconds(1));
        call.Missing.ShouldBe(["cdr.a"]);
    }

    [Fact]
    public void OutgoingCall_AgentHangsUpAfterAnswering_WaitsForTheCustomersLeg()
    {
        var call = Only(Scenario().Outgoing("started", "a").Outgoing("answered", "a").Outgoing("hangup", "a"));

        call.Outcome.ShouldBe(CallOutcome.InProgress);
        call.EndedAt.ShouldBeNull();
        call.Missing.ShouldBe(["cdr.a", "cdr.b"]);
    }

    [Fact]
    public void OutgoingCall_OnlyTheAgentsMissedDetailRecord_EndsWithIt()
    {
        var call = Only(Scenario().OutgoingCdr("missed", "a"));

        call.Outcome.ShouldBe(CallOutcome.AgentMissed);
        call.EndedAt.ShouldBe(Start);
        call.HangupReason.ShouldBe("recv_cancel");
        call.Custom.ShouldBe("""{"crm":"true"}""");
        call.Complete.ShouldBeTrue(string.Join(' ', call.Missing));
    }

    [Fact]
    public void OutgoingCall_OnlyTheAgentsDetailRecordOfAnotherStatus_IsUnknown() =>
        Only(Scenario().Outgoing("started", "a").OutgoingCdr("congestion", "a")).Outcome.ShouldBe(CallOutcome.Unknown);

    [Fact]
    public void OutgoingCall_MissedHangupThenItsDetailRecord_EndsWithTheHangup() =>
        Only(Scenario().Outgoing("started", "a").Outgoing("hangup", "a").OutgoingCdr("missed", "a")).EndedAt.ShouldBe(Start.AddSeconds(1));

    [Fact]
    public void OutgoingCall_AgentRings_IsInProgressWithNothingMissingButHisDetailRecord()
    {
        var call = Only(Scenario().Outgoing("started", "a"));

        call.Outcome.ShouldBe(CallOutcome.InProgress);
        call.IsDecided.ShouldBeFalse();
        call.Missing.ShouldBe(["cdr.a"]);
    }

    [Fact]
    public void OutgoingCall_DetailRecordsAlone_SayWhichEventsAreMissing() =>
        Only(Scenario().OutgoingCdr("answered", "a").OutgoingCdr("answered", "b")).Missing.ShouldBe(["answered.a", "answered.b", "hangup.b"]);

    [Fact]
    public void OutgoingCall_OfTheCustomersLegAlone_MissesNothingOfTheAgents() =>
        Only(Scenario().Outgoing("answered", "b").Outgoing("hangup", "b")).Missing.ShouldBe(["cdr.b"]);

    [Fact]
    public void OutgoingCall_CustomerRings_MissesItsEnd() =>
        Only(AgentAnswered()).Missing.ShouldBe(["cdr.a", "cdr.b", "hangup.b"]);

    [Fact]
    public void OutgoingCall_CorrectedDetailRecord_CountsAsItCameLast()
    {
        Only(AgentAnswered().OutgoingCdr("answered", "b").OutgoingCdr("missed", "b")).Outcome.ShouldBe(CallOutcome.Busy);
        Only(AgentAnswered().OutgoingCdr("missed", "b").OutgoingCdr("answered", "b")).Outcome.ShouldBe(CallOutcome.Reached);
        Only(Scenario().OutgoingCdr("missed", "a").OutgoingCdr("answered", "a")).Outcome.ShouldBe(CallOutcome.Unknown);
    }

    [Fact]
    public void OutgoingCall_NotReached_HasNoTalkTimeWhateverTheDetailRecordSays() =>
        Only(AgentAnswered().OutgoingCdr("missed", "b", ("answeredsec", 9))).TalkSeconds.ShouldBeNull();

    [Fact]
    public void OutgoingCall_WithoutADetailRecordOfTheCustomersLeg_HasNoHangupReason() =>
        Only(AgentAnswered().OutgoingCdr("answered", "a")).HangupReason.ShouldBeNull();

    [Fact]
    public void OutgoingCall_Numbers_AreThoseOfTheEventsBeforeThoseOfTheRecords()
    {
        var call = Only(AgentAnswered().OutgoingCdr("answered", "b", ("to", "0"), ("virtual_number", "1")));

        call.CustomerNumber.ShouldBe(CallScenario.Customer);
        call.BusinessNumber.ShouldBe("442000000000");
    }

    [Fact]
    public void OutgoingCall_OfDetailRecords_HasTheCustomersLegsNumbers()
    {
        // Leg a's "to" is the agent's own number.
        var call = Only(Scenario().OutgoingCdr("answered", "a").OutgoingCdr("answered", "b"));

        call.CustomerNumber.ShouldBe(CallScenario.Customer);
        call.BusinessNumber.ShouldBe("440000000000");
        Only(Scenario().OutgoingCdr("answered", "a")).CustomerNumber.ShouldBeNull();
    }

    [Fact]
    public void OutgoingCall_LegAAlone_IsNeitherAnsweredNorEndedByItsOwnNotices()
    {
        var call = Only(Scenario().Outgoing("started", "a").Outgoing("answered", "a").Outgoing("hangup", "a").OutgoingCdr("answered", "a"));

        call.AgentAnsweredAt.ShouldBe(Start.AddSeconds(1));
        call.CustomerAnsweredAt.ShouldBeNull();
        call.EndedAt.ShouldBeNull();
    }

    [Fact]
    public void Call_HasTheFirstNoticeThatNamesThem()
    {
        var call = Only(Scenario().Outgoing("started", "a", ("team", "Sales_2222223"), ("custom", null)).OutgoingCdr("answered", "b", ("custom", "cdr"), ("team", "Other")));

        call.Team.ShouldBe("Sales_2222223");
        call.Custom.ShouldBe("cdr");
        Only(AgentAnswered().OutgoingCdr("answered", "b", ("custom", "cdr"))).Custom.ShouldBe("""{"crm":"true"}""");
    }

    [Fact]
    public void Call_OfNoticesOfNoKnownKind_IsUnknownWithoutADirection()
    {
        var call = Only(Scenario().OutgoingCdr("congestion", "b"));

        call.Direction.ShouldBeNull();
        call.Outcome.ShouldBe(CallOutcome.Unknown);
        Only(Scenario().Outgoing("started", "a", ("status", "ringing"))).Outcome.ShouldBe(CallOutcome.Unknown);
    }

    [Theory]
    [InlineData("started", CallOutcome.InProgress)]
    [InlineData("answered", CallOutcome.InProgress)]
    [InlineData("hangup", CallOutcome.AgentMissed)]
    public void AnyEventOfAnAgentsLeg_MakesAnOutgoingCall(string status, CallOutcome outcome)
    {
        var call = Only(Scenario().Outgoing(status, "a"));

        call.Direction.ShouldBe(CallDirection.Outgoing);
        call.Outcome.ShouldBe(outcome);
    }

    [Theory]
    [InlineData("waiting", CallOutcome.InProgress)]
    [InlineData("started", CallOutcome.InProgress)]
    [InlineData("answered", CallOutcome.Answered)]
    [InlineData("hangup", CallOutcome.Missed)]
    public void AnyEventOfACallersLeg_MakesAnIncomingCall(string status, CallOutcome outcome)
    {
        var call = Only(Scenario().Incoming(status));

        call.Direction.ShouldBe(CallDirection.Incoming);
        call.Outcome.ShouldBe(outcome);
    }

    [Theory]
    [InlineData("answered", CallOutcome.Answered)]
    [InlineData("missed", CallOutcome.Missed)]
    public void DetailRecordOfAnIncomingCall_DecidesItAlone(string status, CallOutcome outcome)
    {
        var call = Only(Scenario().IncomingCdr(status));

        call.Direction.ShouldBe(CallDirection.Incoming);
        call.Outcome.ShouldBe(outcome);
        call.EndedAt.ShouldBe(Start);
        call.Missing.ShouldBe(outcome is CallOutcome.Answered ? ["answered.b"] : []);
        call.IsContact.ShouldBe(outcome is CallOutcome.Answered);
    }

    [Fact]
    public void IncomingCall_AgentHangsUp_IsStillWaiting()
    {
        var call = Only(Scenario().Incoming("waiting").IncomingAgent("started").IncomingAgent("hangup"));

        call.Outcome.ShouldBe(CallOutcome.InProgress);
        call.EndedAt.ShouldBeNull();
        call.Missing.ShouldBe(["cdr", "hangup"]);
    }

    [Fact]
    public void IncomingCall_CallerHangsUpUnanswered_IsMissedBeforeAnyDetailRecord()
    {
        var call = Only(Scenario().Incoming("waiting").Incoming("hangup"));

        call.Outcome.ShouldBe(CallOutcome.Missed);
        call.EndedAt.ShouldBe(Start.AddSeconds(1));
        call.WaitSeconds.ShouldBeNull();
        call.Missing.ShouldBe(["cdr"]);
    }

    [Fact]
    public void IncomingCall_AnsweredWithoutADetailRecord_KnowsTheAgentAndNoTalkTime()
    {
        var call = Only(Scenario().Incoming("waiting").IncomingAgent("answered").Incoming("hangup"));

        call.Outcome.ShouldBe(CallOutcome.Answered);
        call.Agent.ShouldBe("204_2222223");
        call.AgentAnsweredAt.ShouldBe(Start.AddSeconds(1));
        call.EndedAt.ShouldBe(Start.AddSeconds(2));
        call.TalkSeconds.ShouldBeNull();
        call.Missing.ShouldBe(["cdr"]);
    }

    [Fact]
    public void IncomingCall_AnsweredOnTheCallersLegOnly_MissesTheAgentsAnswer()
    {
        var call = Only(Scenario().Incoming("answered").Incoming("hangup").IncomingCdr("answered"));

        call.Outcome.ShouldBe(CallOutcome.Answered);
        call.AgentAnsweredAt.ShouldBeNull();
        call.Missing.ShouldBe(["answered.b"]);
    }

    [Fact]
    public void IncomingCall_DetailRecordSaysMissed_IsMissedThoughItRangAnswered()
    {
        // A menu or a voicemail picks up too.
        var call = Only(Scenario().Incoming("answered").Incoming("hangup").IncomingCdr("missed", null, ("answeredsec", 9)));

        call.Outcome.ShouldBe(CallOutcome.Missed);
        call.TalkSeconds.ShouldBeNull();
    }

    [Fact]
    public void IncomingCall_HangupAfterTheDetailRecord_IsItsEnd() =>
        Only(Scenario().Incoming("waiting").IncomingCdr("missed").Incoming("hangup")).EndedAt.ShouldBe(Start.AddSeconds(2));

    [Fact]
    public void IncomingCall_CorrectedDetailRecord_CountsAsItCameLast()
    {
        var call = Only(Scenario().Incoming("waiting").IncomingCdr("missed", "leg-1", ("waitedsec", 1)).IncomingCdr("missed", "leg-2", ("waitedsec", 2)));

        call.WaitSeconds.ShouldBe(2);
    }

    [Fact]
    public void IncomingCall_RingGroup_IsTheAgentsWhoAnsweredAndNotTheOneWhoRangFirst()
    {
        var ringing = Scenario().IncomingAgent("started", "leg-1", ("user", "206_2222223")).Incoming("answered");

        Only(ringing).Agent.ShouldBe("206_2222223");
        Only(ringing.IncomingAgent("answered", "leg-2")).Agent.ShouldBe("204_2222223");
    }

    [Fact]
    public void IncomingCall_OfTheAgentsLegAlone_MissesNoHangupOfTheCaller()
    {
        var call = Only(Scenario().IncomingAgent("answered").IncomingAgent("hangup").IncomingAgent("ringing"));

        call.Direction.ShouldBe(CallDirection.Incoming);
        call.Missing.ShouldBe(["cdr"]);
    }

    [Fact]
    public void IncomingCall_AnsweredTwice_IsTheFirstAgents()
    {
        var call = Only(Scenario().Incoming("waiting").IncomingAgent("answered", "leg-1").IncomingAgent("answered", "leg-2", ("user", "205_2222223")));

        call.Agent.ShouldBe("204_2222223");
        call.AgentAnsweredAt.ShouldBe(Start.AddSeconds(1));
    }

    [Fact]
    public void IncomingCall_Numbers_AreThoseOfTheCallersLegBeforeThoseOfTheRecord()
    {
        var call = Only(Scenario().IncomingAgent("started", null, ("from", "1")).Incoming("waiting").IncomingCdr("answered", null, ("from", "2"), ("to", "3"), ("virtual_number", "4")));

        call.CustomerNumber.ShouldBe(CallScenario.Customer);
        call.BusinessNumber.ShouldBe("440000000001");
    }

    [Fact]
    public void IncomingCall_WithoutTheCallersLeg_HasTheAgentsLegsCallerAndTheRecordsNumbers()
    {
        var agents = Only(Scenario().IncomingAgent("answered", null, ("from", "1")).IncomingCdr("answered", null, ("from", "2"), ("to", "3"), ("virtual_number", "4")));
        agents.CustomerNumber.ShouldBe("1");
        agents.BusinessNumber.ShouldBe("4");

        var record = Only(Scenario().IncomingCdr("answered", null, ("from", "2"), ("to", "3"), ("virtual_number", null)));
        record.CustomerNumber.ShouldBe("2");
        record.BusinessNumber.ShouldBe("3");
    }

    [Fact]
    public void IncomingCall_Recording_IsTheAnsweredRecords() =>
        Only(Scenario().Incoming("waiting").IncomingCdr("missed", "leg-1", ("filename", "first.mp3")).IncomingCdr("answered", "leg-2", ("filename", "second.mp3")))
            .Recording.ShouldBe("second.mp3");

    [Fact]
    public void CallWithoutAnEnd_IsInProgressForExactlyTheLongestCall()
    {
        var scenario = AgentAnswered();

        Only(scenario, Start + CallReducer.LongestCall).Outcome.ShouldBe(CallOutcome.InProgress);
        Only(scenario, Start + CallReducer.LongestCall + TimeSpan.FromTicks(1)).Outcome.ShouldBe(CallOutcome.Unknown);
        Only(Scenario().Reached(), Start.AddDays(9)).Outcome.ShouldBe(CallOutcome.Reached);
    }

    [Fact]
    public void DetailRecordWithoutAConversation_JoinsByItsLegElseByItsRequest()
    {
        Only(Scenario().Outgoing("started", "b").OutgoingCdr("answered", "b", ("request_id", null))).Events.Count.ShouldBe(2);
        Only(Scenario().Outgoing("started", "a").OutgoingCdr("answered", "b")).Events.Count.ShouldBe(2);
    }

    [Fact]
    public void DetailRecordWithoutARequest_IsInTheCallOfTheRequestThatItsLegNames()
    {
        var scenario = Scenario().OutgoingCdr("answered", "a").OutgoingCdr("missed", "b").OutgoingCdr("answered", "b", ("request_id", null));

        Only(scenario).Id.ShouldBe($"2223343:call:request~{scenario.Request}");
    }

    [Fact]
    public void DetailRecordsOfOneLeg_ThatNameTwoRequests_AreOneCall() =>
        Calls([.. Scenario().OutgoingCdr("answered", "b", ("request_id", "r1")).OutgoingCdr("missed", "b", ("request_id", "r2")).Events])
            .Select(call => call.Name).ShouldBe(["request~r1"]);

    [Fact]
    public void NoticesReceivedAtOnce_AreInOneOrderWhoeverWroteThemFirst()
    {
        var hangup = new CallScenario(Start, conversation: "c").Outgoing("hangup", "a").Events.Single();
        var answered = new CallScenario(Start, conversation: "c").Outgoing("answered", "a").Events.Single();

        Calls([hangup, answered]).Single().Events.Select(notice => notice.Id).ShouldBe([answered.Id, hangup.Id]);
        Calls([answered, hangup]).Single().Events.Select(notice => notice.Id).ShouldBe([answered.Id, hangup.Id]);
    }

    [Fact]
    public void NoticeWithoutAnyLeg_StandsAloneByItsEventsId()
    {
        var scenario = Scenario().OutgoingCdr("answered", "b", ("request_id", null), ("cmiuuid", null));

        Only(scenario).Id.ShouldBe($"2223343:call:unjoined~{scenario.Events.Single().Id}");
    }

    [Fact]
    public void NoticesOfOneLeg_WithNeitherConversationNorRequest_AreOneCall()
    {
        var scenario = Scenario().OutgoingCdr("answered", "b", ("request_id", null)).OutgoingCdr("missed", "b", ("request_id", null));

        var call = Only(scenario);
        call.Id.ShouldBe($"2223343:call:unjoined~{scenario.LegB}");
        call.Name.ShouldBe($"unjoined~{scenario.LegB}");
        call.Events.Count.ShouldBe(2);
    }

    [Fact]
    public void TwoApps_WithOneRequestOrOneLeg_AreTwoCalls()
    {
        var first = new CallScenario(Start, "1111111", "first").Reached();
        var byRequest = new CallScenario(Start, "2222222", "second").OutgoingCdr("answered", "b", ("request_id", first.Request));
        var byLeg = new CallScenario(Start, "2222222", "third").OutgoingCdr("answered", "b", ("request_id", null), ("cmiuuid", first.LegB));

        Calls([.. first.Events, .. byRequest.Events]).Length.ShouldBe(2);
        Calls([.. first.Events, .. byLeg.Events]).Length.ShouldBe(2);
    }

    [Fact]
    public void TwoCalls_OfOneApp_StayApart()
    {
        var first = Scenario().Reached();
        var second = Scenario().Reached();

        Calls([.. first.Events, .. second.Events]).Select(call => call.Events.Count).ShouldBe([8, 8]);
    }

    [Fact]
    public void CallWithoutAnApplication_IsNamedWithADash()
    {
        var call = Only(Scenario().Outgoing("started", "a", ("app_id", null), ("conversation_uuid", "c")));

        call.Id.ShouldBe("-:call:c");
        call.Name.ShouldBe("c");
        call.AppId.ShouldBeNull();
    }

    /// <summary>The leg has the conversation's name, but nothing says that it is a leg of it.</summary>
    [Fact]
    public void DetailRecordOfALegThatNoEventNames_StandsAlone_AlsoWhereItStandsBesideItsConversation()
    {
        var scenario = Scenario().Outgoing("started", "b").OutgoingCdr("answered", "a", ("request_id", null));

        Calls([.. scenario.Events]).Select(call => call.Id).ShouldBe([scenario.Id, $"2223343:call:unjoined~{scenario.Conversation}"]);
        Describe(Calls([.. scenario.Events.Reverse()])).ShouldBe(Describe(Calls([.. scenario.Events])));
    }

    [Fact]
    public void LegOrRequestOfTwoConversations_IsOneAndTheSameConversations_InAnyOrder()
    {
        CallScenario[] calls = [Scenario().Outgoing("started", "b"), Scenario().Outgoing("started", "b", ("cmiuuid", "leg"), ("request_id", "request")), Scenario().Outgoing("started", "b", ("cmiuuid", "leg"), ("request_id", "request"))];
        CallEvent[] details = [.. calls[0].OutgoingCdr("answered", "b", ("cmiuuid", "leg")).OutgoingCdr("answered", "b", ("cmiuuid", "another"), ("request_id", "request")).Events.TakeLast(2)];
        CallEvent[] events = [calls[1].Events[0], calls[2].Events[0], .. details];

        var there = Describe(Calls(events));

        Describe(Calls([events[1], events[0], .. details])).ShouldBe(there);
        Calls(events).Select(call => call.Events.Count).ShouldBe([3, 1], ignoreOrder: true);
    }

    [Fact]
    public void PackedNotices_AreTheSameAgain()
    {
        CallNotice[] notices = [.. Scenario().Reached().Events.Concat(Scenario().Incoming("waiting").IncomingCdr("missed").Events).Select(CallNotice.Of)];
        notices = [.. notices, notices[0] with { Key = new RowKey("undated", "a|=|:b"), Id = "%:", Leg = null, Custom = "", TalkSeconds = long.MaxValue, WaitSeconds = 0, Voicemail = true }];

        PackedNotices.Unpack(PackedNotices.Pack(notices)).ShouldBe(notices);
    }

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
        using var grouping = new CallGrouping();
        grouping.AddAsync(events.Select(CallNotice.Of).ToAsyncEnumerable()).GetAwaiter().GetResult();
        return [.. grouping.Calls().Select(call => CallReducer.Reduce(call.Id, call.Notices, asOf ?? Start.AddMinutes(10))).OrderBy(call => call.Id, StringComparer.Ordinal)];
    }

    private static string Describe(CallRecord[] calls) => string.Join('\n', calls.Select(call =>
        $"{call with { Events = [], Missing = [] }} {string.Join(' ', call.Missing)} {string.Join(' ', call.Events.Select(notice => notice.Id))}"));
}
