using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace TeleCmi.Infra.Tests;

/// <summary>The Kusto queries of the workbook and the alert rules, as they stand in the repository.</summary>
internal static partial class Queries
{
    /// <summary>The workbook's queries by the name of their tile, the alert rules' by that of their file.</summary>
    public static IReadOnlyDictionary<string, string> All { get; } = Read();

    public static JsonNode Workbook => JsonNode.Parse(Repository.Read("infra/workbook.json"))!;

    /// <summary>What stands between quotation marks in a query, but for property names.</summary>
    public static IEnumerable<string> Values(string query) =>
        Literal().Matches(PropertyName().Replace(query, "")).Select(match => match.Groups["text"].Value);

    /// <summary>The attributes that a query reads.</summary>
    public static IEnumerable<string> Properties(string query) =>
        PropertyName().Matches(query).Select(match => match.Groups["name"].Value);

    public static async Task<IReadOnlyDictionary<string, QueryCheck>> CheckAsync(IEnumerable<KeyValuePair<string, string>> queries)
    {
        var result = await Tool.NodeAsync("check-queries.cjs", JsonSerializer.Serialize(queries.ToDictionary(StringComparer.Ordinal)));
        return JsonSerializer.Deserialize<Dictionary<string, QueryCheck>>(result.OutputOfSuccess(), JsonSerializerOptions.Web)!;
    }

    private static Dictionary<string, string> Read()
    {
        var queries = Workbook["items"]!.AsArray().Where(item => (int)item!["type"]! == 3)
            .ToDictionary(item => (string)item!["name"]!, item => (string)item!["content"]!["query"]!, StringComparer.Ordinal);
        foreach (var file in Repository.Files("infra/alerts", "*.kql"))
        {
            queries.Add($"alert: {Path.GetFileNameWithoutExtension(file)}", Repository.Read(file).Trim());
        }

        return queries;
    }

    [GeneratedRegex("Properties(\\.(?<name>\\w+)|\\[\"(?<name>[^\"]+)\"\\])", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex PropertyName();

    [GeneratedRegex("\"(?<text>[^\"]*)\"", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Literal();
}

internal sealed record QueryCheck(IReadOnlyList<string> Faults, IReadOnlyList<string> Columns);
