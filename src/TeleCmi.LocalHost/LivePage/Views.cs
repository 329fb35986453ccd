using System.Text;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Journaling;

namespace TeleCmi.LocalHost.LivePage;

internal sealed record FieldView(string Name, string Value);

internal sealed record ForwardView(string Destination, string Outcome);

internal sealed record JourneyView(
    string Id,
    DateTimeOffset ReceivedAt,
    string State,
    string? Method,
    bool FromPage,
    string? Kind,
    string? EventId,
    string? AnsweredBy,
    string? Agent,
    string? Number,
    int? Status,
    string? Fault,
    int Tries,
    double? ResponseMs,
    double? StartedMs,
    double? ProcessedMs,
    double? ForwardedMs,
    IReadOnlyList<ForwardView>? Forwards,
    string? Partition,
    string? Row);

/// <summary>Bytes as text, or as Base64 when they are none.</summary>
internal sealed record BodyView(string Text, bool IsBase64)
{
    public static BodyView Of(ReadOnlySpan<byte> bytes) =>
        Utf8.IsValid(bytes) ? new(Encoding.UTF8.GetString(bytes), IsBase64: false) : new(Convert.ToBase64String(bytes), IsBase64: true);
}

internal sealed record RequestView(string? Method, string Path, bool IsQuery, string? ContentType, IReadOnlyList<FieldView> Headers, BodyView? Content);

internal sealed record DetailView(
    JourneyView Journey, IReadOnlyList<FieldView> Fields, RequestView? Request, string? Response, string? Envelope, JournalRow? Row = null, string? RowFault = null);

internal sealed record HelloView(
    string Instance, bool HasAccessToken, IReadOnlyList<string> AcceptedEvents, IReadOnlyList<string> Kinds, string Sample, IReadOnlyList<JourneyView> Journeys, long Dropped);

internal sealed record JourneysView(IReadOnlyList<JourneyView> Journeys);

/// <summary>Something that needs a person, in a sentence.</summary>
/// <param name="About">Which part of the page shows more: <c>dead-letters</c> or nothing.</param>
/// <param name="Text">What is wrong and how to fix it.</param>
internal sealed record NeedView(string? About, string Text);

/// <param name="DeadLetters">How many are stored; null when storage does not tell.</param>
/// <param name="Needs">Empty when all is well.</param>
internal sealed record AttentionView(int? DeadLetters, IReadOnlyList<NeedView> Needs);

internal sealed record BucketView(int Received, int Processed, double? P50, double? P95);

internal sealed record QueueView(string Name, bool IsPoison, int? Depth);

internal sealed record StatsView(
    IReadOnlyDictionary<string, long> Totals,
    int BucketSeconds,
    IReadOnlyList<BucketView> Buckets,
    double? P50,
    double? P95,
    IReadOnlyList<QueueView> Queues);

internal sealed record SampleToSend(string Method, string Sample);

internal sealed record EventToSend(string? Id = null, string? Partition = null, string? Row = null);

internal sealed record SentView(int Status);

internal sealed record JournalPageView(IReadOnlyList<JourneyView> Journeys, string? Next);

internal sealed record CallView(
    string Id, DateTimeOffset StartedAt, string? Direction, string? Agent, string? Number, string Outcome, long? TalkSeconds, bool HasRecording);

internal sealed record CallsView(string From, string To, CallFigures Figures, IReadOnlyList<CallView> Calls, bool HasMore);

internal sealed record CallEventView(string Kind, string? Leg, DateTimeOffset ReceivedAt, string Id);

internal sealed record CallDeliveryView(
    string Destination, string Kind, string EventId, string State, IReadOnlyList<DeliveryAttempt> Attempts, DateTimeOffset? NextAttemptAt, string? Fault);

internal sealed record CallDetailView(
    CallView Call,
    string? BusinessNumber,
    string? Team,
    string? RequestId,
    DateTimeOffset? AgentAnsweredAt,
    DateTimeOffset? CustomerAnsweredAt,
    DateTimeOffset? EndedAt,
    long? WaitSeconds,
    string? HangupReason,
    string? Recording,
    bool Voicemail,
    IReadOnlyList<string> Missing,
    IReadOnlyList<CallEventView> Events,
    IReadOnlyList<CallDeliveryView> Deliveries);

internal sealed record DeadLetterView(string Id, string? EventId, DateTimeOffset ReceivedAt);

internal sealed record DeadLetterGroupView(string Reason, string? Kind, string? Destination, string Error, IReadOnlyList<DeadLetterView> Letters);

/// <summary>Dead letters in groups, of the oldest ones, and how many there are in all.</summary>
internal sealed record DeadLettersView(IReadOnlyList<DeadLetterGroupView> Groups, int Total);

internal sealed record DeadLetterIds(IReadOnlyList<string> Ids);

/// <summary>How many it was done with, and why not with the others.</summary>
internal sealed record DoneView(int Done, IReadOnlyList<string> Faults);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DetailView))]
[JsonSerializable(typeof(HelloView))]
[JsonSerializable(typeof(JourneysView))]
[JsonSerializable(typeof(StatsView))]
[JsonSerializable(typeof(AttentionView))]
[JsonSerializable(typeof(SampleToSend))]
[JsonSerializable(typeof(EventToSend))]
[JsonSerializable(typeof(SentView))]
[JsonSerializable(typeof(JournalPageView))]
[JsonSerializable(typeof(CallsView))]
[JsonSerializable(typeof(CallDetailView))]
[JsonSerializable(typeof(DeadLettersView))]
[JsonSerializable(typeof(BodyView))]
[JsonSerializable(typeof(DeadLetterIds))]
[JsonSerializable(typeof(DoneView))]
internal sealed partial class LiveJson : JsonSerializerContext;
