using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using TeleCmi.Events.Samples;

namespace TeleCmi.Cli.Sending;

/// <summary>
/// Says what to send: the chosen notices in turn. Each round through them is a call of its own: its ids are new, those that
/// the samples share (both legs, the same conversation) stay shared, and the time is now.
/// </summary>
internal sealed class Playbook(IReadOnlyList<DocumentedNotice> notices, bool verbatim, TimeProvider clock)
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly byte[] _run = RandomNumberGenerator.GetBytes(16);

    /// <summary>The notice to send as number so-and-so, from 0: UTF-8 JSON.</summary>
    public byte[] NoticeOf(int number)
    {
        var (round, place) = Math.DivRem(number, notices.Count);
        return verbatim ? notices[place].Utf8 : Freshen(notices[place], round);
    }

    private byte[] Freshen(DocumentedNotice sample, int round)
    {
        using var json = JsonDocument.Parse(sample.Json);
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            writer.WriteStartObject();
            foreach (var field in json.RootElement.EnumerateObject())
            {
                switch (field.Name)
                {
                    case "cmiuuid" or "cmiuid" or "parent_uid" or "conversation_uuid" or "call_id" or "request_id" when field.Value.ValueKind is JsonValueKind.String:
                        writer.WriteString(field.Name, FreshId(round, field.Value.GetString()!));
                        break;
                    case "time":
                        writer.WriteNumber(field.Name, clock.GetUtcNow().ToUnixTimeMilliseconds());
                        break;
                    default:
                        field.WriteTo(writer);
                        break;
                }
            }

            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    // Derived, not drawn, so that notices of one round agree on their ids without knowing of each other.
    private string FreshId(int round, string old)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexString(_run)}/{round}/{old}")), hash);
        return new Guid(hash[..16]).ToString("D");
    }
}
