using System.Globalization;
using System.Text.Json;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Cli.Output;

/// <summary>A call as <c>--json</c> and an export have it.</summary>
internal sealed record CallDocument(
    string Id, string? ConversationId, string? AppId, string? Direction, string? Agent, string? CustomerNumber, string? BusinessNumber, string? Team, string? RequestId,
    string? Custom, string? StartedAt, string? AgentAnsweredAt, string? CustomerAnsweredAt, string? EndedAt, string Outcome, long? TalkSeconds, long? WaitSeconds,
    string? HangupReason, string? Recording, bool Voicemail, bool Complete, IReadOnlyList<string> Missing, IReadOnlyList<CallEventDocument> Events)
{
    private static readonly JsonElement Template = JsonSerializer.SerializeToElement(
        new CallDocument("", "", "", "", "", "", "", "", "", "", "", "", "", "", "", 0, 0, "", "", false, false, [], []), CliJson.Default.CallDocument);

    /// <summary>The columns of a CSV export: all but the events.</summary>
    public static IReadOnlyList<string> Columns { get; } = [.. Template.EnumerateObject().Select(property => property.Name).Where(name => name != "events")];

    public static CallDocument Of(CallRecord call, bool isMasked = false)
    {
        return new CallDocument(
            call.Id, call.ConversationId, call.AppId, call.Direction?.Name(), call.Agent, Number(call.CustomerNumber), Number(call.BusinessNumber), call.Team, call.RequestId,
            call.Custom, Times.Of(call.StartedAt), Times.Of(call.AgentAnsweredAt), Times.Of(call.CustomerAnsweredAt), Times.Of(call.EndedAt), call.Outcome.Name(),
            call.TalkSeconds, call.WaitSeconds, call.HangupReason, call.Recording, call.Voicemail, call.Complete, call.Missing,
            [.. call.Events.Select(notice => new CallEventDocument(notice.Kind.Name(), notice.Leg, Times.Of(notice.ReceivedAt), notice.Id))]);

        string? Number(string? number) => isMasked && number is not null ? LogText.OfPhoneNumber(number) : number;
    }

    public IEnumerable<string?> Texts()
    {
        var json = JsonSerializer.SerializeToElement(this, CliJson.Default.CallDocument);
        return Columns.Select(column => json.TryGetProperty(column, out var value) ? value.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.Array => string.Join(' ', value.EnumerateArray()),
            JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            _ => Convert.ToString(value, CultureInfo.InvariantCulture),
        } : null);
    }
}

/// <summary>One notice of a call.</summary>
internal sealed record CallEventDocument(string Kind, string? Leg, string? ReceivedAt, string Id);

/// <summary>Somebody to call back.</summary>
internal sealed record CallbackDocument(string? CustomerNumber, string Outcome, string? LastAt, string? Agent, int Attempts, string CallId)
{
    public static CallbackDocument Of(CustomerToCallBack customer) => new(
        customer.Number, customer.Attempts[0].Outcome.Name(), Times.Of(customer.Attempts[0].StartedAt), customer.Attempts[0].Agent, customer.Attempts.Count, customer.Attempts[0].Id);
}

/// <summary>An agent's calls.</summary>
internal sealed record AgentDocument(string Agent, int Calls, int Reached, double ConnectRate, long TalkSeconds);
