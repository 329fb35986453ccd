using TeleCmi.Events;

namespace TeleCmi.Pipeline.Storage;

/// <summary>Text from outside as part of a key: no character that Azure Storage forbids there (/ \ # ? % and control characters), and bounded.</summary>
public static class TableKey
{
    /// <summary>Writes one text as one part of a key; <c>-</c> when there is none. Two texts never share a part.</summary>
    public static string Part(string? text) => text is null ? "-" : Id(IdempotencyKey.EncodePart(text));

    /// <summary>Writes an event's id, which is encoded already, as a part of a key.</summary>
    public static string Id(string eventId) => eventId.Replace('%', '=');
}
