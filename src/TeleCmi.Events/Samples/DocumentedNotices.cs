using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace TeleCmi.Events.Samples;

/// <summary>One documented notice.</summary>
/// <param name="Name">Its name in the catalogue, such as <c>chub-event-outgoing-answered-a</c>.</param>
/// <param name="Source">The page it is documented on.</param>
/// <param name="Json">The sample, as compact JSON.</param>
public sealed record DocumentedNotice(string Name, string Source, string Json)
{
    /// <summary>The JSON in UTF-8.</summary>
    public byte[] Utf8 => Encoding.UTF8.GetBytes(Json);

    /// <summary>The notice as the fields of a query or a form, without a question mark.</summary>
    public string ToQuery() => NoticeForm.ToQuery(Utf8);

    /// <summary>
    /// The same notice as one of another call: its ids are new and its <c>time</c> is given, everything else stays as it is, byte for byte.
    /// </summary>
    /// <param name="round">
    /// Names the call. Ids are derived from it, not drawn: notices of one round that shared an id share the new one, and no id is
    /// that of another round.
    /// </param>
    /// <param name="time">Goes into <c>time</c>, in milliseconds.</param>
    /// <param name="idPrefix">What every new id begins with.</param>
    public DocumentedNotice Fresh(string round, DateTimeOffset time, string idPrefix = "")
    {
        var json = Utf8;
        var fresh = new ArrayBufferWriter<byte>(json.Length + 256);
        var copied = 0;
        var reader = new Utf8JsonReader(json);
        reader.Read();
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var field = NoticeFields.FieldOf(ref reader);
            reader.Read();
            var value = field switch
            {
                NoticeField.Time => time.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
                NoticeField.CallId or NoticeField.CmiUuid or NoticeField.CmiUuidAlias or NoticeField.ParentUid or NoticeField.ConversationUuid
                    or NoticeField.RequestId when reader.TokenType is JsonTokenType.String => $"\"{FreshId(round, reader.GetString()!, idPrefix)}\"",
                _ => null,
            };
            if (value is not null)
            {
                fresh.Write(json.AsSpan(copied..(int)reader.TokenStartIndex));
                Encoding.UTF8.GetBytes(value, fresh);
                copied = (int)reader.BytesConsumed;
            }

            reader.Skip();
        }

        fresh.Write(json.AsSpan(copied));
        return this with { Json = Encoding.UTF8.GetString(fresh.WrittenSpan) };
    }

    private static string FreshId(string round, string id, string prefix) =>
        $"{JsonEncodedText.Encode(prefix)}{new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{round}/{id}")).AsSpan(0, 16)):D}";
}

/// <summary>The notices that TeleCMI documents, to try a receiver with.</summary>
public static class DocumentedNotices
{
    /// <summary>Reads the whole catalogue.</summary>
    public static IReadOnlyList<DocumentedNotice> Load()
    {
        using var stream = typeof(DocumentedNotices).Assembly.GetManifestResourceStream("documented-notices.json")!;
        using var catalogue = JsonDocument.Parse(stream);
        return
        [
            .. catalogue.RootElement.EnumerateArray().Select(entry => new DocumentedNotice(
                entry.GetProperty("name").GetString()!,
                entry.GetProperty("source").GetString()!,
                entry.GetProperty("notice").GetRawText())),
        ];
    }

    /// <summary>The sample of the page "Outgoing Answered Event": leg a, the agent answered.</summary>
    public static DocumentedNotice OutgoingAnswered => Load().Single(notice => notice.Name == "chub-event-outgoing-answered-a");

    /// <summary>Its twin for leg b: the customer answered.</summary>
    public static DocumentedNotice OutgoingAnsweredByCustomer => Load().Single(notice => notice.Name == "chub-event-outgoing-answered-b");
}
