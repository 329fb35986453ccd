using System.Buffers;
using System.Text;
using TeleCmi.Events;

namespace TeleCmi.Pipeline.Receiving;

/// <summary>The fields of a query, without those that carry the platform's secret: they must reach neither the queue nor dead letters.</summary>
internal static class QueryFields
{
    /// <summary>Copies the query's fields as they came, still encoded, less <c>code</c> and <c>clientId</c>.</summary>
    public static void CopyWithoutSecrets(string query, IBufferWriter<byte> output)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(query.Length));
        try
        {
            var first = true;
            foreach (var field in new UrlEncodedFields(buffer.AsSpan(0, Encoding.UTF8.GetBytes(query, buffer))))
            {
                if (IsSecret(field.Name))
                {
                    continue;
                }

                output.Write(first ? [] : "&"u8);
                output.Write(field.Name);
                output.Write("="u8);
                output.Write(field.Value);
                first = false;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    // The platform finds its key whatever the name's case (ASP.NET's query collection) and escapes.
    private static bool IsSecret(ReadOnlySpan<byte> encodedName)
    {
        const int LongestEncoded = 8 * 3;
        if (encodedName.Length > LongestEncoded)
        {
            return false;
        }

        Span<byte> name = stackalloc byte[LongestEncoded];
        name = name[..UrlEncodedFields.Decode(encodedName, name)];
        return Ascii.EqualsIgnoreCase(name, "code"u8) || Ascii.EqualsIgnoreCase(name, "clientId"u8);
    }
}
