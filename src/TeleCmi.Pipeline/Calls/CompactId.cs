namespace TeleCmi.Pipeline.Calls;

/// <summary>An id from outside in little room: most are UUIDs, of 16 bytes; any other stays text. Equal where the texts are.</summary>
internal readonly record struct CompactId
{
    private readonly Guid _uuid;
    private readonly string? _text;

    /// <summary>Takes a text.</summary>
    public CompactId(string text) => _text = TryParse(text, out _uuid) ? null : text;

    /// <summary>Whether a text is a UUID as it is written usually, so that the same text comes back.</summary>
    public static bool TryParse(string text, out Guid uuid)
    {
        if (Guid.TryParseExact(text, "D", out uuid) && uuid.ToString() == text)
        {
            return true;
        }

        uuid = default;
        return false;
    }

    /// <summary>The text.</summary>
    public override string ToString() => _text ?? _uuid.ToString();
}
