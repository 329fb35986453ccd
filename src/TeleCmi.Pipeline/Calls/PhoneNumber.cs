using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Calls;

/// <summary>Compares phone numbers.</summary>
public static class PhoneNumber
{
    private const int ComparedDigits = 10;

    /// <summary>
    /// Whether two texts are the same number: by their last ten digits, or all of the shorter one when that has at least
    /// <see cref="CallFilter.FewestDigits"/>. A heuristic: one account writes a number with and without its country code.
    /// </summary>
    public static bool IsSame(string? left, string? right) => AreSame(Digits(left), Digits(right));

    /// <summary>Whether a journal's row names this customer; one that names none does not.</summary>
    public static bool IsCustomerOf(TableRow row, string number) => IsSame(CallNotice.Of(row).Customer, number);

    /// <summary>A number's digits.</summary>
    public static string Digits(string? number) => string.Concat((number ?? "").Where(char.IsAsciiDigit));

    /// <summary>Whether a number begins with these digits; whatever else stands in it does not count.</summary>
    internal static bool BeginsWith(string number, string digits)
    {
        var matched = 0;
        foreach (var letter in number)
        {
            if (matched == digits.Length || (char.IsAsciiDigit(letter) && letter != digits[matched]))
            {
                break;
            }

            matched += char.IsAsciiDigit(letter) ? 1 : 0;
        }

        return matched == digits.Length;
    }

    /// <summary>What the same numbers have in common, of their <see cref="Digits"/>.</summary>
    internal static string EndOf(string digits) => digits.Length <= CallFilter.FewestDigits ? digits : digits[^CallFilter.FewestDigits..];

    /// <summary>The same for what <see cref="Digits"/> gave, for those who compare many.</summary>
    internal static bool AreSame(string left, string right)
    {
        var length = Math.Min(ComparedDigits, Math.Min(left.Length, right.Length));
        return length >= CallFilter.FewestDigits ? left.AsSpan(left.Length - length).SequenceEqual(right.AsSpan(right.Length - length)) : left.Length > 0 && left == right;
    }
}
