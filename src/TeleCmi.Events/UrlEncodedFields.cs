using System.Buffers.Text;

namespace TeleCmi.Events;

/// <summary>
/// Walks <c>application/x-www-form-urlencoded</c> fields in the order they came, without an allocation and without
/// folding repeated names, as the platform's own query collection would.
/// </summary>
/// <param name="encoded">The fields, with or without the question mark before them.</param>
public ref struct UrlEncodedFields(ReadOnlySpan<byte> encoded)
{
    private ReadOnlySpan<byte> _rest = encoded.TrimStart((byte)'?');

    /// <summary>The field that <see cref="MoveNext"/> reached, still encoded.</summary>
    public UrlEncodedField Current { get; private set; }

    /// <summary>Lets <c>foreach</c> walk the fields.</summary>
    public readonly UrlEncodedFields GetEnumerator() => this;

    /// <summary>Goes to the next field.</summary>
    /// <returns>False at the end.</returns>
    public bool MoveNext()
    {
        while (!_rest.IsEmpty)
        {
            var end = _rest.IndexOf((byte)'&');
            var field = end < 0 ? _rest : _rest[..end];
            _rest = end < 0 ? default : _rest[(end + 1)..];
            if (!field.IsEmpty)
            {
                var equals = field.IndexOf((byte)'=');
                Current = equals < 0 ? new(field, default) : new(field[..equals], field[(equals + 1)..]);
                return true;
            }
        }

        return false;
    }

    /// <summary>Undoes the encoding: <c>+</c> is a space, <c>%XX</c> a byte; a broken escape stays as it is.</summary>
    /// <param name="text">The encoded text.</param>
    /// <param name="destination">At least as long as the text.</param>
    /// <returns>The number of bytes written.</returns>
    public static int Decode(ReadOnlySpan<byte> text, Span<byte> destination)
    {
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is (byte)'%' && i + 2 < text.Length
                && Utf8Parser.TryParse(text.Slice(i + 1, 2), out byte value, out var consumed, 'x') && consumed == 2)
            {
                destination[length++] = value;
                i += 2;
            }
            else
            {
                destination[length++] = text[i] is (byte)'+' ? (byte)' ' : text[i];
            }
        }

        return length;
    }
}

/// <summary>One field as it stands in the text, still encoded.</summary>
public readonly ref struct UrlEncodedField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
{
    /// <summary>What stands before the equals sign.</summary>
    public ReadOnlySpan<byte> Name { get; } = name;

    /// <summary>The value; empty when there is no equals sign.</summary>
    public ReadOnlySpan<byte> Value { get; } = value;

    /// <summary>Splits the field into its two parts.</summary>
    public void Deconstruct(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        name = Name;
        value = Value;
    }
}
