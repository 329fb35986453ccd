using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TeleCmi.TestSupport;

namespace TeleCmi.Pipeline.Tests;

public sealed class SettingsTests(AzuriteFixture azurite)
{
    [Theory]
    [InlineData("TeleCmi:AccessTokens", "too-short", "TeleCmi__AccessTokens")]
    [InlineData("TeleCmi:AccessTokens", "twenty-characters-or-more,too-short", "TeleCmi__AccessTokens")]
    [InlineData("TeleCmi:AccessTokens", "twenty-characters-but-a/slash", "TeleCmi__AccessTokens")]
    [InlineData("TeleCmi:AcceptedEvents", "outgoing.answred", "TeleCmi__AcceptedEvents")]
    [InlineData("TeleCmi:AcceptedEvents", " , ", "TeleCmi__AcceptedEvents")]
    [InlineData("TeleCmi:MaxEventBytes", "1023", "TeleCmi__MaxEventBytes")]
    [InlineData("TeleCmi:MaxEventBytes", "24577", "TeleCmi__MaxEventBytes")]
    [InlineData("TeleCmi:EnqueueDeadline", "00:00:00", "TeleCmi__EnqueueDeadline")]
    [InlineData("TeleCmi:HandlerDeadline", "01:00:00", "TeleCmi__HandlerDeadline")]
    [InlineData("TeleCmiStorage", "not a connection string", "TeleCmiStorage")]
    [InlineData("TeleCmiStorage", "AccountName=x;AccountKey=!!!", "TeleCmiStorage")]
    [InlineData("TeleCmiStorage", "", "TeleCmiStorage")]
    [InlineData("TeleCmiEventsQueue", "Upper", "TeleCmiEventsQueue")]
    [InlineData("TeleCmiEventsQueue", "two--hyphens", "TeleCmiEventsQueue")]
    [InlineData("TeleCmiPoisonQueue", "elsewhere", "TeleCmiPoisonQueue")]
    public void AWrongValue_StopsTheStartWithAMessageThatNamesTheSetting(string name, string value, string setting)
    {
        var fault = Should.Throw<OptionsValidationException>(() => Validate((name, value)));

        fault.Message.ShouldContain(setting);
    }

    [Theory]
    [InlineData("AccessTokens", "short-secret")]
    [InlineData("AccessTokens", "long-enough-but-with/slash")]
    public void AWrongSecret_IsNotInTheMessage(string name, string secret) =>
        Should.Throw<OptionsValidationException>(() => Validate(($"TeleCmi:{name}", secret))).Message.ShouldNotContain(secret);

    [Fact]
    public void AWrongConnectionString_IsNotInTheMessage() =>
        Should.Throw<OptionsValidationException>(() => Validate(("TeleCmiStorage", "AccountKey=c2VjcmV0"))).Message.ShouldNotContain("c2VjcmV0");

    [Theory]
    [InlineData("TeleCmi:MaxEventBytes", "24576")]
    [InlineData("TeleCmi:AccessTokens", "first-token-of-at-least-twenty, second.token_of~at-least-twenty")]
    [InlineData("TeleCmi:AcceptedEvents", "*")]
    [InlineData("TeleCmiEventsQueue", "other-events")]
    public void ARightValue_LetsItStart(string name, string value) => Should.NotThrow(() => Validate((name, value)));

    [Fact]
    public void AnIdentity_NeedsBothAddresses()
    {
        (string, string) none = ("TeleCmiStorage", "");
        (string, string) queues = ("TeleCmiStorage:queueServiceUri", "https://account.queue.core.windows.net");
        (string, string) tables = ("TeleCmiStorage:tableServiceUri", "https://account.table.core.windows.net");

        Should.Throw<OptionsValidationException>(() => Validate(none, queues)).Message.ShouldContain("TeleCmiStorage__tableServiceUri");
        Should.Throw<OptionsValidationException>(() => Validate(none, ("TeleCmiStorage:queueServiceUri", "http://account.example"), tables)).Message.ShouldContain("TeleCmiStorage__queueServiceUri");
        Should.Throw<OptionsValidationException>(() => Validate(none, queues, tables, ("TeleCmiStorage:credential", "key"))).Message.ShouldContain("TeleCmiStorage__credential");
        Should.NotThrow(() => Validate(none, queues, tables, ("TeleCmiStorage:credential", "managedidentity")));
        Should.NotThrow(() => Validate(none, ("TeleCmiStorage:accountName", "account")));
    }

    private void Validate(params (string Name, string Value)[] settings)
    {
        using var services = new PipelineUnderTest(azurite.NewStorage(), settings: settings).Services;
        services.GetRequiredService<IStartupValidator>().Validate();
    }
}
