namespace TeleCmi.Functions.Tests;

/// <summary>What a wrong setting does: the app stops at its start, and says which one and what to write.</summary>
public sealed class StartTests
{
    [Theory]
    [InlineData("TeleCmiEventsQueue", null, "Set it to telecmi-events.")]
    [InlineData("TeleCmiEventsQueue", " ", "Set it to telecmi-events.")]
    [InlineData("TeleCmiForwardsQueue", null, "Set it to telecmi-forwards.")]
    [InlineData("TeleCmiStorage", null, "Write a storage connection string")]
    public async Task MissingSetting_StopsTheApp_AndSaysWhatToWrite(string setting, string? value, string fix)
    {
        var fault = await FaultOfAsync((setting, value));

        fault.ShouldContain($"{setting}: not set");
        fault.ShouldContain(fix);
    }

    [Theory]
    [InlineData("TeleCmi__AccessTokens", "too-short")]
    [InlineData("TeleCmi__AcceptedEvents", "outgoing.answer")]
    [InlineData("TeleCmi__MaxEventBytes", "1000000")]
    [InlineData("TeleCmi__AcceptedEvent", "*")]
    [InlineData("TeleCmi__Forward__0__Url", "crm.example.com")]
    [InlineData("TeleCmi__TraceSamplingRatio", "0")]
    [InlineData("TeleCmiStorage", "not a connection string")]
    [InlineData("TeleCmiStorage", "AccountName=x;AccountKey=!!!")]
    [InlineData("TeleCmiStorage", "AccountKey=c2VjcmV0")]
    public async Task WrongValue_StopsTheApp_AndIsNamed(string setting, string value)
    {
        var fault = await FaultOfAsync((setting, value));

        fault.ShouldContain($"{setting}: ");
        fault.ShouldNotContain("c2VjcmV0", Case.Sensitive, "a key is a secret");
    }

    [Fact]
    public async Task Schedule_IsNeededOnlyWhereCallsAreReconciled()
    {
        (string, string?)[] reports = [("TeleCmi__AcceptedEvents", "*"), ("TeleCmi__Reconcile__AppId", "2223343"), ("TeleCmi__Reconcile__Secret", "a-secret")];

        (await FaultOfAsync(("TeleCmiReconcileSchedule", null))).ShouldBe("");
        (await FaultOfAsync([.. reports, ("TeleCmiReconcileSchedule", " ")])).ShouldContain("TeleCmiReconcileSchedule: not set");
        (await FaultOfAsync([.. reports, ("TeleCmiReconcileSchedule", "0 10 * * * *")])).ShouldBe("");
    }

    [Fact]
    public async Task Identity_NeedsBothAddresses()
    {
        (string, string) none = ("TeleCmiStorage", "");
        (string, string) queues = ("TeleCmiStorage__queueServiceUri", "https://account.queue.core.windows.net");
        (string, string) tables = ("TeleCmiStorage__tableServiceUri", "https://account.table.core.windows.net");

        (await FaultOfAsync(none, queues)).ShouldContain("TeleCmiStorage__tableServiceUri");
        (await FaultOfAsync(none, ("TeleCmiStorage__queueServiceUri", "http://account.example"), tables)).ShouldContain("TeleCmiStorage__queueServiceUri");
        (await FaultOfAsync(none, queues, tables, ("TeleCmiStorage__credential", "key"))).ShouldContain("TeleCmiStorage__credential");
        (await FaultOfAsync(none, queues, tables, ("TeleCmiStorage__credential", "managedidentity"))).ShouldBe("");
        (await FaultOfAsync(none, ("TeleCmiStorage__accountName", "account"))).ShouldBe("");
    }

    // Empty when the app starts.
    private static async Task<string> FaultOfAsync(params (string Name, string? Value)[] changes)
    {
        var settings = RunningApp.Settings();
        foreach (var (name, value) in changes)
        {
            settings.Remove(name);
            if (value is not null)
            {
                settings[name] = value;
            }
        }

        try
        {
            await using var app = await RunningApp.StartAsync(settings);
            return "";
        }
        catch (Exception e)
        {
            return e.Message;
        }
    }
}
