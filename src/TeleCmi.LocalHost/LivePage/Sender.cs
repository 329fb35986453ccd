using System.Text;
using System.Text.Json.Nodes;
using TeleCmi.Events.Samples;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Receiving;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>Sends events from the page, through the same receiver as TeleCMI's.</summary>
internal sealed class Sender(EventReceiver receiver, LiveHub hub, JournalPages journal, TimeProvider clock)
{
    private const string Json = "application/json";

    // What tells one call from another; the documented values would be a duplicate the second time.
    private static readonly string[] Identities = ["call_id", "cmiuuid", "conversation_uuid", "request_id"];

    /// <summary>Sends a documented sample as a call of now.</summary>
    /// <returns>The answer; null when there is no such sample.</returns>
    public async Task<SentView?> SendSampleAsync(SampleOrder order)
    {
        var isPost = order.Method == "POST";
        var sample = order.Sample switch
        {
            "agent" => Fresh(DocumentedNotices.OutgoingAnswered),
            "customer" => Fresh(DocumentedNotices.OutgoingAnsweredByCustomer),
            "hangup" => Fresh(DocumentedNotices.Load().Single(notice => notice.Name == "chub-event-outgoing-hangup-a")),
            "unreadable" => new JsonObject { ["hello"] = "this is not a notice of TeleCMI" },
            _ => null,
        };
        if (sample is null || (!isPost && order.Method != "GET"))
        {
            return null;
        }

        return await SendAsync(isPost, isQuery: !isPost, Json, Encoding.UTF8.GetBytes(isPost ? sample.ToJsonString() : QueryOf(sample)));
    }

    /// <summary>Sends again what came before, byte for byte.</summary>
    /// <returns>The answer; null when it is not there any more.</returns>
    public async Task<SentView?> SendAgainAsync(SendAgainOrder order, CancellationToken cancellation)
    {
        if (order.Id is { } id && hub.Find(id, journey => journey.Request) is { Content: { } content } request)
        {
            return await SendAsync(request.Method == "POST", request.IsQuery, request.ContentType, content);
        }

        if (order is not { Partition: { } partition, Row: { } row })
        {
            return null;
        }

        var found = await journal.FindAsync(partition, row, cancellation);
        return JournalPages.DataOf(found?.GetString(JournalRow.Event)) is { } data
            ? await SendAsync(isPost: true, isQuery: false, Json, Encoding.UTF8.GetBytes(data))
            : null;
    }

    private async Task<SentView> SendAsync(bool isPost, bool isQuery, string? contentType, ReadOnlyMemory<byte> content)
    {
        using var body = new MemoryStream(isQuery ? [] : content.ToArray(), writable: false);
        var answer = await receiver.ReceiveAsync(new WebhookRequest(
            isPost, isQuery ? $"?{Encoding.UTF8.GetString(content.Span)}" : "", body, contentType, body.Length, HasTransferEncoding: false)
        {
            Tag = new LiveRequest
            {
                Method = isPost ? "POST" : "GET",
                Path = WebhookEndpoints.EventsPath,
                IsQuery = isQuery,
                ContentType = isQuery ? null : contentType,
                Headers = [],
                IsFromPage = true,
                ReceivedAt = clock.GetUtcNow(),
                Started = clock.GetTimestamp(),
            },
        });
        return new SentView(answer.StatusCode, Encoding.UTF8.GetString(answer.Body.Span));
    }

    private JsonObject Fresh(DocumentedNotice sample)
    {
        var notice = JsonNode.Parse(sample.Json)!.AsObject();
        foreach (var field in Identities.Where(notice.ContainsKey))
        {
            notice[field] = Guid.NewGuid().ToString();
        }

        notice["time"] = clock.GetUtcNow().ToUnixTimeMilliseconds();
        return notice;
    }

    private static string QueryOf(JsonObject notice) => string.Join('&', notice.Select(field =>
        $"{Uri.EscapeDataString(field.Key)}={Uri.EscapeDataString(field.Value is JsonValue value && value.TryGetValue(out string? text) ? text : field.Value?.ToJsonString() ?? "")}"));
}
