using System.Buffers;
using System.Globalization;
using System.Text;

namespace TeleCmi.Cli.Output;

/// <summary>
/// Comma-separated values as RFC 4180 has them. What a spreadsheet would run as a formula gets an apostrophe in front: these
/// values come from outside. That holds also behind whatever a spreadsheet may be told to split cells at, since it then does
/// not see our quotes.
/// </summary>
internal static class Csv
{
    private static readonly SearchValues<char> NeedQuotes = SearchValues.Create(",\"\r\n");
    private static readonly SearchValues<char> Separators = SearchValues.Create(",;\t|\r\n\v\f\u0085\u2028\u2029");

    // Also the full-width forms, which some spreadsheets take for the same.
    private static readonly SearchValues<char> BeginFormula = SearchValues.Create("=+-@\uFF1D\uFF0B\uFF0D\uFF20");

    /// <summary>One record, with its line end.</summary>
    public static string Record(IEnumerable<string?> values) => string.Join(',', values.Select(Field)) + "\r\n";

    private static string Field(string? value)
    {
        var guarded = Guard(value ?? "");
        return guarded.AsSpan().ContainsAny(NeedQuotes) ? $"\"{guarded.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : guarded;
    }

    private static string Guard(string value)
    {
        var guarded = new StringBuilder(value);
        var begins = false;
        for (var i = value.Length - 1; i >= 0; i--)
        {
            if (begins && Separators.Contains(value[i]))
            {
                guarded.Insert(i + 1, '\'');
            }

            begins = BeginFormula.Contains(value[i]) || (begins && IsSkipped(value[i]));
        }

        return begins || value is ['\t' or '\r' or '\n', ..] ? guarded.Insert(0, '\'').ToString() : guarded.ToString();
    }

    // What a spreadsheet drops or does not see before it looks at a cell's first character: a byte order mark, NUL, blanks of no width, quotes.
    private static bool IsSkipped(char letter) => letter is '"' || char.IsWhiteSpace(letter) || char.GetUnicodeCategory(letter) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;
}
