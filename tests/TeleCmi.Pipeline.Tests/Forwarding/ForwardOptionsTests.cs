using Microsoft.Extensions.Options;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Forwarding;
using static TeleCmi.Pipeline.Tests.Forwarding.DestinationsUnderTest;

namespace TeleCmi.Pipeline.Tests.Forwarding;

public sealed class ForwardOptionsTests
{
    private const string Secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    private const string OtherSecret = "whsec_ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7";

    [Fact]
    public void NoSettings_MeanNoDestinations() => Read().All.ShouldBeEmpty();

    [Fact]
    public void DestinationWhoseAddressAndSecretsAreEmpty_IsNone_ButOneWithoutAnAddressIsAFault()
    {
        Read(("0:Url", ""), ("0:Secrets", ""), ("0:AnsweredBy", "customer")).All.ShouldBeEmpty();
        FaultsOf(("0:Url", ""), ("0:Secrets", Secret)).ShouldContain("TeleCmi__Forward__0__Url");
    }

    [Fact]
    public void Destination_NeedsAnAddressAndASecret_TheRestHasDefaults()
    {
        var destination = Read(("0:Url", "https://crm.example.com/hooks"), ("0:Secrets", Secret)).All.ShouldHaveSingleItem();

        destination.Name.ShouldBe("crm_example_com");
        destination.Url.AbsoluteUri.ShouldBe("https://crm.example.com/hooks");
        destination.Timeout.ShouldBe(TimeSpan.FromSeconds(15));
        destination.OncePerConversation.ShouldBeFalse();
        destination.Accepts(Answer("a")).ShouldBeTrue();
        destination.Accepts(Answer("b")).ShouldBeTrue();
    }

    [Fact]
    public void Destinations_KeepTheOrderOfTheirNumbers() =>
        Read(
            ("10:Url", "https://c.example.com"), ("10:Secrets", Secret),
            ("2:Url", "https://b.example.com"), ("2:Secrets", Secret),
            ("0:Url", "https://a.example.com"), ("0:Secrets", Secret))
            .All.Select(destination => destination.Url.Host).ShouldBe(["a.example.com", "b.example.com", "c.example.com"]);

    [Theory]
    [InlineData("0:Secrets", Secret + ", " + OtherSecret, null, null)]
    [InlineData("0:Secrets:0", Secret, "0:Secrets:1", OtherSecret)]
    public void TwoSecrets_StandInOneSettingOrInTwo(string key, string value, string? key2, string? value2) =>
        Read(("0:Url", "https://crm.example.com"), (key, value), (key2 ?? "0:Name", value2 ?? "crm"))
            .All.ShouldHaveSingleItem().Secrets.Count.ShouldBe(2);

    [Theory]
    [InlineData("customer", false, true)]
    [InlineData("Agent", true, false)]
    [InlineData("both", true, true)]
    [InlineData("", true, true)]
    public void AnsweredBy_ChoosesTheLeg(string answeredBy, bool agent, bool customer)
    {
        var destination = ReadOne(("AnsweredBy", answeredBy));
        destination.Accepts(Answer("a")).ShouldBe(agent);
        destination.Accepts(Answer("b")).ShouldBe(customer);
    }

    [Fact]
    public void AnsweredByCustomer_LeavesOutAnAnswerWhoseLegIsUnknown() =>
        ReadOne(("AnsweredBy", "customer")).Accepts(Event("repo2019-event-outgoing-answered")).ShouldBeFalse();

    [Fact]
    public void OncePerConversation_TakesTheCustomersAnswersOnly()
    {
        var destination = ReadOne(("OncePerConversation", "true"));
        destination.OncePerConversation.ShouldBeTrue();
        destination.Accepts(Answer("a")).ShouldBeFalse();
        destination.Accepts(Answer("b")).ShouldBeTrue();
    }

    [Fact]
    public void Events_ChooseTheKinds()
    {
        var destination = ReadOne(("Events", "outgoing.hangup, cdr.outgoing.missed"));
        destination.Accepts(Event("chub-event-outgoing-hangup-a")).ShouldBeTrue();
        destination.Accepts(Event("chub-cdr-outgoing-missed-a")).ShouldBeTrue();
        destination.Accepts(Answer("a")).ShouldBeFalse();
    }

    [Theory]
    [InlineData("Url", "crm.example.com", "TeleCmi__Forward__0__Url: write the receiver's whole address")]
    [InlineData("Url", "ftp://crm.example.com", "TeleCmi__Forward__0__Url: write the receiver's whole address")]
    [InlineData("Url", "http://crm.example.com", "TeleCmi__Forward__0__Url: write https")]
    [InlineData("Url", "https://me:word@crm.example.com", "TeleCmi__Forward__0__Url: leave out the name and password")]
    [InlineData("Url", "https://10.1.2.3/", "TeleCmi__Forward__0__Url: 10.1.2.3 is not a public address")]
    [InlineData("Url", "https://[fd00::1]/", "such as fd00::1/128")]
    [InlineData("Url", "http://localhost:5000", "add its network to TeleCmi__Forward__AllowedNetworks, such as loopback")]
    [InlineData("Url", "https://2852039166/", "169.254.169.254 is not a public address")]
    [InlineData("Name", "my crm", "TeleCmi__Forward__0__Name: 'my crm' is invalid")]
    [InlineData("Secrets", "", "TeleCmi__Forward__0__Secrets: write one secret")]
    [InlineData("Secrets", "hunter2", "TeleCmi__Forward__0__Secrets: write one secret")]
    [InlineData("Secrets", Secret + ",short", "TeleCmi__Forward__0__Secrets: write one secret")]
    [InlineData("Secrets", Secret + "," + Secret + "," + Secret, "TeleCmi__Forward__0__Secrets: write one secret")]
    [InlineData("Events", "outgoing.anwsered", "TeleCmi__Forward__0__Events: 'outgoing.anwsered' is not a kind")]
    [InlineData("AnsweredBy", "boss", "TeleCmi__Forward__0__AnsweredBy: write agent (leg a), customer (leg b) or both")]
    [InlineData("Send", "call", "TeleCmi__Forward__0__Send: write events (each as it comes) or calls (each when it has ended)")]
    [InlineData("Send", "calls", "TeleCmi__Forward__0__Send: no event is accepted that says how a call ended; set TeleCmi__AcceptedEvents to *")]
    [InlineData("Outcomes", "reached", "TeleCmi__Forward__0__Outcomes: only calls have an outcome; set TeleCmi__Forward__0__Send to calls")]
    [InlineData("Timeout", "00:10:00", "TeleCmi__Forward__0__Timeout: 00:10:00 is outside")]
    [InlineData("MaxConcurrency", "0", "TeleCmi__Forward__0__MaxConcurrency: 0 is outside 1 to 100")]
    [InlineData("FirstAttemptTimeout", "00:00:05", "TeleCmi__Forward__0__FirstAttemptTimeout: there is no such setting. Did you mean TeleCmi__Forward__0__Timeout?")]
    [InlineData("OncePerConverstion", "true", "TeleCmi__Forward__0__OncePerConverstion: there is no such setting. Did you mean TeleCmi__Forward__0__OncePerConversation?")]
    public void WrongSetting_StopsTheApp_AndIsNamed(string key, string value, string expected) =>
        FaultsOf(("0:Url", "https://crm.example.com"), ("0:Secrets", Secret), ($"0:{key}", value)).ShouldContain(expected);

    [Fact]
    public void SettingOfTheWrongType_IsNamed() =>
        Should.Throw<InvalidOperationException>(() => ReadOne(("Timeout", "soon"))).Message.ShouldContain("TeleCmi:Forward:0:Timeout");

    [Fact]
    public void OncePerConversation_ForTheAgent_IsAContradiction() =>
        FaultsOf(("0:Url", "https://crm.example.com"), ("0:Secrets", Secret), ("0:OncePerConversation", "true"), ("0:AnsweredBy", "agent"))
            .ShouldContain("TeleCmi__Forward__0__OncePerConversation");

    [Fact]
    public void AnsweredBy_WithKindsThatNobodyAnswers_IsAContradiction() =>
        FaultsOf(("0:Url", "https://crm.example.com"), ("0:Secrets", Secret), ("0:AnsweredBy", "customer"), ("0:Events", "outgoing.answered,outgoing.hangup"))
            .ShouldContain("TeleCmi__Forward__0__Events: who answered is known of outgoing.answered only");

    [Fact]
    public void TwoDestinationsWithOneName_AreRefused() =>
        FaultsOf(("0:Url", "https://crm.example.com/a"), ("0:Secrets", Secret), ("1:Url", "https://crm.example.com/b"), ("1:Secrets", Secret))
            .ShouldContain("TeleCmi__Forward__1__Name: another destination is called 'crm_example_com' too");

    [Theory]
    [InlineData("AllowedNetwork", "loopback", "TeleCmi__Forward__AllowedNetwork: there is no such setting. Did you mean TeleCmi__Forward__AllowedNetworks?")]
    [InlineData("SettleTime", "00:11:00", "TeleCmi__Forward__SettleTime: 00:11:00 is outside 00:00:01 to 00:10:00")]
    [InlineData("FirstAttemptTimeout", "00:01:00", "TeleCmi__Forward__FirstAttemptTimeout: 00:01:00 is outside 00:00:01 to 00:00:30")]
    public void WrongSettingOfAllDestinations_IsNamed(string key, string value, string expected) => FaultsOf((key, value)).ShouldContain(expected);

    [Theory]
    [InlineData("FirstAttemptTimeout")]
    [InlineData("SettleTime")]
    [InlineData("0:Send")]
    [InlineData("0:Outcomes")]
    [InlineData("0:Timeout")]
    [InlineData("0:MaxConcurrency")]
    [InlineData("0:OncePerConversation")]
    [InlineData("0:AllowHttp")]
    [InlineData("0:Name")]
    [InlineData("0:AnsweredBy")]
    public void EmptySetting_IsOneThatIsNotSet(string key) =>
        Read(("0:Url", "https://crm.example.com"), ("0:Secrets", Secret), (key, "")).All.ShouldHaveSingleItem().Timeout.ShouldBe(TimeSpan.FromSeconds(15));

    [Theory]
    [InlineData("*", "reached,missed")]
    [InlineData("outgoing.answered,cdr.outgoing.answered", "")]
    public void DestinationForCalls_GetsNoEvents_AndCallsByOutcome(string accepted, string outcomes)
    {
        var destination = ReadApp(("AcceptedEvents", accepted), ("Forward:0:Url", "https://crm.example.com"), ("Forward:0:Secrets", Secret), ("Forward:0:Send", "Calls"), ("Forward:0:Outcomes", outcomes))
            .All.ShouldHaveSingleItem();

        destination.SendsCalls.ShouldBeTrue();
        destination.Accepts(Answer("b")).ShouldBeFalse();
        destination.Accepts(Call(CallOutcome.Reached)).ShouldBeTrue();
        destination.Accepts(Call(CallOutcome.Busy)).ShouldBe(outcomes == "");
    }

    [Fact]
    public void DestinationForEvents_GetsNoCalls() => ReadOne(("Send", "events")).Accepts(Call(CallOutcome.Reached)).ShouldBeFalse();

    [Theory]
    [InlineData("Events", "outgoing.hangup", "TeleCmi__Forward__0__Send: Events, AnsweredBy and OncePerConversation choose events; of calls choose by Outcomes")]
    [InlineData("OncePerConversation", "true", "TeleCmi__Forward__0__Send: Events, AnsweredBy")]
    [InlineData("AnsweredBy", "customer", "TeleCmi__Forward__0__Send: Events, AnsweredBy")]
    [InlineData("Outcomes", "in_progress", "TeleCmi__Forward__0__Outcomes: 'in_progress' is not an outcome of a call that has ended")]
    public void WrongSettingOfADestinationForCalls_IsNamed(string key, string value, string expected) =>
        FaultsOf(("0:Url", "https://crm.example.com"), ("0:Secrets", Secret), ("0:Send", "calls"), ($"0:{key}", value)).ShouldContain(expected);

    [Fact]
    public void Lists_StandInOneSettingOrInSeveral()
    {
        var destination = Read(
            ("0:Url", "https://10.1.2.3"), ("0:Secrets", Secret), ("0:Events:0", "outgoing.hangup"), ("0:Events:1", "cdr.outgoing.missed"),
            ("AllowedNetworks:0", "loopback"), ("AllowedNetworks:1", "10.0.0.0/8")).All.ShouldHaveSingleItem();
        destination.Accepts(Event("chub-event-outgoing-hangup-a")).ShouldBeTrue();
        destination.Accepts(Event("chub-cdr-outgoing-missed-a")).ShouldBeTrue();
        destination.Accepts(Answer("a")).ShouldBeFalse();
    }

    [Fact]
    public void WrongNetwork_IsNamed() => FaultsOf(("AllowedNetworks", "10.0.0.0")).ShouldContain("TeleCmi__Forward__AllowedNetworks: '10.0.0.0'");

    [Fact]
    public void AllowedNetwork_LetsAPrivateAddressBeWritten() =>
        Read(("AllowedNetworks", "10.0.0.0/8,loopback"), ("0:Url", "https://10.1.2.3"), ("0:Secrets", Secret), ("1:Url", "http://localhost:5000"), ("1:Secrets", Secret))
            .All.Count.ShouldBe(2);

    [Fact]
    public void NoFault_RepeatsASecretOrAnAddress()
    {
        var faults = FaultsOf(("0:Url", "http://me:word@crm.example.com/hooks/path-secret?key=query-secret"), ("0:Secrets", "whsec_secret-itself"));
        faults.ShouldNotContain("path-secret");
        faults.ShouldNotContain("query-secret");
        faults.ShouldNotContain("word@");
        faults.ShouldNotContain("secret-itself");
    }

    private static ForwardDestination ReadOne(params (string Key, string Value)[] settings) =>
        Read([("0:Url", "https://crm.example.com"), ("0:Secrets", Secret), .. settings.Select(setting => ($"0:{setting.Key}", setting.Value))]).All.ShouldHaveSingleItem();

    private static string FaultsOf(params (string Key, string Value)[] settings) =>
        string.Join('\n', Should.Throw<OptionsValidationException>(() => Read(settings)).Failures);

    private static CallRecord Call(CallOutcome outcome) => new() { Id = "1:call:x", Outcome = outcome, StartedAt = default, Missing = [], Events = [] };

    private static ForwardDestinations Read(params (string Key, string Value)[] settings) =>
        ReadApp([.. settings.Select(setting => ($"Forward:{setting.Key}", setting.Value))]);

    private static ForwardDestinations ReadApp(params (string Key, string Value)[] settings) => DestinationsUnderTest.Read(settings);

    private static CallEvent Answer(string leg) => Event($"chub-event-outgoing-answered-{leg}");
}
