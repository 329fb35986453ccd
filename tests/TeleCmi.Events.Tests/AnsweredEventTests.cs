using TeleCmi.Events.Samples;

namespace TeleCmi.Events.Tests;

public sealed class AnsweredEventTests
{
    [Fact]
    public void DocumentedSample_HasEveryFieldAsDocumented()
    {
        var notice = Given.Notice(DocumentedNotices.OutgoingAnswered.Json);

        notice.CallId.ShouldBe("e51d5392-d9cf-123b-fe91-3cecefb9bfb6");
        notice.Leg.ShouldBe("a");
        notice.Type.ShouldBe("event");
        notice.User.ShouldBe("202_2222223");
        notice.CmiUuid.ShouldBe("ccd826f9-67a4-4467-acfb-a53093ff5c9d");
        notice.Direction.ShouldBe("outbound");
        notice.CallerId.ShouldBe("442000000000");
        notice.AppId.ShouldBe(2223343);
        notice.Time.ShouldBe(new DateTimeOffset(2022, 4, 22, 13, 49, 0, 436, TimeSpan.Zero));
        notice.Custom.ShouldBe("""{"crm":"true"}""");
        notice.CustomJson!.Value.GetProperty("crm").GetString().ShouldBe("true");
        notice.ExtraParams.ShouldBe("""{"click2call":"true"}""");
        notice.ExtraParamsJson!.Value.GetProperty("click2call").GetString().ShouldBe("true");
        notice.RequestId.ShouldBe("bvS68LlqtFunYMQO0db6g9klSdfS0UHHDoK9S9Qvaed");
        notice.Status.ShouldBe("answered");
        notice.To.ShouldBe("442000000001");
        notice.ConversationUuid.ShouldBe("ccd826f9-67a4-4467-acfb-a53093ff5c9d");
    }

    [Fact]
    public void LegA_WasAnsweredByTheAgent() =>
        Given.Notice(DocumentedNotices.OutgoingAnswered.Json).AnsweredBy.ShouldBe(AnsweredBy.Agent);

    [Fact]
    public void LegB_WasAnsweredByTheCustomer()
    {
        var twin = Given.Notice(DocumentedNotices.OutgoingAnsweredByCustomer.Json);

        twin.AnsweredBy.ShouldBe(AnsweredBy.Customer);
        twin.CmiUuid.ShouldBe("81b3d612-3473-4ac3-ba6e-030ee508036f");
        twin.Subject.ShouldBe(Given.Notice(DocumentedNotices.OutgoingAnswered.Json).Subject, "both legs belong to one conversation");
    }

    [Theory]
    [InlineData("\"leg\":null")]
    [InlineData("\"leg\":\"c\"")]
    public void UnknownLeg_LeavesOpenWhoAnswered(string leg)
    {
        var notice = Given.Documented(leg);

        notice.Kind.ShouldBe(EventKind.OutgoingAnswered);
        notice.AnsweredBy.ShouldBeNull();
    }

    [Theory]
    [InlineData("\"status\":\"started\"")]
    [InlineData("\"status\":\"hangup\"")]
    [InlineData("\"type\":\"cdr\"")]
    [InlineData("\"direction\":\"inbound\"")]
    public void AnotherKind_WasAnsweredByNobody(string member) => Given.Documented(member).AnsweredBy.ShouldBeNull();

    [Theory]
    [InlineData("\"type\":\"cdr\"")]
    [InlineData("\"type\":null")]
    [InlineData("\"direction\":null")]
    [InlineData("\"direction\":\"inbound\"")]
    [InlineData("\"status\":null")]
    [InlineData("\"status\":\"out_answered\"")]
    [InlineData("\"status\":\"out_bridged\"")]
    [InlineData("\"status\":\"unanswered\"")]
    [InlineData("\"status\":true")]
    [InlineData("\"parent_uid\":\"127c1480-ce5d-480a-a593\"")]
    [InlineData("\"call_id\":\"\",\"callerid\":null,\"to\":\"\",\"team\":\"Sales_2222223\"")]
    [InlineData("\"call_id\":\"\",\"callerid\":null,\"from\":\"440000000000\"")]
    public void LookAlike_IsNotAnOutgoingAnswer(string member) => Given.Documented(member).Kind.ShouldNotBe(EventKind.OutgoingAnswered);

    [Theory]
    [InlineData("started", EventKind.IncomingStarted)]
    [InlineData("answered", EventKind.IncomingAnswered)]
    [InlineData("Hangup ", EventKind.IncomingHangup)]
    [InlineData("waiting", EventKind.IncomingWaiting)]
    [InlineData("ringing", EventKind.Other)]
    public void OutboundEventWithoutOutgoingFields_IsAnIncomingCallsAgentLeg(string status, EventKind expected)
    {
        // As live traffic has it: neither team nor from.
        var members = $$"""{"leg":"b","type":"event","user":"204_2222223","direction":"outbound","app_id":2222223,"cmiuuid":"u","conversation_uuid":"c","status":"{{status}}" """;

        Given.Notice(members + "}").Kind.ShouldBe(expected);
        Given.Notice(members + ""","call_id":"null","callerid":" ","to":"undefined"}""").Kind.ShouldBe(expected);
        Given.Notice(members + ""","team":"Sales_2222223","from":"440000000000"}""").Kind.ShouldBe(expected);
        Given.Notice(members + "}").AnsweredBy.ShouldBeNull();
    }

    [Theory]
    [InlineData("\"call_id\":\"i\"")]
    [InlineData("\"callerid\":\"442000000000\"")]
    [InlineData("\"to\":\"442000000001\"")]
    public void OutboundEventWithOneOutgoingField_IsAnOutgoingAnswer(string member) =>
        Given.Notice($$"""{"leg":"b","type":"event","direction":"outbound","app_id":2222223,"cmiuuid":"u","status":"answered",{{member}}}""").Kind.ShouldBe(EventKind.OutgoingAnswered);

    [Theory]
    [InlineData("\"status\":\"Answered\",\"direction\":\"OUTBOUND\",\"type\":\"Event\"")]
    [InlineData("\"st\\u0061tus\":\"\\u0061nswered\"")]
    [InlineData("\"team\":\"Sales_2222223\"")]
    public void OtherSpellingOfAnOutgoingAnswer_IsOneStill(string member) => Given.Documented(member).Kind.ShouldBe(EventKind.OutgoingAnswered);
}
