using System.Text.Json;
using System.Text.Json.Nodes;

namespace TeleCmi.Infra.Tests;

/// <summary>The Kusto queries of the workbook and the alert rules, as they stand in the repository.</summary>
internal static class Queries
{
    private const string AlertPrefix = "alert: ";

    /// <summary>The workbook's queries by the name of their tile, the alert rules' by that of their file.</summary>
    public static IReadOnlyDictionary<string, string> All { get; } = Read();

    public static IEnumerable<KeyValuePair<string, string>> OfTheWorkbook => All.Where(query => !query.Key.StartsWith(AlertPrefix, StringComparison.Ordinal));

    public static JsonNode Workbook => JsonNode.Parse(Repository.Read("infra/workbook.json"))!;

    /// <summary>What Microsoft's own parser says of each query, with the tables of Azure Monitor or with none.</summary>
    public static async Task<IReadOnlyDictionary<string, QueryCheck>> CheckAsync(IEnumerable<KeyValuePair<string, string>> queries, bool withTables = true)
    {
        var result = await Tool.NodeAsync(
            "check-queries.cjs",
            JsonSerializer.Serialize(queries.ToDictionary(StringComparer.Ordinal)),
            withTables ? [] : ["--without-tables"]);
        return JsonSerializer.Deserialize<Dictionary<string, QueryCheck>>(result.OutputOfSuccess(), JsonSerializerOptions.Web)!;
    }

    private static Dictionary<string, string> Read()
    {
        var queries = Workbook["items"]!.AsArray().Where(item => (int)item!["type"]! == 3)
            .ToDictionary(item => (string)item!["name"]!, item => (string)item!["content"]!["query"]!, StringComparer.Ordinal);
        foreach (var file in Repository.Files("infra/alerts", "*.kql"))
        {
            queries.Add($"{AlertPrefix}{Path.GetFileNameWithoutExtension(file)}", Repository.Read(file).Trim());
        }

        return queries;
    }
}

/// <param name="Faults">What the parser and binder object to.</param>
/// <param name="Columns">What the query returns.</param>
/// <param name="Properties">The attributes that it reads.</param>
/// <param name="Comparisons">What it compares with text.</param>
/// <param name="Calls">The functions that it uses.</param>
internal sealed record QueryCheck(
    IReadOnlyList<string> Faults,
    IReadOnlyList<string> Columns,
    IReadOnlyList<string> Properties,
    IReadOnlyList<QueryComparison> Comparisons,
    IReadOnlyList<string> Calls)
{
    /// <summary>The texts that a column, or the attribute it holds, is compared with.</summary>
    public IEnumerable<string> ComparedWith(string column) =>
        Comparisons.Where(comparison => comparison.Of == column).SelectMany(comparison => comparison.Values);
}

/// <param name="Of">The column, or the attribute that it holds.</param>
/// <param name="Values">The texts.</param>
internal sealed record QueryComparison(string Of, IReadOnlyList<string> Values);
