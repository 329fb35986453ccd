using System.Text;
using System.Text.Json;

namespace TeleCmi.Events.Samples;

/// <summary>One documented notice.</summary>
/// <param name="Name">Its name in the catalogue, such as <c>chub-event-outgoing-answered-a</c>.</param>
/// <param name="Source">The page it is documented on.</param>
/// <param name="Json">The sample, as compact JSON.</param>
public sealed record DocumentedNotice(string Name, string Source, string Json)
{
    /// <summary>The sample's bytes.</summary>
    public byte[] Utf8 => Encoding.UTF8.GetBytes(Json);
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
