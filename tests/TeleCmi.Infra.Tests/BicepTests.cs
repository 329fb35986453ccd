using System.Text.Json.Nodes;

namespace TeleCmi.Infra.Tests;

public sealed class BicepTests
{
    private static readonly Lazy<Task<JsonNode>> Compiled =
        new(async () => JsonNode.Parse((await Tool.BicepAsync("build", "main.bicep", "--stdout")).OutputOfSuccess())!);

    public static TheoryData<string> Templates => [.. Repository.Files("infra", "*.bicep")];

    [Fact]
    public async Task EveryTemplate_CompilesAndLintsWithoutAWord() =>
        (await Tool.BicepAsync("lint", "--pattern", "**/*.bicep")).OutputOfSuccess().ShouldBeEmpty();

    [Theory]
    [MemberData(nameof(Templates))]
    public async Task Templates_AreFormattedAsTheCompilerWould(string file) =>
        (await Tool.BicepAsync("format", Repository.PathOf(file), "--stdout")).OutputOfSuccess().ReplaceLineEndings("\n")
            .ShouldBe(Repository.Read(file).TrimEnd());

    [Fact]
    public async Task NoSecret_LeavesTheTemplates()
    {
        var template = await Compiled.Value;

        foreach (var (path, node) in Walk(template, "$"))
        {
            if (node is JsonValue value && value.TryGetValue<string>(out var text) && text.StartsWith('['))
            {
                text.ShouldNotMatch(@"\blist\w*\(", $"{path} reads keys");
                if (path.Contains(".outputs.", StringComparison.Ordinal))
                {
                    text.ShouldNotMatch("(?i)key|secret|token|connectionstring|password", path);
                }
            }
        }

        var secrets = template["parameters"]!.AsObject()
            .Where(parameter => parameter.Key.Contains("token", StringComparison.OrdinalIgnoreCase) || parameter.Key.Contains("secret", StringComparison.OrdinalIgnoreCase)).ToList();
        secrets.Count.ShouldBe(3);
        foreach (var (name, secret) in secrets)
        {
            ((string?)secret!["type"]).ShouldBe("securestring", name);
            ((string?)secret["defaultValue"]).ShouldBe("", name);
        }
    }

    [Fact]
    public async Task Azd_CanSetEveryParameterAndNoOther()
    {
        var template = await Compiled.Value;
        var parameters = JsonNode.Parse(Repository.Read("infra/main.parameters.json"))!["parameters"]!.AsObject();

        parameters.Select(parameter => parameter.Key).ShouldBe(
            template["parameters"]!.AsObject().Select(parameter => parameter.Key), ignoreOrder: true);
        var variables = parameters.Select(parameter => (string)parameter.Value!["value"]!).ToList();
        variables.Distinct(StringComparer.Ordinal).Count().ShouldBe(variables.Count);
        variables.ShouldAllBe(value => value.StartsWith("${", StringComparison.Ordinal) && value.EndsWith('}'));
        variables.Where(value => !Repository.Read("docs/deploy.md").Contains($"`{value[2..^1]}`", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    private static IEnumerable<(string Path, JsonNode Node)> Walk(JsonNode node, string path)
    {
        yield return (path, node);
        var children = node switch
        {
            JsonObject o => o.Where(child => child.Value is not null).Select(child => (Path: $"{path}.{child.Key}", Node: child.Value!)),
            JsonArray a => a.Where(child => child is not null).Select((child, i) => (Path: $"{path}[{i}]", Node: child!)),
            _ => [],
        };
        foreach (var child in children)
        {
            foreach (var inner in Walk(child.Node, child.Path))
            {
                yield return inner;
            }
        }
    }
}
