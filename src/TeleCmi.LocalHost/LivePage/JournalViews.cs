using System.Text.Json;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>Rows of the journal as the page shows them.</summary>
internal static class JournalViews
{
    private const int PageSize = 100;

    /// <summary>Reads a page of a day.</summary>
    /// <param name="journal">The journal.</param>
    /// <param name="day">A UTC day of the event's own time, or <c>undated</c>.</param>
    /// <param name="after">Where the page before ended; null or empty: the first page.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <returns>Null when that is no day.</returns>
    public static async Task<JournalPageView?> ReadPageAsync(JournalReader journal, string day, string? after, CancellationToken cancellation)
    {
        if (day != JournalKey.Undated && !UtcDay.TryParse(day, out _))
        {
            return null;
        }

        var (rows, next) = await journal.ReadPageAsync(day, PageSize, string.IsNullOrEmpty(after) ? null : after, cancellation);
        return new JournalPageView([.. rows.Select(ToJourney)], next);
    }

    /// <summary>A row as a line.</summary>
    public static JourneyView ToJourney(JournalRow row) => new(
        Id: $"{row.Key.Partition}/{row.Key.Row}",
        row.ReceivedAt ?? default,
        row.ProcessedAt is null ? JourneyState.Retrying : JourneyState.Processed,
        Method: null,
        FromPage: false,
        row.Kind,
        row.EventId,
        row.AnsweredBy,
        row.User is { } user ? LogText.Of(user) : null,
        row.To is { } to ? LogText.OfPhoneNumber(to) : null,
        Status: null,
        row.LastFailure is { } failure && row.ProcessedAt is null ? failure : null,
        Tries: 0,
        ResponseMs: null,
        StartedMs: null,
        row is { ProcessedAt: { } end, ReceivedAt: { } start } ? Math.Round(Math.Max(0, (end - start).TotalMilliseconds), 1) : null,
        ForwardedMs: null,
        Forwards: null,
        row.Key.Partition,
        row.Key.Row);

    /// <summary>The event as it was received, from its envelope.</summary>
    public static string? DataOf(string? envelope)
    {
        if (envelope is null)
        {
            return null;
        }

        using var json = JsonDocument.Parse(envelope);
        return json.RootElement.TryGetProperty("data", out var data) ? data.GetRawText() : null;
    }
}
