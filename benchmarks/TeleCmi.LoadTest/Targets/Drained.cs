using System.Globalization;

namespace TeleCmi.LoadTest.Targets;

/// <summary>How fast a queue was emptied.</summary>
/// <param name="Processed">Messages processed.</param>
/// <param name="Elapsed">From the first poll of the queue to the last delete.</param>
internal sealed record Drained(int Processed, TimeSpan Elapsed)
{
    /// <summary>Messages per second.</summary>
    public double PerSecond => Processed / Elapsed.TotalSeconds;

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static Drained Parse(string text) => text.Split(' ') is [var processed, var ticks]
        ? new(int.Parse(processed, CultureInfo.InvariantCulture), TimeSpan.FromTicks(long.Parse(ticks, CultureInfo.InvariantCulture)))
        : throw new FormatException($"Not two numbers: {text}");

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Processed} {Elapsed.Ticks}");
}
