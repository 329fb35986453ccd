using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Storage.Sqlite;

/// <summary>
/// A row's columns as JSON: <c>{"s:Kind":"outgoing.answered","t:ReceivedAt":639000000000000000,"s:Event":null}</c>. The letter is
/// the type, so that a comparison with a value of another type finds nothing; null says that the value is among the large ones.
/// Every type compares in SQLite as it does here: moments are ticks, doubles are their bits in order, bytes are hexadecimal.
/// </summary>
internal static class RowJson
{
    // What is longer is kept elsewhere. An event or a body is; what a row is found and listed by is not.
    private const int SmallLength = 256;

    private static readonly JsonWriterOptions Format = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.~%=:");

    /// <summary>Whether a value is kept among the large ones.</summary>
    public static bool IsLarge(object value) => value is string { Length: > SmallLength } or byte[] { Length: > SmallLength } or LargeValue;

    /// <summary>Writes the columns.</summary>
    /// <param name="columns">Each column's name and value; a <see cref="LargeValue"/> is written as what it stands for.</param>
    /// <param name="large">Whether to write the large ones instead of the small ones.</param>
    public static byte[] Write(IEnumerable<KeyValuePair<string, object>> columns, bool large)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(buffer, Format);
        json.WriteStartObject();
        foreach (var (column, value) in columns)
        {
            if (IsLarge(value) == large)
            {
                WriteValue(json, Key(column, value), value);
            }
            else if (!large)
            {
                json.WriteNull(Key(column, value));
            }
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads columns into the row.</summary>
    /// <param name="json">What was written.</param>
    /// <param name="wanted">The columns to read; null: all.</param>
    /// <param name="row">Takes them.</param>
    /// <returns>Whether one of them is among the large ones; it is a <see cref="LargeValue"/> in the row until those are read.</returns>
    public static bool Read(ReadOnlySpan<byte> json, ColumnSet? wanted, TableRow row)
    {
        var isElsewhere = false;
        var reader = new Utf8JsonReader(json);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.ValueSpan;
            var column = wanted is null ? Encoding.ASCII.GetString(key[2..]) : wanted.Find(key[2..]);
            reader.Read();
            if (column is not null)
            {
                var value = ReadValue(ref reader, key[0]);
                isElsewhere |= value is LargeValue;
                row[column] = value;
            }
        }

        return isElsewhere;
    }

    /// <summary>The JSON path of a column that has the value's type.</summary>
    public static string Path(string column, object value) => $"$.\"{Key(column, value)}\"";

    /// <summary>A value as SQLite compares it: text or a number.</summary>
    public static object Comparable(object value) => value switch
    {
        string text => text,
        bool flag => flag ? 1L : 0L,
        int number => (long)number,
        long number => number,
        double number => OrderedBits(number),
        DateTimeOffset time => time.UtcTicks,
        byte[] bytes => Convert.ToHexString(bytes),
        _ => throw new ArgumentException($"A column cannot be a {value.GetType().Name}.", nameof(value)),
    };

    private static string Key(string column, object value)
    {
        if (column.Length == 0 || column.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            throw new ArgumentException($"'{column}' cannot be the name of a column: write letters, digits and underscores.", nameof(column));
        }

        return value switch
        {
            string => $"s:{column}",
            bool => $"f:{column}",
            int => $"i:{column}",
            long => $"l:{column}",
            double => $"d:{column}",
            DateTimeOffset => $"t:{column}",
            byte[] => $"b:{column}",
            LargeValue large => $"{large.Type}:{column}",
            _ => throw new ArgumentException($"Column '{column}' cannot be a {value.GetType().Name}.", nameof(value)),
        };
    }

    private static void WriteValue(Utf8JsonWriter json, string key, object value)
    {
        switch (value)
        {
            case bool flag:
                json.WriteBoolean(key, flag);
                break;
            default:
                if (Comparable(value) is string text)
                {
                    json.WriteString(key, text);
                }
                else
                {
                    json.WriteNumber(key, (long)Comparable(value));
                }

                break;
        }
    }

    private static object ReadValue(ref Utf8JsonReader json, byte type) => json.TokenType == JsonTokenType.Null ? new LargeValue((char)type) : type switch
    {
        (byte)'s' => json.GetString()!,
        (byte)'f' => json.GetBoolean(),
        (byte)'i' => json.GetInt32(),
        (byte)'l' => json.GetInt64(),
        (byte)'d' => BitConverter.Int64BitsToDouble(Ordered(json.GetInt64())),
        (byte)'t' => new DateTimeOffset(json.GetInt64(), TimeSpan.Zero),
        (byte)'b' => Convert.FromHexString(json.GetString()!),
        _ => throw new InvalidDataException($"A column has the unknown type '{(char)type}'."),
    };

    // Numbers in the order of the doubles; doing it twice gives the bits back.
    private static long Ordered(long bits) => bits < 0 ? bits ^ long.MaxValue : bits;

    private static long OrderedBits(double number) => Ordered(BitConverter.DoubleToInt64Bits(number + 0.0));
}

/// <summary>Stands for a value that was not read because it is among the large ones.</summary>
/// <param name="Type">The letter of its type.</param>
internal sealed record LargeValue(char Type);

/// <summary>The columns that somebody wants to read.</summary>
internal sealed class ColumnSet(IEnumerable<string> columns)
{
    private readonly (string Name, byte[] Utf8)[] _columns = [.. columns.Select(column => (column, Encoding.UTF8.GetBytes(column)))];

    /// <summary>The column's name, if it is wanted.</summary>
    public string? Find(ReadOnlySpan<byte> name)
    {
        foreach (var (column, utf8) in _columns)
        {
            if (name.SequenceEqual(utf8))
            {
                return column;
            }
        }

        return null;
    }
}
