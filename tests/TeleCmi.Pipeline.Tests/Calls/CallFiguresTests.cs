using TeleCmi.Pipeline.Calls;

namespace TeleCmi.Pipeline.Tests.Calls;

public class CallFiguresTests
{
    private const string Customer = "442000000001";
    private const string Other = "442000000002";

    [Fact]
    public void NoCalls_ComeToNothing() => CallFigures.Of([]).ShouldBe(new CallFigures(0, 0, 0, 0, 0));

    [Fact]
    public void Figures_CountContactsTalkTimeAndWhomToCallBack() =>
        CallFigures.Of([
            Call(CallOutcome.Reached, Customer) with { TalkSeconds = 6 }, Call(CallOutcome.Answered, Customer) with { TalkSeconds = 11 }, Call(CallOutcome.Missed, Other),
        ]).ShouldBe(new CallFigures(3, 2, 0.667, 17, 1));

    [Theory]
    [InlineData(CallOutcome.Busy, true)]
    [InlineData(CallOutcome.NoAnswer, true)]
    [InlineData(CallOutcome.AgentMissed, true)]
    [InlineData(CallOutcome.Missed, true)]
    [InlineData(CallOutcome.Reached, false)]
    [InlineData(CallOutcome.Answered, false)]
    [InlineData(CallOutcome.InProgress, false)]
    [InlineData(CallOutcome.Unknown, false)]
    public void Customer_WhoWasNotSpokenWith_WaitsForACall(CallOutcome outcome, bool waits) =>
        CustomerToCallBack.Of([Call(outcome, Customer)]).Count.ShouldBe(waits ? 1 : 0);

    [Theory]
    [InlineData(CallOutcome.Reached, 1)]
    [InlineData(CallOutcome.Answered, 1)]
    [InlineData(CallOutcome.InProgress, 1)]
    [InlineData(CallOutcome.Unknown, 2)]
    public void Attempts_BeforeTheLastContact_NeedNobody(CallOutcome between, int attempts) =>
        CustomerToCallBack.Of([Call(CallOutcome.Missed, Customer), Call(between, Customer), Call(CallOutcome.Busy, Customer)])
            .ShouldHaveSingleItem().Attempts.Count.ShouldBe(attempts);

    [Fact]
    public void Attempts_AreTheNewestFirst_AndTheNumberIsTheNewestCalls()
    {
        CallRecord[] calls = [Call(CallOutcome.Missed, "+44 2000 000 001"), Call(CallOutcome.Busy, Customer), Call(CallOutcome.NoAnswer, "2000000001")];

        var customer = CustomerToCallBack.Of(calls).ShouldHaveSingleItem();

        customer.Number.ShouldBe("+44 2000 000 001");
        customer.Attempts.ShouldBe(calls);
    }

    [Fact]
    public void TwoCustomers_AreInTheOrderOfTheirNewestCalls() =>
        CustomerToCallBack.Of([Call(CallOutcome.Missed, Other), Call(CallOutcome.Missed, Customer), Call(CallOutcome.Reached, "112")]).Select(customer => customer.Number).ShouldBe([Other, Customer]);

    [Fact]
    public void Numbers_WithTheSameEndOnly_AreTwoCustomers() =>
        CustomerToCallBack.Of([Call(CallOutcome.Missed, "442000000001"), Call(CallOutcome.Missed, "449990000001")]).Count.ShouldBe(2);

    [Fact]
    public void ShortNumbers_AreCustomersOfTheirOwn() =>
        CustomerToCallBack.Of([Call(CallOutcome.Missed, "112"), Call(CallOutcome.Missed, "12"), Call(CallOutcome.Missed, "112"), Call(CallOutcome.Missed, null)])
            .Select(customer => customer.Attempts.Count).ShouldBe([2, 1]);

    [Fact]
    public void UnwantedFailures_DoNotCount_ButTheirContactsDo()
    {
        static bool IsWanted(CallRecord call) => call.Agent == "202";

        CustomerToCallBack.Of([Call(CallOutcome.Missed, Customer)], IsWanted).ShouldBeEmpty();
        CustomerToCallBack.Of([Call(CallOutcome.Missed, Customer) with { Agent = "202" }], IsWanted).Count.ShouldBe(1);
        CustomerToCallBack.Of([Call(CallOutcome.Reached, Customer), Call(CallOutcome.Missed, Customer) with { Agent = "202" }], IsWanted).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("1234567", "991234567", true)]
    [InlineData("234567", "991234567", false)]
    [InlineData("234567", "234567", true)]
    [InlineData("00441234567890", "991234567890", true)]
    [InlineData("11234567890", "21234567890", true)]
    [InlineData("1123456789", "2123456789", false)]
    [InlineData("no digits", "none either", false)]
    [InlineData(null, "1234567", false)]
    [InlineData(null, null, false)]
    public void Numbers_AreTheSameByTheirLastTenDigits(string? left, string? right, bool same)
    {
        PhoneNumber.IsSame(left, right).ShouldBe(same);
        PhoneNumber.IsSame(right, left).ShouldBe(same);
    }

    [Fact]
    public void Digits_AreAsciiDigitsOnly() => PhoneNumber.Digits("+44 (0)20-7946٣ x5").ShouldBe("4402079465");

    private static CallRecord Call(CallOutcome outcome, string? number) => new() { Id = "1:call:c", StartedAt = default, Outcome = outcome, CustomerNumber = number, Missing = [], Events = [] };
}
