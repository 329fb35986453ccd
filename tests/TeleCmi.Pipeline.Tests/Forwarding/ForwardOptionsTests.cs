using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TeleCmi.Events;
using TeleCmi.Events.Samples;
using TeleCmi.Pipeline.Forwarding;

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
        destination.Takes(Answer("a")).ShouldBeTrue();
        destination.Takes(Answer("b")).ShouldBeTrue();
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
        destination.Takes(Answer("a")).ShouldBe(agent);
        destination.Takes(Answer("b")).ShouldBe(customer);
    }

    [Fact]
    public void AnsweredByCustomer_LeavesOutAnAnswerWhoseLegIsUnknown() =>
        ReadOne(("AnsweredBy", "customer")).Takes(Event("repo2019-event-outgoing-answered")).ShouldBeFalse();

    [Fact]
    public void OncePerConversation_TakesTheCustomersAnswersOnly()
    {
        var destination = ReadOne(("OncePerConversation", "true"));
        destination.OncePerConversation.ShouldBeTrue();
        destination.Takes(Answer("a")).ShouldBeFalse();
        destination.Takes(Answer("b")).ShouldBeTrue();
    }

    [Fact]
    public void Events_ChooseTheKinds()
    {
        var destination = ReadOne(("Events", "outgoing.hangup, cdr.outgoing.missed"));
        destination.Takes(Event("chub-event-outgoing-hangup-a")).ShouldBeTrue();
        destination.Takes(Event("chub-cdr-outgoing-missed-a")).ShouldBeTrue();
        destination.Takes(Answer("a")).ShouldBeFalse();
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
    [InlineData("Name", "my crm", "TeleCmi__Forward__0__Name: 'my crm' will not do")]
    [InlineData("Secrets", "", "TeleCmi__Forward__0__Secrets: write one secret")]
    [InlineData("Secrets", "hunter2", "TeleCmi__Forward__0__Secrets: write one secret")]
    [InlineData("Secrets", Secret + ",short", "TeleCmi__Forward__0__Secrets: write one secret")]
    [InlineData("Secrets", Secret + "," + Secret + "," + Secret, "TeleCmi__Forward__0__Secrets: write one secret")]
    [InlineData("Events", "outgoing.anwsered", "TeleCmi__Forward__0__Events: 'outgoing.anwsered' is not a kind")]
    [InlineData("AnsweredBy", "boss", "TeleCmi__Forward__0__AnsweredBy: write agent (leg a), customer (leg b) or both")]
    [InlineData("Timeout", "00:10:00", "TeleCmi__Forward__0__Timeout: 00:10:00 is outside")]
    [InlineData("MaxConcurrency", "0", "TeleCmi__Forward__0__MaxConcurrency: 0 is outside 1 to 100")]
    [InlineData("OncePerConverstion", "true", "TeleCmi__Forward__0__OncePerConverstion: there is no such setting")]
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

    private static ForwardDestinations Read(params (string Key, string Value)[] settings)
    {
        var inMemory = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in settings)
        {
            inMemory[$"TeleCmi:Forward:{key}"] = value;
        }

        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(inMemory)
            .Build());
        services.AddLogging();
        services.AddTeleCmiPipeline();
        return services.BuildServiceProvider().GetRequiredService<ForwardDestinations>();
    }

    private static CallEvent Answer(string leg) => Event($"chub-event-outgoing-answered-{leg}");

    private static CallEvent Event(string sample)
    {
        Notice.TryRead(DocumentedNotices.Load().Single(notice => notice.Name == sample).Utf8, out var notice, out _).ShouldBeTrue();
        return new CallEvent { Id = notice.Id, Kind = notice.Kind, ReceivedAt = default, Notice = notice, Envelope = default };
    }
}
