using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using TeleCmi.Events.Samples;

namespace TeleCmi.TestSupport;

/// <summary>Notices made from the documented sample of the answered outgoing call.</summary>
public static class SampleNotices
{
    /// <summary>The id that the documented sample has.</summary>
    public const string AnsweredId = "2223343:event:ccd826f9-67a4-4467-acfb-a53093ff5c9d:a:answered";

    /// <summary>The documented sample.</summary>
    public static byte[] Answered => DocumentedNotices.OutgoingAnswered.Utf8;

    /// <summary>The documented sample with other values.</summary>
    public static byte[] AnsweredWith(params (string Field, JsonNode? Value)[] changes)
    {
        var notice = JsonNode.Parse(Answered)!.AsObject();
        foreach (var (field, value) in changes)
        {
            notice[field] = value;
        }

        return Encoding.UTF8.GetBytes(notice.ToJsonString());
    }

    /// <summary>The documented sample as the notice of another call.</summary>
    public static byte[] AnsweredCall(string call) => AnsweredWith(("cmiuuid", call), ("conversation_uuid", call));

    /// <summary>A notice as the query of a GET.</summary>
    public static string QueryOf(ReadOnlyMemory<byte> notice)
    {
        using var json = JsonDocument.Parse(notice);
        return string.Join('&', json.RootElement.EnumerateObject().Select(field =>
            $"{Uri.EscapeDataString(field.Name)}={Uri.EscapeDataString(field.Value.ToString())}"));
    }
}
