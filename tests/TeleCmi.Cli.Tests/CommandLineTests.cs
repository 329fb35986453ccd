using TeleCmi.TestSupport;

namespace TeleCmi.Cli.Tests;

public sealed class CommandLineTests(AzuriteFixture azurite)
{
    [Theory]
    [InlineData]
    [InlineData("unknown")]
    [InlineData("journal")]
    [InlineData("status", "--unknown")]
    [InlineData("journal", "list", "--day", "yesterday")]
    [InlineData("journal", "list", "--limit", "0")]
    [InlineData("journal", "list", "--day", "2026-03-01", "--from", "2026-03-01")]
    public async Task WrongCommandLine_IsAUsageError(params string[] args)
    {
        var result = await new Operator(azurite.NewStorage()).RunAsync(args);
        result.ExitCode.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Help_IsFine() =>
        (await new Operator(azurite.NewStorage()).RunAsync("dead-letters", "replay", "--help")).ExitCode.ShouldBe(ExitCodes.Fine);

    [Theory]
    [InlineData("status")]
    [InlineData("journal", "list")]
    [InlineData("journal", "export")]
    [InlineData("dead-letters", "list")]
    [InlineData("dead-letters", "replay", "--all")]
    public async Task WithoutStorage_TheMessageNamesTheSetting(params string[] args)
    {
        var unset = new Operator("");
        var result = await unset.RunAsync(args);
        result.ExitCode.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldContain("TeleCmiStorage");
        result.Error.ShouldContain("--storage");
    }

    [Fact]
    public async Task StorageOnTheCommandLine_GoesBeforeTheSetting()
    {
        var misconfigured = new Operator("nonsense");
        (await misconfigured.RunAsync("status")).ExitCode.ShouldBe(ExitCodes.Usage);
        (await misconfigured.RunAsync("status", "--storage", azurite.NewStorage())).ExitCode.ShouldBe(ExitCodes.Fine);
    }

    [Fact]
    public async Task WrongStorageSetting_IsNotRepeated()
    {
        var result = await new Operator("AccountName=x;AccountKey=c2VjcmV0LWtleQ==;nonsense").RunAsync("status");
        result.ExitCode.ShouldBe(ExitCodes.Usage);
        (result.Out + result.Error).ShouldNotContain("c2VjcmV0LWtleQ");
    }

    [Fact]
    public async Task QueueNames_AreTheAppsSettings()
    {
        var other = new Operator(azurite.NewStorage());
        other.Settings["TeleCmiEventsQueue"] = "other-events";
        (await other.RunAsync("status")).Out.ShouldContain("other-events-poison");
    }

    [Fact]
    public async Task StorageThatDoesNotAnswer_IsAFailureWithAMessage()
    {
        var unreachable = new Operator("DefaultEndpointsProtocol=http;AccountName=x;AccountKey=c2VjcmV0LWtleQ==;QueueEndpoint=http://127.0.0.1:1/x;TableEndpoint=http://127.0.0.1:1/x");
        var result = await unreachable.RunAsync("status");
        result.ExitCode.ShouldBe(ExitCodes.Failed);
        result.Error.ShouldContain("Storage does not answer");
        result.Error.ShouldNotContain("c2VjcmV0LWtleQ");
    }

    [Fact]
    public async Task ForbiddenStorage_IsAFailureWithAMessage()
    {
        var storage = azurite.NewStorage().Replace("AccountKey=a2V5", "AccountKey=b3RoZXI=", StringComparison.Ordinal);
        var result = await new Operator(storage).RunAsync("journal", "list");
        result.ExitCode.ShouldBe(ExitCodes.Failed);
        result.Error.ShouldContain("Storage refused: 403");
    }
}
