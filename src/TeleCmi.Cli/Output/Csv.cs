using System.Buffers;

namespace TeleCmi.Cli.Output;

/// <summary>
/// Comma-separated values as RFC 4180 has them. A value that a spreadsheet would run as a formula gets an apostrophe in
/// front: these values come from outside.
/// </summary>
internal static class Csv
{
    private static readonly SearchValues<char> NeedQuotes = SearchValues.Create(",\"\r\n");

    // Also the full-width forms, which some spreadsheets take for the same.
    private static readonly SearchValues<char> BeginFormula = SearchValues.Create("=+-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20");

    /// <summary>One record, with its line end.</summary>
    public static string Record(IEnumerable<string?> values) => string.Join(',', values.Select(Field)) + "\r\n";

    private static string Field(string? value)
    {
        if (string.IsNullOrEmpty(value))
        {
            return "";
        }

        var guarded = BeginFormula.Contains(value[0]) || BeginFormula.Contains(value.AsSpan().TrimStart() is [var first, ..] ? first : ' ')
            ? $"'{value}"
            : value;
        return guarded.AsSpan().ContainsAny(NeedQuotes) ? $"\"{guarded.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : guarded;
    }
}
