using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace TeleCmi.Events;

/// <summary>JSON inside texts, and what the JSON reader leaves unchecked in the text of a token.</summary>
internal static class JsonText
{
    /// <summary>Whether the token's escapes give valid Unicode: the reader itself only finds out when the text is taken.</summary>
    public static bool IsWellFormed(ref Utf8JsonReader reader)
    {
        if (!HasSurrogateEscape(reader.ValueSpan))
        {
            return true;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(reader.ValueSpan.Length);
        try
        {
            reader.CopyString(buffer);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads a text that may hold JSON, such as <c>custom</c>.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out JsonElement? json)
    {
        json = null;
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text), new JsonReaderOptions { MaxDepth = Notice.MaxDepth });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.String
                    && reader.ValueIsEscaped && !IsWellFormed(ref reader))
                {
                    return false;
                }
            }
        }
        catch (JsonException)
        {
            return false;
        }

        using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = Notice.MaxDepth });
        json = document.RootElement.Clone();
        return true;
    }

    private static bool HasSurrogateEscape(ReadOnlySpan<byte> text) =>
        text.IndexOf("\\ud"u8) >= 0 || text.IndexOf("\\uD"u8) >= 0;
}
