using System.Text;
using TeleCmi.Events.Samples;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>Sends events from the page, through the same receiver as TeleCMI's.</summary>
internal sealed class PageSender(EventReceiver receiver, LiveHub hub, JournalReader journal, TimeProvider clock)
{
    private const string Json = "application/json";

    /// <summary>Sends a documented sample as a call of now; the documented values would be a duplicate the second time.</summary>
    /// <returns>The response; null when there is no such sample.</returns>
    public async Task<SentView?> SendSampleAsync(SampleToSend what)
    {
        var isPost = what.Method == "POST";
        var sample = what.Sample switch
        {
            "agent" => DocumentedNotices.OutgoingAnswered,
            "customer" => DocumentedNotices.OutgoingAnsweredByCustomer,
            "hangup" => DocumentedNotices.Load().Single(notice => notice.Name == "chub-event-outgoing-hangup-a"),
            "unreadable" => new DocumentedNotice("unreadable", "", """{"hello":"this is not a notice of TeleCMI"}"""),
            _ => null,
        };
        if (sample is null || (!isPost && what.Method != "GET"))
        {
            return null;
        }

        var fresh = sample.Fresh(Guid.NewGuid().ToString(), clock.GetUtcNow());
        return await SendAsync(isPost, isQuery: !isPost, Json, isPost ? fresh.Utf8 : Encoding.UTF8.GetBytes(fresh.ToQuery()));
    }

    /// <summary>Sends again what came before, byte for byte.</summary>
    /// <returns>The response; null when it is not there any more.</returns>
    public async Task<SentView?> SendAgainAsync(EventToSend what, CancellationToken cancellation)
    {
        if (what.Id is { } id && hub.Find(id, journey => journey.Request) is { Content: { } content } request)
        {
            return await SendAsync(request.Method == "POST", request.IsQuery, request.ContentType, content);
        }

        return what is { Partition: { } partition, Row: { } row }
            && JournalViews.DataOf((await journal.FindAsync(new RowKey(partition, row), cancellation))?.Event) is { } data
            ? await SendAsync(isPost: true, isQuery: false, Json, Encoding.UTF8.GetBytes(data))
            : null;
    }

    private async Task<SentView> SendAsync(bool isPost, bool isQuery, string? contentType, byte[] content)
    {
        using var body = new MemoryStream(isQuery ? [] : content, writable: false);
        var id = hub.Arrived(new LiveRequest
        {
            Method = isPost ? "POST" : "GET",
            Path = WebhookHandler.EventsPath,
            IsQuery = isQuery,
            ContentType = isQuery ? null : contentType,
            IsFromPage = true,
            ReceivedAt = clock.GetUtcNow(),
            Started = clock.GetTimestamp(),
        });
        var response = await receiver.ReceiveAsync(new WebhookRequest(
            isPost, isQuery ? $"?{Encoding.UTF8.GetString(content)}" : "", body, contentType, body.Length, HasTransferEncoding: false, id));
        return new SentView(response.Status);
    }
}
