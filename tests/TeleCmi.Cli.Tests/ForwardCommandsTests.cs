namespace TeleCmi.Cli.Tests;

public sealed class ForwardCommandsTests
{
    private const string Secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    private readonly Operator _operator = new() { Store = null };

    [Fact]
    public async Task Test_SendsASignedSample_AndNeedsNoStorage()
    {
        await using var crm = await CrmAsync(204);

        var result = await _operator.RunAsync("forward", "test", "--url", crm.Url, "--secret", Secret, "--allow-network", "loopback");

        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        result.Out.ShouldContain("forward-test-");
        result.Out.ShouldContain("204");
        result.Out.ShouldContain("A real event would be done.");
        (result.Out + result.Error).ShouldNotContain(Secret);
    }

    [Fact]
    public async Task Test_WithoutASecret_MakesOne_AndShowsIt()
    {
        await using var crm = await CrmAsync(204);

        var result = await _operator.RunAsync("forward", "test", "--url", crm.Url, "--allow-network", "loopback");

        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        result.Error.ShouldContain("whsec_");
    }

    [Fact]
    public async Task Test_ThatIsRefused_SaysWhatToCheck()
    {
        await using var crm = await CrmAsync(401);

        var result = await _operator.RunAsync("forward", "test", "--url", crm.Url, "--secret", Secret, "--allow-network", "loopback", "--json");

        result.ExitCode.ShouldBe(ExitCodes.Failed);
        result.Json.GetProperty("status").GetInt32().ShouldBe(401);
        result.Json.GetProperty("delivered").GetBoolean().ShouldBeFalse();
        result.Json.GetProperty("explanation").GetString().ShouldNotBeNull().ShouldContain("the same secret");
    }

    [Fact]
    public async Task Test_OfADestinationInTheSettings_GoesByItsName()
    {
        await using var crm = await CrmAsync(200);
        _operator.Settings["TeleCmi:Forward:AllowedNetworks"] = "loopback";
        _operator.Settings["TeleCmi:Forward:0:Url"] = crm.Url;
        _operator.Settings["TeleCmi:Forward:0:Name"] = "crm";
        _operator.Settings["TeleCmi:Forward:0:Secrets"] = Secret;

        (await _operator.RunAsync("forward", "test", "--name", "crm")).ExitCode.ShouldBe(ExitCodes.Fine);
        var unknown = await _operator.RunAsync("forward", "test", "--name", "erp");
        unknown.ExitCode.ShouldBe(ExitCodes.Usage);
        unknown.Error.ShouldContain("there are: crm");
    }

    [Theory]
    [InlineData("Say where to", "forward", "test")]
    [InlineData("Say where to", "forward", "test", "--url", "https://crm.example.com", "--name", "crm")]
    [InlineData("Url: write https", "forward", "test", "--url", "http://crm.example.com", "--secret", Secret)]
    [InlineData("such as loopback", "forward", "test", "--url", "http://localhost:5000", "--secret", Secret)]
    [InlineData("Secrets: write one secret", "forward", "test", "--url", "https://crm.example.com", "--secret", "hunter2")]
    [InlineData("'nonsense' is not a network", "forward", "test", "--url", "https://crm.example.com", "--allow-network", "nonsense")]
    public async Task WrongCommandLine_IsAUsageError(string message, params string[] args)
    {
        var result = await _operator.RunAsync(args);
        result.ExitCode.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldContain(message);
    }

    private static Task<TestServer> CrmAsync(int status) => TestServer.StartAsync("/hooks", context =>
    {
        context.Response.StatusCode = context.Request.Headers.ContainsKey("webhook-signature") ? status : 500;
        return Task.CompletedTask;
    });
}
