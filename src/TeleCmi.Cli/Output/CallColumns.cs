using System.Globalization;
using System.Text.Json;
using TeleCmi.Pipeline.Calls;

namespace TeleCmi.Cli.Output;

/// <summary>A call as a row of texts.</summary>
internal static class CallColumns
{
    private static readonly JsonElement Template = JsonSerializer.SerializeToElement(
        new CallDocument("", "", "", "", "", "", "", "", "", "", "", "", "", "", "", 0, 0, "", "", false, false, [], []), CliJson.Default.CallDocument);

    /// <summary>The columns of a CSV export: all but the events.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Template.EnumerateObject().Select(property => property.Name).Where(name => name != "events")];

    public static IEnumerable<string?> Texts(this CallDocument call)
    {
        var json = JsonSerializer.SerializeToElement(call, CliJson.Default.CallDocument);
        return Names.Select(column => json.TryGetProperty(column, out var value) ? value.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.Array => string.Join(' ', value.EnumerateArray()),
            JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            _ => Convert.ToString(value, CultureInfo.InvariantCulture),
        } : null);
    }
}
