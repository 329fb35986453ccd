using System.Text;
using System.Text.Json;
using TeleCmi.Events.Samples;

namespace TeleCmi.Events.Tests;

public sealed class CatalogueTests
{
    private static readonly Dictionary<string, EventKind> ExpectedKinds = new(StringComparer.Ordinal)
    {
        ["chub-event-outgoing-started-a"] = EventKind.OutgoingStarted,
        ["chub-event-outgoing-answered-a"] = EventKind.OutgoingAnswered,
        ["chub-event-outgoing-answered-b"] = EventKind.OutgoingAnswered,
        ["chub-event-outgoing-hangup-a"] = EventKind.OutgoingHangup,
        ["chub-event-outgoing-hangup-b"] = EventKind.OutgoingHangup,
        ["chub-event-incoming-waiting-a"] = EventKind.IncomingWaiting,
        ["chub-event-incoming-answered-a"] = EventKind.IncomingAnswered,
        ["chub-event-incoming-hangup-a"] = EventKind.IncomingHangup,
        // Outbound towards the agent, but legs of an incoming call.
        ["chub-event-incoming-answered-b"] = EventKind.IncomingAnswered,
        ["chub-event-incoming-hangup-b"] = EventKind.IncomingHangup,
        ["chub-cdr-outgoing-answered-a"] = EventKind.CdrOutgoingAnswered,
        ["chub-cdr-outgoing-answered-b"] = EventKind.CdrOutgoingAnswered,
        ["chub-cdr-outgoing-missed-a"] = EventKind.CdrOutgoingMissed,
        ["chub-cdr-outgoing-missed-b"] = EventKind.CdrOutgoingMissed,
        ["chub-cdr-incoming-answered"] = EventKind.CdrIncomingAnswered,
        ["chub-cdr-incoming-missed"] = EventKind.CdrIncomingMissed,
        ["chub-request-http-flow"] = EventKind.Other,
        ["chubindia-event-outgoing-started-a"] = EventKind.OutgoingStarted,
        ["chubindia-cdr-outgoing-answered"] = EventKind.CdrOutgoingAnswered,
        ["chubindia-cdr-outgoing-missed"] = EventKind.CdrOutgoingMissed,
        ["repo2019-event-incoming-waiting"] = EventKind.IncomingWaiting,
        ["repo2019-event-incoming-answered"] = EventKind.IncomingAnswered,
        // These three carry parent_uid: the agent's leg of an incoming call.
        ["repo2019-event-outgoing-started"] = EventKind.Other,
        ["repo2019-event-outgoing-answered"] = EventKind.Other,
        ["repo2019-event-outgoing-hangup"] = EventKind.Other,
        ["piopiy-event-out-started-a"] = EventKind.Other,
        ["piopiy-event-out-started-b"] = EventKind.Other,
        ["piopiy-event-out-answered-a"] = EventKind.Other,
        ["piopiy-event-out-answered-b"] = EventKind.Other,
        ["piopiy-event-in-answered"] = EventKind.Other,
        ["piopiy-event-in-hangup"] = EventKind.IncomingHangup,
        ["piopiy-event-stream-connected"] = EventKind.Other,
        ["piopiy-cdr-inbound-answered"] = EventKind.CdrIncomingAnswered,
        ["piopiy-cdr-outbound-missed-a"] = EventKind.Other,
        ["piopiy-cdr-outbound-missed-old"] = EventKind.CdrOutgoingMissed,
        ["piopiy-request-answer-url"] = EventKind.Other,
    };

    private static readonly Dictionary<string, DocumentedNotice> Catalogue =
        DocumentedNotices.Load().ToDictionary(notice => notice.Name, StringComparer.Ordinal);

    public static TheoryData<string> Names => [.. ExpectedKinds.Keys];

    [Fact]
    public void Catalogue_HoldsTheDocumentedNoticesAndNoOther() =>
        Catalogue.Keys.ShouldBe(ExpectedKinds.Keys, ignoreOrder: true);

    [Theory]
    [MemberData(nameof(Names))]
    public void Sample_IsOfItsKind(string name) =>
        Given.Notice(Catalogue[name].Json).Kind.ShouldBe(ExpectedKinds[name]);

    [Theory]
    [MemberData(nameof(Names))]
    public void Sample_SurvivesTheEnvelopeByteForByte(string name)
    {
        var sample = Given.Notice(Catalogue[name].Json);

        var arrived = Given.ThroughEnvelope(sample);

        Encoding.UTF8.GetString(arrived.Notice.Json.Span).ShouldBe(Catalogue[name].Json);
        arrived.Id.ShouldBe(sample.Id);
        arrived.Kind.ShouldBe(ExpectedKinds[name]);
        arrived.Notice.Kind.ShouldBe(ExpectedKinds[name]);
        arrived.Notice.ContentHash.ShouldBe(sample.ContentHash);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SampleByGet_IsTheSameEventAsByPost(string name)
    {
        var byPost = Given.Notice(Catalogue[name].Json);

        var byGet = Given.ThroughEnvelope(Given.Form(Catalogue[name].ToQuery()));

        byGet.Id.ShouldBe(byPost.Id);
        byGet.Kind.ShouldBe(byPost.Kind);
        byGet.Notice.ContentHash.ShouldBe(byPost.ContentHash);
        Fields(byGet.Notice).ShouldBe(Fields(byPost));
    }

    [Theory]
    [InlineData("chub-event-outgoing-answered-a")]
    [InlineData("chub-event-outgoing-answered-b")]
    [InlineData("chub-event-incoming-answered-a")]
    [InlineData("chub-event-incoming-answered-b")]
    public void LiveEventByGet_TakesItsDocumentedTypes(string name)
    {
        var byGet = Given.Form(Catalogue[name].ToQuery());

        JsonElement.DeepEquals(Given.Json(byGet.Json), Given.Json(Catalogue[name].Json)).ShouldBeTrue();
    }

    [Fact]
    public void Ids_TellTheSamplesApart()
    {
        var shared = Catalogue.Values.GroupBy(sample => Given.Notice(sample.Json).Id, StringComparer.Ordinal).Where(sameId => sameId.Count() > 1);

        // The 2019 page prints one cmiuid for both legs, and no leg; their content still tells them apart.
        shared.ShouldHaveSingleItem().Select(sample => sample.Name)
            .ShouldBe(["repo2019-event-incoming-answered", "repo2019-event-outgoing-answered"]);
        Catalogue.Values.Select(sample => Given.Notice(sample.Json).ContentHash).ShouldBeUnique();
    }

    private static List<string> Fields(Notice notice) =>
        [.. Given.Json(notice.Json).EnumerateObject().Select(field => $"{field.Name}={Given.TextOf(field.Value)}")];
}
