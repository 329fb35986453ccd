using System.Text.Json.Serialization;

namespace TeleCmi.LocalHost.LivePage;

internal sealed record HeaderView(string Name, string Value);

internal sealed record HandOverView(string Destination, string Outcome);

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
    double? AnsweredMs,
    double? StartedMs,
    double? ProcessedMs,
    double? HandedOnMs,
    IReadOnlyList<HandOverView>? HandedOn,
    string? Partition,
    string? Row);

internal sealed record RequestView(
    string Method, string Path, bool IsQuery, string? ContentType, IReadOnlyList<HeaderView> Headers, string? Content, bool IsBase64);

internal sealed record AnswerView(int Status, string Body);

internal sealed record DetailView(
    JourneyView Journey,
    RequestView? Request,
    AnswerView? Answer,
    string? Envelope,
    IReadOnlyList<HeaderView>? Row,
    string? RowFault);

internal sealed record HelloView(string Instance, bool HasAccessToken, string AcceptedEvents, string Sample, IReadOnlyList<JourneyView> Journeys, long Dropped);

internal sealed record JourneysView(IReadOnlyList<JourneyView> Journeys);

internal sealed record BucketView(int Received, int Processed, double? P50, double? P95);

internal sealed record QueueView(string Name, bool IsPoison, int? Depth);

internal sealed record StatsView(
    IReadOnlyDictionary<string, long> Totals,
    int BucketSeconds,
    IReadOnlyList<BucketView> Buckets,
    double? P50,
    double? P95,
    IReadOnlyList<QueueView> Queues);

internal sealed record SampleOrder(string Method, string Sample);

internal sealed record SendAgainOrder(string? Id, string? Partition, string? Row);

internal sealed record SentView(int Status, string Body);

internal sealed record JournalPageView(IReadOnlyList<JourneyView> Journeys, string? Next);

internal sealed record DeadLetterView(
    string Id, string Reason, string? Kind, string? EventId, DateTimeOffset ReceivedAt, string Error, string Body, bool IsBase64);

internal sealed record DeadLettersView(IReadOnlyList<DeadLetterView> Letters, bool HasMore);

internal sealed record DeadLetterOrder(string Id);

internal sealed record DoneView(bool Done, string? Message);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DetailView))]
[JsonSerializable(typeof(HelloView))]
[JsonSerializable(typeof(JourneysView))]
[JsonSerializable(typeof(StatsView))]
[JsonSerializable(typeof(SampleOrder))]
[JsonSerializable(typeof(SendAgainOrder))]
[JsonSerializable(typeof(SentView))]
[JsonSerializable(typeof(JournalPageView))]
[JsonSerializable(typeof(DeadLettersView))]
[JsonSerializable(typeof(DeadLetterOrder))]
[JsonSerializable(typeof(DoneView))]
internal sealed partial class LiveJson : JsonSerializerContext;
