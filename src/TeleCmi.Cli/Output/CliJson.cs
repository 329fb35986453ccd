using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using TeleCmi.Cli.Commands;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Journaling;

namespace TeleCmi.Cli.Output;

/// <summary>
/// Everything that <c>--json</c> writes. Everything but plain ASCII is escaped in it, so it cannot harm a terminal either.
/// </summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(IEnumerable<DeadLetterDocument>))]
[JsonSerializable(typeof(LettersReport))]
[JsonSerializable(typeof(JournalRow))]
[JsonSerializable(typeof(IEnumerable<JsonObject>))]
[JsonSerializable(typeof(DeletedDocument))]
[JsonSerializable(typeof(StatusDocument))]
[JsonSerializable(typeof(SendDocument))]
[JsonSerializable(typeof(IEnumerable<NoticeDocument>))]
[JsonSerializable(typeof(ForwardTestDocument))]
[JsonSerializable(typeof(IEnumerable<DeliveryDocument>))]
[JsonSerializable(typeof(ResentDocument))]
[JsonSerializable(typeof(BackfillDocument))]
[JsonSerializable(typeof(IEnumerable<ForwardVerdictDocument>))]
[JsonSerializable(typeof(PurgeDocument))]
[JsonSerializable(typeof(IEnumerable<CallDocument>))]
[JsonSerializable(typeof(IReadOnlyList<CallbackDocument>))]
[JsonSerializable(typeof(AgentDocument[]))]
[JsonSerializable(typeof(ReconcileDocument))]
internal sealed partial class CliJson : JsonSerializerContext;

/// <summary>One document on one line, for exports.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CallDocument))]
internal sealed partial class CompactJson : JsonSerializerContext;

/// <summary>A dead letter; the body only where it is shown in full.</summary>
internal sealed record DeadLetterDocument(
    string Id, string Reason, string? Kind, string? EventId, string? ReceivedAt, string Error, string? Destination, int? Status,
    [property: JsonPropertyName("answer")] string? ResponseBody, int Bytes)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Body { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? BodyBase64 { get; init; }

    public static DeadLetterDocument Of(StoredDeadLetter stored)
    {
        var letter = stored.Letter;
        return new($"{stored.Id}", letter.Reason, letter.Kind, letter.EventId, Times.Of(letter.ReceivedAt), letter.Error, letter.Destination, letter.Status, letter.ResponseBody, stored.Bytes);
    }
}

internal sealed record DeletedDocument(int Deleted, int Deliveries, int DeadLetters);

internal sealed record StatusDocument(
    bool NeedsPerson, IReadOnlyList<string> Needs, IReadOnlyList<QueueDocument> Queues, DeadLettersDocument DeadLetters, string? LastReceived,
    IReadOnlyList<DestinationDocument> Destinations, WaitingDocument Waiting);

internal sealed record DestinationDocument(string Name, string? FailingSince, string? DisabledAt, string? Fault);

internal sealed record WaitingDocument(int Total, IReadOnlyDictionary<string, int> ByDestination, string? Oldest);

internal sealed record AttemptDocument(string? At, int? Status, long Milliseconds);

internal sealed record DeliveryDocument(
    string Destination, string State, string EventId, string Kind, string? Conversation, string? ReceivedAt, string? NextAttemptAt, string? Fault, IReadOnlyList<AttemptDocument> Attempts)
{
    public static DeliveryDocument Of(Delivery delivery) => new(
        delivery.Destination, delivery.State, delivery.EventId, delivery.Kind, delivery.Conversation, Times.Of(delivery.ReceivedAt), Times.Of(delivery.NextAttemptAt), delivery.Fault,
        [.. delivery.Attempts.Select(attempt => new AttemptDocument(Times.Of(attempt.At), attempt.Status, attempt.Milliseconds))]);
}

internal sealed record PurgeDocument(string Before, bool DryRun, IReadOnlyDictionary<string, int> Rows);

internal sealed record ResentDocument(int Chosen, int Queued, IReadOnlyList<string> Faults);

/// <summary>Whether an event, or its call, would be sent to a destination if it came now.</summary>
internal sealed record ForwardVerdictDocument(string Destination, string Send, string Id, bool WouldBeSent, string Why, DeliveryDocument? Delivery)
{
    public static ForwardVerdictDocument Of(ForwardVerdict verdict) => new(
        verdict.Destination, verdict.SendsCalls ? "calls" : "events", verdict.Id, verdict.WouldBeSent, verdict.Why, verdict.Delivery is { } delivery ? DeliveryDocument.Of(delivery) : null);
}

internal sealed record QueueDocument(string Name, int Messages, string? OldestVisible);

internal sealed record DeadLettersDocument(int Total, IReadOnlyDictionary<string, int> ByReason, string? Oldest);

internal sealed record SendDocument(
    string Url, int Planned, int Sent, int Acknowledged, double Seconds,
    [property: JsonPropertyName("answers")] IReadOnlyDictionary<string, int> Responses, IReadOnlyDictionary<string, double> LatencyMilliseconds);

internal sealed record NoticeDocument(string Name, string Kind, string Source);

internal sealed record ForwardTestDocument(
    string EventId, bool Delivered, int? Status, double Milliseconds, string Explanation, [property: JsonPropertyName("answer")] string? ResponseBody);
