using System.Text.Json;
using TeleCmi.Pipeline.Calls;

namespace TeleCmi.Pipeline.Tests.Calls;

public class CallDocumentTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 31, 14, 0, 0, 250, TimeSpan.FromHours(2));

    [Fact]
    public void Call_AsJson_IsWhatTheContractSays()
    {
        var scenario = new CallScenario(Start, "2223343", "c").Reached();

        var json = JsonSerializer.SerializeToElement(CallDocument.Of(Reduce(scenario)), CallJson.Default.CallDocument);

        json.EnumerateObject().Where(field => field.Name != "events").Select(field => $"{field.Name}={field.Value}").ShouldBe(
        [
            "id=2223343:call:c", "conversationId=c", "appId=2223343", "direction=outgoing", "agent=202_2222223", "customerNumber=442000000001", "businessNumber=442000000000",
            "team=", $"requestId={scenario.Request}", "custom={\"crm\":\"true\"}", "startedAt=2026-03-31T12:00:00.250Z", "agentAnsweredAt=2026-03-31T12:00:01.250Z",
            "customerAnsweredAt=2026-03-31T12:00:03.250Z", "endedAt=2026-03-31T12:00:04.250Z", "outcome=reached", "talkSeconds=6", "waitSeconds=", "hangupReason=sent_bye",
            "recording=16506305548176941220057791_2222223.mp3", "voicemail=False", "complete=True", "missing=[]",
        ]);
        json.GetProperty("events").EnumerateArray().Select(notice => $"{notice.GetProperty("kind")} {notice.GetProperty("leg")} {notice.GetProperty("receivedAt")} {notice.GetProperty("id")}")
            .First().ShouldBe($"outgoing.started a 2026-03-31T12:00:00.250Z {scenario.Events[0].Id}");
    }

    [Fact]
    public void MaskedCall_ShowsTheLastThreeDigitsOfItsNumbers()
    {
        var call = Reduce(new CallScenario(Start).Reached());

        var masked = CallDocument.Of(call, isMasked: true);
        masked.CustomerNumber.ShouldBe("*********001");
        masked.BusinessNumber.ShouldBe("*********000");
        CallDocument.Of(call with { CustomerNumber = null, BusinessNumber = null }, isMasked: true).ShouldSatisfyAllConditions(
            none => none.CustomerNumber.ShouldBeNull(), none => none.BusinessNumber.ShouldBeNull());
    }

    [Fact]
    public void Names_AreThoseOfTheContract()
    {
        CallNames.Outcomes.Select(outcome => outcome.Name()).ShouldBe(
            ["unknown", "in_progress", "reached", "busy", "no_answer", "agent_missed", "answered", "missed"], ignoreOrder: true);
        CallDirection.Outgoing.Name().ShouldBe("outgoing");
        CallDirection.Incoming.Name().ShouldBe("incoming");
    }

    private static CallRecord Reduce(CallScenario scenario) => CallReducer.Reduce(scenario.Id, scenario.Events.Select(CallNotice.Of), scenario.At(60));
}
