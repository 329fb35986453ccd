using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Forwarding;
using static TeleCmi.Pipeline.Tests.Forwarding.DestinationsUnderTest;

namespace TeleCmi.Pipeline.Tests.Forwarding;

public sealed class DestinationFilterTests
{
    private const string OutgoingA = "chub-event-outgoing-answered-a";
    private const string IncomingA = "chub-event-incoming-answered-a";
    private const string IncomingB = "chub-event-incoming-answered-b";
    private const string IncomingCdr = "chub-cdr-incoming-answered";
    private const string Other = "repo2019-event-outgoing-answered";

    [Theory]
    [InlineData("Agents", "202", OutgoingA, true)]
    [InlineData("Agents", "202_2222223", OutgoingA, true)]
    [InlineData("Agents", "201, 202", OutgoingA, true)]
    [InlineData("Agents", "20", OutgoingA, false)]
    [InlineData("Agents", "202_2222224", OutgoingA, false)]
    [InlineData("Agents", "204", IncomingB, true)]
    [InlineData("Agents", "204", IncomingA, false)]
    [InlineData("Teams", "sales", IncomingB, true)]
    [InlineData("Teams", "SALES_2222223", IncomingCdr, true)]
    [InlineData("Teams", "support", IncomingCdr, false)]
    [InlineData("Teams", "sales", OutgoingA, false)]
    [InlineData("CustomerNumbers", "44", OutgoingA, true)]
    [InlineData("CustomerNumbers", "+442000000001", OutgoingA, true)]
    [InlineData("CustomerNumbers", "442000000000", OutgoingA, false)]
    [InlineData("CustomerNumbers", "4420000000011", OutgoingA, false)]
    [InlineData("CustomerNumbers", "440000000000", IncomingA, true)]
    [InlineData("CustomerNumbers", "440000000000", IncomingB, true)]
    [InlineData("CustomerNumbers", "440000000002", IncomingCdr, true)]
    [InlineData("BusinessNumbers", "442000000000", OutgoingA, true)]
    [InlineData("BusinessNumbers", "440000000001", IncomingA, true)]
    [InlineData("BusinessNumbers", "44", IncomingB, false)]
    [InlineData("BusinessNumbers", "440000000000", IncomingCdr, true)]
    [InlineData("BusinessNumbers", "440000000000", "chub-cdr-outgoing-answered-a", true)]
    [InlineData("AppIds", "2223343", OutgoingA, true)]
    [InlineData("AppIds", "2222223", OutgoingA, false)]
    [InlineData("Directions", "outgoing", OutgoingA, true)]
    [InlineData("Directions", "Incoming", OutgoingA, false)]
    [InlineData("Directions", "incoming", IncomingB, true)]
    [InlineData("Directions", "outgoing,incoming", Other, false)]
    [InlineData("CustomerNumbers", "942", Other, false)]
    public void Filter_OfEvents(string setting, string value, string sample, bool isSent) =>
        Filter((setting, value)).RefusalOf(Event(sample)).HasValue.ShouldBe(!isSent);

    [Theory]
    [InlineData("Agents", "202", true)]
    [InlineData("Agents", "203", false)]
    [InlineData("Teams", "sales", true)]
    [InlineData("Teams", "support", false)]
    [InlineData("CustomerNumbers", "441,442", true)]
    [InlineData("CustomerNumbers", "443", false)]
    [InlineData("BusinessNumbers", "+4480", true)]
    [InlineData("BusinessNumbers", "442", false)]
    [InlineData("AppIds", "2223343", true)]
    [InlineData("AppIds", "2223344", false)]
    [InlineData("Directions", "incoming", true)]
    [InlineData("Directions", "outgoing", false)]
    [InlineData("Outcomes", "answered", true)]
    [InlineData("Outcomes", "missed", false)]
    public void Filter_OfCalls(string setting, string value, bool isSent)
    {
        var filter = Filter(("Send", "calls"), (setting, value));
        filter.RefusalOf(Call()).HasValue.ShouldBe(!isSent);
        filter.RefusalOf(new CallRecord { Id = "-:call:x", Outcome = CallOutcome.InProgress, StartedAt = default, Missing = [], Events = [] }).ShouldNotBeNull("what it does not say matches nothing");
    }

    [Fact]
    public void EachFilterThatIsSet_MustMatch()
    {
        Filter(("Agents", "202"), ("CustomerNumbers", "442")).RefusalOf(Event(OutgoingA)).ShouldBeNull();
        Filter(("Agents", "202"), ("CustomerNumbers", "443")).RefusalOf(Event(OutgoingA)).ShouldNotBeNull();
    }

    [Theory]
    [InlineData("Agent 202_2222223 is not among Agents: 201, 203.", OutgoingA, "Agents", "201,203")]
    [InlineData("It has no agent, and Agents is set: 201.", IncomingA, "Agents", "201")]
    [InlineData("Customer's number *********001 is not among CustomerNumbers: 33.", OutgoingA, "CustomerNumbers", "+33")]
    [InlineData("It has no direction, and Directions is set: incoming.", Other, "Directions", "incoming")]
    [InlineData("Kind outgoing.answered is not among Events: outgoing.hangup.", OutgoingA, "Events", "outgoing.hangup")]
    [InlineData("Party that answered agent is not among AnsweredBy: customer.", OutgoingA, "AnsweredBy", "customer")]
    public void Refusal_SaysWhichSettingAndWhy(string sentence, string sample, string setting, string value) =>
        Filter((setting, value)).RefusalOf(Event(sample)).ShouldNotBeNull().Sentence.ShouldBe(sentence);

    [Fact]
    public void WithoutFilters_AnEventCostsNothing()
    {
        var (filter, callEvent) = (Filter(), Event(OutgoingA));
        filter.RefusalOf(callEvent).ShouldBeNull();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            _ = filter.RefusalOf(callEvent);
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Theory]
    [InlineData("CustomerNumbers", "44 20", "TeleCmi__Forward__0__CustomerNumbers: '44 20' is invalid; write the digits that the number begins with")]
    [InlineData("BusinessNumbers", "44,+", "TeleCmi__Forward__0__BusinessNumbers: '+' is invalid")]
    [InlineData("Directions", "inbound", "TeleCmi__Forward__0__Directions: 'inbound' is not a direction. Leave it out for both, or write outgoing or incoming.")]
    [InlineData("Directions", "incoming", "TeleCmi__Forward__0__Directions: no event of such a call is accepted; set TeleCmi__AcceptedEvents to *")]
    [InlineData("Agent", "202", "TeleCmi__Forward__0__Agent: there is no such setting. Did you mean TeleCmi__Forward__0__Agents?")]
    public void WrongFilter_StopsTheApp_AndIsNamed(string setting, string value, string expected) => FaultsOf(($"Forward:0:{setting}", value)).ShouldContain(expected);

    [Theory]
    [InlineData("Events", "outgoing.answered,cdr.outgoing.missed")]
    [InlineData("AnsweredBy", "agent")]
    [InlineData("OncePerConversation", "true")]
    public void DirectionThatTheOtherFiltersExclude_StopsTheApp(string setting, string value) =>
        FaultsOf(("AcceptedEvents", "*"), ("Forward:0:Directions", "incoming"), ($"Forward:0:{setting}", value)).ShouldContain("TeleCmi__Forward__0__Directions: nothing would be sent, because Events or AnsweredBy");

    [Fact]
    public void DirectionThatTheOutcomesExclude_StopsTheApp()
    {
        (string, string)[] calls = [("AcceptedEvents", "*"), ("Forward:0:Send", "calls"), ("Forward:0:Directions", "incoming")];
        FaultsOf([.. calls, ("Forward:0:Outcomes", "reached,busy")]).ShouldContain("TeleCmi__Forward__0__Directions: nothing would be sent, because Outcomes");
        Read([.. calls, ("Forward:0:Outcomes", "reached,unknown")]).All.ShouldHaveSingleItem("of an incoming call nobody may know how it ended");
    }

    [Fact]
    public void AppIdThatIsNotAccepted_StopsTheApp()
    {
        FaultsOf(("AppIds", "2223343,2223344"), ("Forward:0:AppIds", "2223344,2223345")).ShouldContain("TeleCmi__Forward__0__AppIds: 2223345 is not among TeleCmi__AppIds");
        Read(("AppIds", "2223343,2223344"), ("Forward:0:AppIds", "2223344")).All.ShouldHaveSingleItem();
    }

    [Fact]
    public void EmptyFilters_AreNone() =>
        Read([.. new[] { "Agents", "Teams", "CustomerNumbers", "BusinessNumbers", "AppIds", "Directions" }.Select(name => ($"Forward:0:{name}", " "))])
            .All.ShouldHaveSingleItem().Accepts(Event(OutgoingA)).ShouldBeTrue();

    private static DestinationFilter Filter(params (string Name, string Value)[] settings) =>
        Read([("AcceptedEvents", "*"), .. settings.Select(setting => ($"Forward:0:{setting.Name}", setting.Value))]).All.ShouldHaveSingleItem().Filter;

    private static string FaultsOf(params (string Name, string Value)[] settings) =>
        string.Join('\n', Should.Throw<OptionsValidationException>(() => Read(settings)).Failures);

    private static ForwardDestinations Read(params (string Name, string Value)[] settings) => DestinationsUnderTest.Read(
        [("Forward:0:Url", "https://crm.example.com"), ("Forward:0:Secrets", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="), .. settings]);

    private static CallRecord Call() => new()
    {
        Id = "2223343:call:x",
        AppId = "2223343",
        Direction = CallDirection.Incoming,
        Agent = "202_2223343",
        Team = "Sales_2223343",
        CustomerNumber = "442000000001",
        BusinessNumber = "+448000000000",
        Outcome = CallOutcome.Answered,
        StartedAt = default,
        Missing = [],
        Events = [],
    };
}
