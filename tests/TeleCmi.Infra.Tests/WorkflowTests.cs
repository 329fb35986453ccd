using System.Text.RegularExpressions;

namespace TeleCmi.Infra.Tests;

public sealed partial class WorkflowTests
{
    public static TheoryData<string> Workflows => [.. Repository.Files(".github/workflows", "*.yml")];

    [Fact]
    public async Task Actionlint_finds_nothing_wrong()
    {
        var files = Repository.Files(".github/workflows", "*.yml");
        files.ShouldNotBeEmpty();
        (await Tool.NodeAsync("check-workflows.cjs", input: "", [.. files])).OutputOfSuccess().ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Workflows))]
    public void Actions_are_pinned_by_commit_with_their_version_beside_it(string file)
    {
        var uses = Uses().Matches(Repository.Read(file)).Select(match => match.Value.Trim()).ToList();

        uses.ShouldNotBeEmpty();
        uses.ShouldAllBe(line => Pinned().IsMatch(line));
    }

    [Theory]
    [MemberData(nameof(Workflows))]
    public void Nothing_is_permitted_unless_a_job_asks_for_it_and_no_secret_is_used(string file)
    {
        var text = Repository.Read(file);

        text.ShouldContain("\npermissions: {}\n");
        text.ShouldNotContain("secrets.");
    }

    [GeneratedRegex(@"^ *(- )?uses:.*$", RegexOptions.Multiline | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Uses();

    [GeneratedRegex(@"^(- )?uses: [\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+(\.\d+)*$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Pinned();
}
