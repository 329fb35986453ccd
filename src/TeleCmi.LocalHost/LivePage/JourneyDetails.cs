using System.Text;
using TeleCmi.Events;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>All there is to know about one line.</summary>
internal sealed class JourneyDetails(LiveHub hub, JournalReader journal)
{
    /// <summary>Of a journey: from memory, and when it is not kept there any more, from the journal.</summary>
    /// <param name="id">The journey.</param>
    /// <param name="partition">Where its row is in the journal; null when it has none.</param>
    /// <param name="row">Which row.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <returns>Null when it is in neither.</returns>
    public async Task<DetailView?> FindAsync(string id, string? partition, string? row, CancellationToken cancellation) =>
        hub.Find(id, ToView) is { } detail ? await WithRowAsync(detail, cancellation)
        : partition is not null && row is not null && await journal.FindAsync(new RowKey(partition, row), cancellation) is { } found ? ToView(found)
        : null;

    private static DetailView ToView(Journey journey) => new(
        journey.ToView(),
        NoticeFieldViews.Of(journey.ReadNotice()),
        journey.Request is { } request
            ? new RequestView(
                request.Method, request.Path, request.IsQuery, request.ContentType, request.Headers, request.Content is { } content ? BodyView.Of(content) : null)
            : null,
        journey.Response is { } response ? Encoding.UTF8.GetString(response.Body.Span) : null,
        journey.Envelope is { } envelope ? Encoding.UTF8.GetString(envelope) : null);

    // The journal does not know how the event came; its fields are the same.
    private static DetailView ToView(JournalRow row) => new(
        JournalViews.ToJourney(row),
        NoticeFieldViews.Of(row.Event is { } envelope && EventEnvelope.TryRead(Encoding.UTF8.GetBytes(envelope), out var callEvent, out _) ? callEvent.Notice : null),
        JournalViews.DataOf(row.Event) is { } data
            ? new RequestView("POST", WebhookHandler.EventsPath, IsQuery: false, "application/json", [], new BodyView(data, IsBase64: false))
            : null,
        Response: null,
        row.Event,
        row with { Event = null });

    private async Task<DetailView> WithRowAsync(DetailView detail, CancellationToken cancellation)
    {
        if (detail.Journey is not { Partition: { } partition, Row: { } row })
        {
            return detail;
        }

        try
        {
            return await journal.FindAsync(new RowKey(partition, row), cancellation) is { } found
                ? detail with { Row = found with { Event = null } }
                : detail with { RowFault = "The row is not in the journal any more." };
        }
        catch (StorageException e)
        {
            return detail with { RowFault = e.Message };
        }
    }
}
