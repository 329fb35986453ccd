using System.Globalization;

namespace TeleCmi.Cli.Output;

/// <summary>One form for every moment that is written: UTC, to the millisecond.</summary>
internal static class Times
{
    public static string? Of(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
}
