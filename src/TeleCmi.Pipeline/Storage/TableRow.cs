using System.Collections;

namespace TeleCmi.Pipeline.Storage;

/// <summary>
/// One row of a table. A column is text, <see cref="bool"/>, <see cref="int"/>, <see cref="long"/>, <see cref="double"/>,
/// a moment (<see cref="DateTimeOffset"/>, kept in UTC) or bytes; a column set to null is left out.
/// </summary>
public sealed class TableRow(RowKey key) : IEnumerable<KeyValuePair<string, object>>
{
    private readonly Dictionary<string, object> _columns = new(StringComparer.Ordinal);

    /// <summary>Where it is.</summary>
    public RowKey Key { get; } = key;

    /// <summary>Which version was read; null for a row that was not read from a table.</summary>
    public string? Version { get; init; }

    /// <summary>A column's value, or null.</summary>
    public object? this[string column]
    {
        get => _columns.GetValueOrDefault(column);
        set
        {
            if (value is null)
            {
                _columns.Remove(column);
            }
            else
            {
                _columns[column] = value;
            }
        }
    }

    /// <summary>A text column; null when it is absent or no text.</summary>
    public string? Text(string column) => this[column] as string;

    /// <summary>A moment; null when the column is absent or no moment.</summary>
    public DateTimeOffset? Time(string column) => this[column] as DateTimeOffset?;

    /// <summary>A whole number; null when the column is absent or no whole number.</summary>
    public long? Number(string column) => this[column] switch
    {
        int number => number,
        long number => number,
        _ => null,
    };

    /// <summary>A truth value; null when the column is absent or none.</summary>
    public bool? Flag(string column) => this[column] as bool?;

    /// <summary>Bytes; null when the column is absent or no bytes.</summary>
    public byte[]? Bytes(string column) => this[column] as byte[];

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, object>> GetEnumerator() => _columns.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
