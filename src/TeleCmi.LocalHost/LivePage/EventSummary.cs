using TeleCmi.Events;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>The few words of an event that its line shows.</summary>
internal sealed record EventSummary(string EventId, string Kind, string? AnsweredBy, string? Agent, string? Number)
{
    public static EventSummary Of(Notice notice) => new(
        notice.Id,
        notice.Kind.Name(),
        notice.AnsweredBy?.Name(),
        notice.User is { } user ? LogText.Of(user) : null,
        notice.To is { } to ? LogText.OfPhoneNumber(to) : null);
}
