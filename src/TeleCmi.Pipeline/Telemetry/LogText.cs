namespace TeleCmi.Pipeline.Telemetry;

/// <summary>Makes text from outside fit for a log line: one line, short, and without a whole phone number.</summary>
public static class LogText
{
    private const int MaxLength = 80;
    private const int VisibleDigits = 3;

    /// <summary>Text without control characters or line breaks, at most 80 characters; <c>-</c> when there is none.</summary>
    public static string Of(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "-";
        }

        var length = Math.Min(text.Length, MaxLength);
        return string.Create(length, text, static (line, source) =>
        {
            for (var i = 0; i < line.Length; i++)
            {
                // Letters, digits, punctuation and symbols; not what could break or reorder a line.
                line[i] = char.IsLetterOrDigit(source[i]) || char.IsPunctuation(source[i]) || char.IsSymbol(source[i]) || source[i] == ' ' ? source[i] : '?';
            }
        });
    }

    /// <summary>Why something failed, as the innermost exception says; of several tries, the last one.</summary>
    public static string OfCause(Exception failure) =>
        Of((failure is AggregateException { InnerExceptions: [.., var last] } ? last : failure).GetBaseException().Message);

    /// <summary>A phone number with all but its last three digits covered; <c>-</c> when there is none.</summary>
    public static string OfPhoneNumber(string? number)
    {
        var line = Of(number);
        return line.Length <= VisibleDigits ? line : $"{new string('*', line.Length - VisibleDigits)}{line.AsSpan(line.Length - VisibleDigits)}";
    }
}
