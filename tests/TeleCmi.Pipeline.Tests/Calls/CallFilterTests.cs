using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;

namespace TeleCmi.Pipeline.Tests.Calls;

public class CallFilterTests
{
    private static readonly CallScenario Scenario = new CallScenario(new(2026, 3, 31, 12, 0, 0, TimeSpan.Zero), conversation: "c")
        .Outgoing("started", "a").Outgoing("answered", "a").Outgoing("started", "b");

    private static readonly CallRecord Call = CallReducer.Reduce(Scenario.Id, Scenario.Events.Select(CallNotice.Of), Scenario.At(60));

    [Fact]
    public void EmptyFilter_MatchesEveryCall() => new CallFilter().Matches(Call).ShouldBeTrue();

    [Theory]
    [InlineData("202_2222223", true)]
    [InlineData("202", true)]
    [InlineData("202_", false)]
    [InlineData("20", false)]
    [InlineData("202_222222", false)]
    [InlineData("203", false)]
    public void Agent_IsTheWholeNameOrTheOneBeforeTheApplication(string agent, bool matches) => new CallFilter { Agent = agent }.Matches(Call).ShouldBe(matches);

    [Fact]
    public void CallWithoutAnAgent_MatchesNone() => new CallFilter { Agent = "202" }.Matches(Call with { Agent = null }).ShouldBeFalse();

    [Theory]
    [InlineData("+44 2000 000 001", true)]
    [InlineData("0000001", true)]
    [InlineData("000001", false)]
    [InlineData("442000000000", false)]
    public void Number_IsTheCustomersWithItsLastDigits(string number, bool matches) => new CallFilter { Number = number }.Matches(Call).ShouldBe(matches);

    [Fact]
    public void OutcomeDirectionAndKind_AreExact()
    {
        new CallFilter { Outcome = CallOutcome.InProgress }.Matches(Call).ShouldBeTrue();
        new CallFilter { Outcome = CallOutcome.Unknown }.Matches(Call).ShouldBeFalse();
        new CallFilter { Direction = CallDirection.Outgoing }.Matches(Call).ShouldBeTrue();
        new CallFilter { Direction = CallDirection.Incoming }.Matches(Call).ShouldBeFalse();
        new CallFilter { Kind = EventKind.OutgoingStarted }.Matches(Call).ShouldBeTrue();
        new CallFilter { Kind = EventKind.OutgoingHangup }.Matches(Call).ShouldBeFalse();
    }

    [Fact]
    public void Conversation_IsAnyOfTheCallsIds()
    {
        string[] ids = [Call.Id, "c", Scenario.Request, Scenario.LegB, Scenario.Events[1].Id];

        ids.ShouldAllBe(id => new CallFilter { Conversation = id }.Matches(Call));
        new CallFilter { Conversation = "C" }.Matches(Call).ShouldBeFalse();
        new CallFilter { Conversation = "" }.Matches(Call).ShouldBeFalse();
    }

    [Fact]
    public void EveryCondition_HasToHold() => new CallFilter { Agent = "202", Outcome = CallOutcome.Reached }.Matches(Call).ShouldBeFalse();
}
