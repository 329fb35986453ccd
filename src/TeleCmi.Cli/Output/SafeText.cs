using System.Globalization;
using System.Text;

namespace TeleCmi.Cli.Output;

/// <summary>
/// Text from outside, made fit for a terminal: what could move the cursor, change colours, turn the reading direction or
/// break a line is shown as its code point instead.
/// </summary>
internal static class SafeText
{
    /// <summary>One line.</summary>
    public static string Line(string? text) => Write(text ?? "", keepLineBreaks: false);

    /// <summary>Several lines; line breaks stay.</summary>
    public static string Lines(string? text) => Write(text ?? "", keepLineBreaks: true);

    private static string Write(string text, bool keepLineBreaks)
    {
        var safe = new StringBuilder(text.Length);
        foreach (var rune in (keepLineBreaks ? text.Replace("\r\n", "\n", StringComparison.Ordinal) : text).EnumerateRunes())
        {
            if (IsHarmless(rune) || (keepLineBreaks && rune.Value is '\n'))
            {
                safe.Append(rune.ToString());
            }
            else
            {
                safe.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:X}}}");
            }
        }

        return safe.ToString();
    }

    private static bool IsHarmless(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.Surrogate);
}
