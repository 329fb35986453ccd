using System.Globalization;
using System.Text;
using TeleCmi.Events.Samples;

namespace TeleCmi.LoadTest.Load;

/// <summary>The documented event, made unique by a number at the end of its conversation's id.</summary>
internal sealed class NumberedText
{
    private const int Digits = 12;

    // The last group of the sample's conversation_uuid and cmiuuid.
    private const string Marker = "a53093ff5c9d";

    private readonly byte[] _template;
    private readonly int[] _places;

    private NumberedText(byte[] template)
    {
        _template = template;
        _places = [.. Places(template)];
    }

    /// <summary>The event as TeleCMI sends it.</summary>
    public static NumberedText Body { get; } = new(DocumentedNotices.OutgoingAnswered.Utf8);

    /// <summary>The bytes of one event.</summary>
    public byte[] Of(long number)
    {
        var text = _template.AsSpan().ToArray();
        foreach (var place in _places)
        {
            number.TryFormat(text.AsSpan(place, Digits), out _, "D12", CultureInfo.InvariantCulture);
        }

        return text;
    }

    /// <summary>The number that an event's id was given.</summary>
    public static long NumberIn(string eventId)
    {
        const string BeforeMarker = "acfb-";
        var start = eventId.IndexOf(BeforeMarker, StringComparison.Ordinal) + BeforeMarker.Length;
        return long.Parse(eventId.AsSpan(start, Digits), CultureInfo.InvariantCulture);
    }

    private static IEnumerable<int> Places(byte[] template)
    {
        var marker = Encoding.ASCII.GetBytes(Marker);
        for (var from = 0; template.AsSpan(from).IndexOf(marker) is >= 0 and var found; from += found + Digits)
        {
            yield return from + found;
        }
    }
}
