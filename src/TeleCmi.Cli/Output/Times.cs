using System.Globalization;
using TeleCmi.Pipeline.Calls;

namespace TeleCmi.Cli.Output;

/// <summary>The forms of a moment, in UTC.</summary>
internal static class Times
{
    /// <summary>Everywhere but in a table: to the millisecond, as the calls have it.</summary>
    public static string? Of(DateTimeOffset? time) => CallDocument.Time(time);

    /// <summary>In a table, whose head says UTC.</summary>
    public static string? InTable(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
