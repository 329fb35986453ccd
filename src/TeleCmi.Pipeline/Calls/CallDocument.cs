using System.Globalization;
using System.Text.Json.Serialization;
using TeleCmi.Events;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Calls;

/// <summary>A call as JSON has it: in <c>--json</c>, in an export, and in what is sent to a destination. Moments are UTC, to the millisecond.</summary>
public sealed record CallDocument(
    string Id, string? ConversationId, string? AppId, string? Direction, string? Agent, string? CustomerNumber, string? BusinessNumber, string? Team, string? RequestId,
    string? Custom, string? StartedAt, string? AgentAnsweredAt, string? CustomerAnsweredAt, string? EndedAt, string Outcome, long? TalkSeconds, long? WaitSeconds,
    string? HangupReason, string? Recording, bool Voicemail, bool Complete, IReadOnlyList<string> Missing, IReadOnlyList<CallEventDocument> Events)
{
    /// <summary>Only in what is sent to a destination: 1, and more for each later sending because the record changed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Revision { get; init; }

    /// <summary>Writes a call.</summary>
    /// <param name="call">The call.</param>
    /// <param name="isMasked">Whether all but the last three digits of its numbers are covered.</param>
    public static CallDocument Of(CallRecord call, bool isMasked = false)
    {
        return new CallDocument(
            call.Id, call.ConversationId, call.AppId, call.Direction?.Name(), call.Agent, Number(call.CustomerNumber), Number(call.BusinessNumber), call.Team, call.RequestId,
            call.Custom, Time(call.StartedAt), Time(call.AgentAnsweredAt), Time(call.CustomerAnsweredAt), Time(call.EndedAt), call.Outcome.Name(),
            call.TalkSeconds, call.WaitSeconds, call.HangupReason, call.Recording, call.Voicemail, call.Complete, call.Missing,
            [.. call.Events.Select(notice => new CallEventDocument(notice.Kind.Name(), notice.Leg, Time(notice.ReceivedAt), notice.Id))]);

        string? Number(string? number) => isMasked && number is not null ? LogText.OfPhoneNumber(number) : number;
    }

    /// <summary>A moment as JSON has it.</summary>
    public static string? Time(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
}

/// <summary>One notice of a call.</summary>
public sealed record CallEventDocument(string Kind, string? Leg, string? ReceivedAt, string Id);

/// <summary>Writes calls as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CallDocument))]
internal sealed partial class CallJson : JsonSerializerContext;
