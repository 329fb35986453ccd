using System.Globalization;

namespace TeleCmi.LoadTest.Targets;

/// <summary>How fast a queue was emptied.</summary>
/// <param name="Processed">Messages processed.</param>
/// <param name="Duplicates">Those whose event was in the journal already.</param>
/// <param name="Elapsed">From the first look at the queue to the last delete.</param>
internal sealed record Drained(int Processed, int Duplicates, TimeSpan Elapsed)
{
    /// <summary>Messages per second.</summary>
    public double PerSecond => Processed / Elapsed.TotalSeconds;

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static Drained Parse(string text)
    {
        var parts = text.Split(' ');
        return new(
            int.Parse(parts[0], CultureInfo.InvariantCulture),
            int.Parse(parts[1], CultureInfo.InvariantCulture),
            TimeSpan.FromTicks(long.Parse(parts[2], CultureInfo.InvariantCulture)));
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Processed} {Duplicates} {Elapsed.Ticks}");
}
