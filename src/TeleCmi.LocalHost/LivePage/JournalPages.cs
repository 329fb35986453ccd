using System.Globalization;
using System.Text.Json;
using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>Older events, from the journal: a day at a time, and of that a page at a time.</summary>
internal sealed class JournalPages(StorageClients clients)
{
    private const int PageSize = 100;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly string[] LineColumns =
    [
        "PartitionKey", "RowKey", JournalRow.Kind, JournalRow.EventId, JournalRow.AnsweredBy, JournalRow.User, JournalRow.To,
        JournalRow.ReceivedAt, JournalRow.ProcessedAt,
    ];

    private readonly TableClient _table = clients.Table(Journal.TableName);

    /// <summary>Reads a page.</summary>
    /// <param name="day"><c>yyyy-MM-dd</c> of the event's own time, or <c>undated</c>.</param>
    /// <param name="after">Where the page before ended; empty: the first page.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <returns>Null when that is no day.</returns>
    public async Task<JournalPageView?> ReadAsync(string day, string after, CancellationToken cancellation)
    {
        if (day != JournalKey.Undated && !DateOnly.TryParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
        {
            return null;
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Patience);
        try
        {
            var pages = _table.QueryAsync<TableEntity>(
                TableClient.CreateQueryFilter($"PartitionKey eq {day}"), PageSize, LineColumns, deadline.Token)
                .AsPages(after.Length == 0 ? null : after, PageSize);
            await foreach (var page in pages)
            {
                return new JournalPageView([.. page.Values.Select(ToLine)], page.ContinuationToken);
            }
        }
        catch (RequestFailedException e) when (e.ErrorCode == TableErrorCode.TableNotFound)
        {
            // The first event makes it.
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"No answer within {Patience}.", e);
        }

        return new JournalPageView([], null);
    }

    /// <summary>Reads a row.</summary>
    /// <returns>Null when it is not there.</returns>
    public async Task<TableEntity?> FindAsync(string partition, string row, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Patience);
        try
        {
            var found = await _table.GetEntityIfExistsAsync<TableEntity>(partition, row, cancellationToken: deadline.Token);
            return found.HasValue ? found.Value : null;
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"No answer within {Patience}.", e);
        }
    }

    /// <summary>A row as a line.</summary>
    public static JourneyView ToLine(TableEntity row)
    {
        var receivedAt = row.GetDateTimeOffset(JournalRow.ReceivedAt) ?? default;
        var processedAt = row.GetDateTimeOffset(JournalRow.ProcessedAt);
        return new JourneyView(
            Id: $"{row.PartitionKey}/{row.RowKey}",
            receivedAt,
            processedAt is null ? JourneyState.Retrying : JourneyState.Processed,
            Method: null,
            FromPage: false,
            row.GetString(JournalRow.Kind),
            row.GetString(JournalRow.EventId),
            row.GetString(JournalRow.AnsweredBy),
            row.GetString(JournalRow.User) is { } user ? LogText.Of(user) : null,
            row.GetString(JournalRow.To) is { } to ? LogText.OfPhoneNumber(to) : null,
            Status: null,
            Fault: null,
            Tries: 0,
            AnsweredMs: null,
            StartedMs: null,
            processedAt is { } end ? Math.Round(Math.Max(0, (end - receivedAt).TotalMilliseconds), 1) : null,
            HandedOnMs: null,
            HandedOn: null,
            row.PartitionKey,
            row.RowKey);
    }

    /// <summary>A row's columns as text, without the envelope, which is shown by itself.</summary>
    public static IReadOnlyList<HeaderView> Columns(TableEntity row) =>
    [
        .. row
            .Where(column => column.Key is not (JournalRow.Event or "odata.etag") && column.Value is not null)
            .Select(column => new HeaderView(column.Key, column.Value is DateTimeOffset time
                ? time.ToString("O", CultureInfo.InvariantCulture)
                : Convert.ToString(column.Value, CultureInfo.InvariantCulture) ?? "")),
    ];

    /// <summary>The event as it came, from its envelope.</summary>
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
