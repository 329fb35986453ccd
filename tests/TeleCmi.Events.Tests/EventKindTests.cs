namespace TeleCmi.Events.Tests;

public sealed class EventKindTests
{
    [Fact]
    public void Names_AreThoseOfTheContract() =>
        EventKinds.All.Select(kind => kind.Name()).ShouldBe(
            [
                "other",
                "outgoing.started", "outgoing.answered", "outgoing.hangup",
                "incoming.waiting", "incoming.started", "incoming.answered", "incoming.hangup",
                "cdr.outgoing.answered", "cdr.outgoing.missed", "cdr.incoming.answered", "cdr.incoming.missed",
            ],
            ignoreOrder: true);

    [Fact]
    public void NameOfNoKind_IsRefused()
    {
        Should.Throw<ArgumentOutOfRangeException>(() => ((EventKind)99).Name()).Message.ShouldContain("99");
        Should.Throw<ArgumentOutOfRangeException>(() => ((AnsweredBy)99).Name()).Message.ShouldContain("99");
    }

    [Fact]
    public void Parties_HaveTheNamesOfTheContract()
    {
        AnsweredBy.Agent.Name().ShouldBe("agent");
        AnsweredBy.Customer.Name().ShouldBe("customer");
    }

    [Fact]
    public void EveryName_ReadsBackAsItsKind()
    {
        foreach (var kind in EventKinds.All)
        {
            EventKinds.TryParse(kind.Name(), out var read).ShouldBeTrue();
            read.ShouldBe(kind);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("answered")]
    [InlineData("outgoing.answered.b")]
    [InlineData("OutgoingAnswered")]
    public void UnknownName_IsNoKind(string name) => EventKinds.TryParse(name, out _).ShouldBeFalse();
}
