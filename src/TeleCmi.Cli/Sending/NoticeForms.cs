using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using TeleCmi.Events.Samples;

namespace TeleCmi.Cli.Sending;

/// <summary>What becomes of a documented notice before it is sent; members of <see cref="DocumentedNotice"/> of the same names go before these.</summary>
internal static class NoticeForms
{
    private static readonly string[] Ids = ["cmiuuid", "cmiuid", "parent_uid", "conversation_uuid", "call_id", "request_id"];

    /// <summary>The notice as one of another call: new ids, derived so that notices of one round share theirs, and another time.</summary>
    public static DocumentedNotice Fresh(this DocumentedNotice notice, string round, DateTimeOffset time)
    {
        var json = JsonNode.Parse(notice.Json)!.AsObject();
        foreach (var (name, value) in json.ToList())
        {
            json[name] = name == "time" ? time.ToUnixTimeMilliseconds()
                : Ids.Contains(name) && value is JsonValue id && id.TryGetValue(out string? old) ? new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{round}/{old}")).AsSpan(0, 16)).ToString("D")
                : value;
        }

        return notice with { Json = json.ToJsonString() };
    }

    /// <summary>The notice as the fields of a query or a form.</summary>
    public static string ToQuery(this DocumentedNotice notice) => string.Join('&', JsonNode.Parse(notice.Json)!.AsObject().Select(field =>
        $"{Uri.EscapeDataString(field.Key)}={Uri.EscapeDataString(field.Value?.ToString() ?? "")}"));
}
