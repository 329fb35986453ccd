using System.Text.Json;
using TeleCmi.Events.Samples;

namespace TeleCmi.Functions.Tests;

internal static class Samples
{
    public static string Answered { get; } = DocumentedNotices.OutgoingAnswered.Json;

    public static string Hangup { get; } = DocumentedNotices.Load().Single(notice => notice.Name == "chub-event-outgoing-hangup-a").Json;

    /// <summary>The notice as TeleCMI sends it by GET.</summary>
    public static string AsQuery(string json)
    {
        using var notice = JsonDocument.Parse(json);
        return string.Join('&', notice.RootElement.EnumerateObject().Select(field => $"{Uri.EscapeDataString(field.Name)}={Uri.EscapeDataString(field.Value.ToString())}"));
    }
}
