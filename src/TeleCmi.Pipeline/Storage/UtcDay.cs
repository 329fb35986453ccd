using System.Globalization;

namespace TeleCmi.Pipeline.Storage;

/// <summary>A UTC day as it stands in partition keys, on the command line and on the page: <c>yyyy-MM-dd</c>.</summary>
public static class UtcDay
{
    private const string Format = "yyyy-MM-dd";

    /// <summary>The day of a moment.</summary>
    public static string Of(DateTimeOffset time) => time.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture);

    /// <summary>A day.</summary>
    public static string Of(DateOnly day) => day.ToString(Format, CultureInfo.InvariantCulture);

    /// <summary>The day of a moment, to count with.</summary>
    public static DateOnly DateOf(DateTimeOffset time) => DateOnly.FromDateTime(time.UtcDateTime);

    /// <summary>A day's first moment.</summary>
    public static DateTimeOffset StartOf(DateOnly day) => new(day, TimeOnly.MinValue, TimeSpan.Zero);

    /// <summary>The day that it is now.</summary>
    public static DateOnly Today(this TimeProvider clock) => DateOf(clock.GetUtcNow());

    /// <summary>Reads a day.</summary>
    public static bool TryParse(string? text, out DateOnly day) =>
        DateOnly.TryParseExact(text, Format, CultureInfo.InvariantCulture, DateTimeStyles.None, out day);
}
