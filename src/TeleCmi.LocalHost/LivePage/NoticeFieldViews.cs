using System.Globalization;
using TeleCmi.Events;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>A notice's documented fields, in the order in which a person asks for them.</summary>
internal static class NoticeFieldViews
{
    /// <summary>Those that it has; none of what is no notice.</summary>
    public static IReadOnlyList<FieldView> Of(Notice? notice) => notice is null ? [] :
    [
        .. new (string Name, string? Value)[]
        {
            ("Kind", notice.Kind.Name()),
            ("Leg", notice.Leg),
            ("Agent", notice.User),
            ("From", notice.From),
            ("To", notice.To),
            ("Caller id", notice.CallerId),
            ("Virtual number", notice.VirtualNumber),
            ("Team", notice.Team),
            ("Status", notice.Status),
            ("Talk time (s)", notice.AnsweredSeconds?.ToString(CultureInfo.InvariantCulture)),
            ("Waited (s)", notice.WaitedSeconds?.ToString(CultureInfo.InvariantCulture)),
            ("Hangup reason", notice.HangupReason),
            ("Recording", notice.FileName),
            ("Event's own time", notice.Time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)),
            ("Conversation", notice.ConversationUuid),
            ("Leg id", notice.CmiUuid),
            ("Click2call request", notice.RequestId),
            ("Custom", notice.Custom),
            ("Extra parameters", notice.ExtraParams),
            ("Application", notice.AppIdText),
            ("Event id", notice.Id),
        }.Where(field => !string.IsNullOrEmpty(field.Value)).Select(field => new FieldView(field.Name, field.Value!)),
    ];
}
