using System.Text;
using System.Text.Unicode;
using Azure;
using TeleCmi.Pipeline.Journaling;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>All there is to know about one line.</summary>
internal sealed class JourneyDetails(LiveHub hub, JournalPages journal)
{
    /// <summary>Of a journey: from memory, and when it is not kept there any more, from the journal.</summary>
    /// <param name="id">The journey.</param>
    /// <param name="partition">Where its row is in the journal; empty when it has none.</param>
    /// <param name="row">Which row.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <returns>Null when it is in neither.</returns>
    public async Task<DetailView?> FindAsync(string id, string partition, string row, CancellationToken cancellation) =>
        OfMemory(id) is { } detail ? await WithRowAsync(detail, cancellation)
        : partition.Length > 0 && row.Length > 0 ? await OfRowAsync(partition, row, cancellation)
        : null;

    /// <summary>Bytes as text, or as Base64 when they are none.</summary>
    public static (string Text, bool IsBase64) ToText(ReadOnlySpan<byte> bytes) =>
        Utf8.IsValid(bytes) ? (Encoding.UTF8.GetString(bytes), false) : (Convert.ToBase64String(bytes), true);

    private DetailView? OfMemory(string id) => hub.Find(id, journey => new DetailView(
        journey.ToView(),
        journey.Request is { } request ? ToView(request) : null,
        journey.Status is { } status ? new AnswerView(status, Encoding.UTF8.GetString(journey.Answer.Span)) : null,
        journey.EnvelopeText(),
        Row: null,
        RowFault: null));

    private async Task<DetailView> WithRowAsync(DetailView detail, CancellationToken cancellation)
    {
        if (detail.Journey is not { Partition: { } partition, Row: { } row })
        {
            return detail;
        }

        try
        {
            return await journal.FindAsync(partition, row, cancellation) is { } found
                ? detail with { Row = JournalPages.Columns(found) }
                : detail with { RowFault = "The row is not in the journal any more." };
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException or TimeoutException)
        {
            return detail with { RowFault = $"The journal does not answer as it should: {e.Message}" };
        }
    }

    private async Task<DetailView?> OfRowAsync(string partition, string row, CancellationToken cancellation) =>
        await journal.FindAsync(partition, row, cancellation) is not { } found ? null
        : new DetailView(
            JournalPages.ToLine(found),
            AsPosted(found.GetString(JournalRow.Event)),
            Answer: null,
            found.GetString(JournalRow.Event),
            JournalPages.Columns(found),
            RowFault: null);

    // The journal does not know how the event came; its fields are the same.
    private static RequestView? AsPosted(string? envelope) => JournalPages.DataOf(envelope) is { } data
        ? new RequestView("POST", WebhookEndpoints.EventsPath, IsQuery: false, "application/json", [], data, IsBase64: false)
        : null;

    private static RequestView ToView(LiveRequest request)
    {
        var (text, isBase64) = request.Content is { } content ? ToText(content.Span) : (null, false);
        return new RequestView(request.Method, request.Path, request.IsQuery, request.ContentType, request.Headers, text, isBase64);
    }
}
