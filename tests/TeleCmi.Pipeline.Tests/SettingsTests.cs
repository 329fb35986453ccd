using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace TeleCmi.Pipeline.Tests;

public sealed class SettingsTests
{
    [Theory]
    [InlineData("TeleCmi:AccessTokens", "too-short", "TeleCmi__AccessTokens: each token needs at least 20 characters")]
    [InlineData("TeleCmi:AccessTokens", "twenty-characters-or-more,too-short", "TeleCmi__AccessTokens")]
    [InlineData("TeleCmi:AccessTokens", "twenty-characters-but-a/slash", "TeleCmi__AccessTokens")]
    [InlineData("TeleCmi:AcceptedEvents", "outgoing.answred", "TeleCmi__AcceptedEvents: 'outgoing.answred' is not a kind of event")]
    [InlineData("TeleCmi:AcceptedEvents", " , ", "TeleCmi__AcceptedEvents: name at least one kind")]
    [InlineData("TeleCmi:MaxEventBytes", "1023", "TeleCmi__MaxEventBytes: 1023 is outside 1024 to 24576")]
    [InlineData("TeleCmi:MaxEventBytes", "24577", "TeleCmi__MaxEventBytes")]
    [InlineData("TeleCmi:EnqueueDeadline", "00:00:00", "TeleCmi__EnqueueDeadline")]
    [InlineData("TeleCmi:HandlerDeadline", "01:00:00", "TeleCmi__HandlerDeadline")]
    [InlineData("TeleCmi:TraceSamplingRatio", "0", "TeleCmi__TraceSamplingRatio: write the share of traces to keep")]
    [InlineData("TeleCmi:TraceSamplingRatio", "1.01", "TeleCmi__TraceSamplingRatio")]
    [InlineData("TeleCmi:TraceSamplingRatio", "-0.5", "TeleCmi__TraceSamplingRatio")]
    [InlineData("TeleCmi:TraceSamplingRatio", "NaN", "TeleCmi__TraceSamplingRatio")]
    [InlineData("TeleCmiEventsQueue", "Upper", "TeleCmiEventsQueue: 'Upper' is not a queue name")]
    [InlineData("TeleCmiEventsQueue", "two--hyphens", "TeleCmiEventsQueue")]
    [InlineData("TeleCmiForwardsQueue", "telecmi-events", "TeleCmiForwardsQueue: must be another queue than TeleCmiEventsQueue")]
    [InlineData("TeleCmi:AcceptedEvent", "*", "TeleCmi__AcceptedEvent: there is no such setting. Did you mean TeleCmi__AcceptedEvents?")]
    [InlineData("TeleCmi:AppID", "7", "TeleCmi__AppID: there is no such setting. Did you mean TeleCmi__AppIds?")]
    [InlineData("TeleCmi:Forwards:0:Url", "https://crm.example.com", "TeleCmi__Forwards: there is no such setting. Did you mean TeleCmi__Forward?")]
    public void WrongSetting_StopsTheStart_AndIsNamed(string name, string value, string expected) =>
        Should.Throw<OptionsValidationException>(() => Validate((name, value))).Message.ShouldContain(expected);

    [Theory]
    [InlineData("TeleCmi:MaxEventBytes", "many")]
    [InlineData("TeleCmi:TraceSamplingRatio", "half")]
    public void SettingOfTheWrongType_StopsTheStart_AndIsNamed(string name, string value) =>
        Should.Throw<InvalidOperationException>(() => Validate((name, value))).Message.ShouldContain(name);

    [Theory]
    [InlineData("AccessTokens", "short-secret")]
    [InlineData("AccessTokens", "long-enough-but-with/slash")]
    public void WrongSecret_IsNotInTheMessage(string name, string secret) =>
        Should.Throw<OptionsValidationException>(() => Validate(($"TeleCmi:{name}", secret))).Message.ShouldNotContain(secret);

    [Theory]
    [InlineData("TeleCmi:MaxEventBytes", "24576")]
    [InlineData("TeleCmi:MaxEventBytes", "")]
    [InlineData("TeleCmi:EnqueueDeadline", "")]
    [InlineData("TeleCmi:TraceSamplingRatio", "")]
    [InlineData("TeleCmi:TraceSamplingRatio", "0.25")]
    [InlineData("TeleCmi:AccessTokens", "first-token-of-at-least-twenty, second.token_of~at-least-twenty")]
    [InlineData("TeleCmi:AcceptedEvents", "*")]
    [InlineData("telecmi:acceptedevents", "*")]
    [InlineData("TeleCmiEventsQueue", "other-events")]
    [InlineData("TeleCmiEventsQueue", "")]
    public void RightSetting_LetsItStart(string name, string value) => Should.NotThrow(() => Validate((name, value)));

    [Fact]
    public void Lists_StandInOneSettingOrInSeveral()
    {
        Read(("TeleCmi:AppIds", " 7, ,8 ,")).AppIds.ShouldBe(["7", "8"]);
        Read(("TeleCmi:AppIds:0", "7"), ("TeleCmi:AppIds:1", "8,9")).AppIds.ShouldBe(["7", "8", "9"]);
        Read(("TeleCmi:AcceptedEvents:0", "outgoing.hangup")).AcceptedEvents.ShouldBe(["outgoing.hangup"], "what is set replaces the default");
        Read(("TeleCmi:AccessTokens:0", "first-token-of-at-least-twenty")).AccessTokens.ShouldHaveSingleItem();
        Read().AcceptedEvents.ShouldBe(["outgoing.answered"]);
    }

    private static TeleCmiOptions Read(params (string Name, string Value)[] settings)
    {
        using var services = new PipelineUnderTest(settings: settings).Services;
        return services.GetRequiredService<IOptions<TeleCmiOptions>>().Value;
    }

    private static void Validate(params (string Name, string Value)[] settings)
    {
        using var services = new PipelineUnderTest(settings: settings).Services;
        services.GetRequiredService<IStartupValidator>().Validate();
    }
}
