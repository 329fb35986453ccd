using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;

namespace TeleCmi.Pipeline.Reconciling;

/// <summary>One page of a report. Numbers may be text and text may be numbers.</summary>
internal sealed record ReportPage(long Count, int Code, IReadOnlyList<ReportRecord> Records)
{
    public static bool TryRead(CallReport report, ReadOnlyMemory<byte> json, [NotNullWhen(true)] out ReportPage? page)
    {
        page = null;
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            if (root.ValueKind is not JsonValueKind.Object)
            {
                return false;
            }

            // The samples show a report without its code.
            var code = (int)Math.Min(Number(root, "code") ?? 200, int.MaxValue);
            if (code != 200)
            {
                page = new ReportPage(0, code, []);
                return true;
            }

            if (Number(root, "count") is not { } count || !root.TryGetProperty("cdr", out var records) || records.ValueKind is not JsonValueKind.Array)
            {
                return false;
            }

            page = new ReportPage(count, code, [.. records.EnumerateArray().Select(record => Read(report, record)).OfType<ReportRecord>()]);
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    // Without a time nothing can be said of a call, and it could not be put into the journal.
    private static ReportRecord? Read(CallReport report, JsonElement record) => record.ValueKind is JsonValueKind.Object && TimeOf(record) is { } time
        ? new ReportRecord
        {
            Report = report,
            CmiUid = Text(record, "cmiuid") ?? Text(record, "cmiuuid"),
            Time = time,
            Agent = Text(record, "agent"),
            From = Text(record, "from"),
            To = Text(record, "to"),
            Duration = Number(record, "duration"),
            BilledSeconds = Number(record, "billedsec"),
            FileName = Text(record, "filename"),
            IsRecorded = string.Equals(Text(record, "record"), "true", StringComparison.OrdinalIgnoreCase),
        }
        : null;

    private static DateTimeOffset? TimeOf(JsonElement record)
    {
        // Below 1e12 the number counts seconds.
        const long FirstMilliseconds = 1_000_000_000_000;
        return Number(record, "time") is > 0 and var time && (time < FirstMilliseconds ? time * 1000 : time) is var milliseconds && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;
    }

    private static long? Number(JsonElement record, string field) =>
        decimal.TryParse(Text(record, field), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= long.MaxValue ? (long)number : null;

    private static string? Text(JsonElement record, string field) => record.TryGetProperty(field, out var value) ? value.ValueKind switch
    {
        JsonValueKind.String when value.GetString() is { } text && !string.IsNullOrWhiteSpace(text) => text.Trim(),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => "true",
        _ => null,
    } : null;
}
