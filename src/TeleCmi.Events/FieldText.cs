using System.Globalization;

namespace TeleCmi.Events;

/// <summary>What a field's text says, however it is spelt.</summary>
internal static class FieldText
{
    // More digits would be rounded, and so meet another number.
    private const int LongestNumber = 28;

    /// <summary>
    /// Whether a field holds a word or a number of TeleCMI's own, whose case, surrounding spaces and fraction of zeros mean nothing.
    /// Ids, numbers of phones, names and the user's own texts are left as they came.
    /// </summary>
    public static bool IsWord(NoticeField field) => field is NoticeField.AppId or NoticeField.AppIdAlias or NoticeField.Type or NoticeField.Direction
        or NoticeField.Leg or NoticeField.Status or NoticeField.AnsweredSeconds or NoticeField.WaitedSeconds or NoticeField.Record or NoticeField.Voicemail;

    /// <summary>
    /// Whether a text means that the field is absent: an empty one always; a blank one, <c>null</c> and <c>undefined</c> in every
    /// field that the product reads but <c>custom</c> and <c>extra_params</c>, which are the user's own.
    /// </summary>
    public static bool IsAbsent(NoticeField field, string text) => text.Length == 0
        || (field is not (NoticeField.None or NoticeField.Custom or NoticeField.ExtraParams)
            && text.AsSpan().Trim() is var word
            && (word.IsEmpty || word.Equals("null", StringComparison.OrdinalIgnoreCase) || word.Equals("undefined", StringComparison.OrdinalIgnoreCase)));

    /// <summary>The one spelling of a word: trimmed, in lower case, a whole number without a fraction.</summary>
    public static string Fold(string text)
    {
        var word = text.Trim().ToLowerInvariant();
        return word.Length <= LongestNumber && word.AsSpan().ContainsAny('.', 'e') && !word.Contains("e-", StringComparison.Ordinal)
            && decimal.TryParse(word, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var number)
            && decimal.IsInteger(number) ? decimal.Truncate(number).ToString(CultureInfo.InvariantCulture) : word;
    }
}
