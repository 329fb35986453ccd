using System.Text.Json;
using Azure;
using Azure.Data.Tables;
using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Journaling;

/// <summary>Deletes calls from the journal for good: one conversation, or every call a phone number took part in.</summary>
public sealed class JournalErasure(StorageClients clients, JournalReader reader, TimeProvider clock)
{
    // The documented fields that hold a phone number, in every format TeleCMI documents.
    private static readonly string[] NumberFields = ["to", "from", "callerid", "virtual_number", "vn"];

    private readonly TableClient _table = clients.Table(Journal.TableName);

    /// <summary>Finds the rows of every call, whole, in which a number occurs.</summary>
    /// <param name="number">The number; only its digits count.</param>
    /// <param name="range">The days to look through.</param>
    /// <param name="cancellation">Ends the search.</param>
    /// <exception cref="ArgumentException">The number has no digits.</exception>
    public async Task<IReadOnlyCollection<JournalKey>> FindCallsOfAsync(string number, JournalFilter range, CancellationToken cancellation)
    {
        var digits = DigitsOf(number);
        ArgumentException.ThrowIfNullOrEmpty(digits, nameof(number));
        var keys = new HashSet<JournalKey>();
        var subjects = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var row in reader.QueryAsync(range, cancellation))
        {
            if (Holds(row, digits))
            {
                keys.Add(row.Key);
                if (SubjectOf(row) is { } subject)
                {
                    subjects.Add(subject);
                }
            }
        }

        // The other leg of the same call may be about the same person without naming the number.
        foreach (var subject in subjects)
        {
            await foreach (var row in reader.QueryAsync(range with { Conversation = subject }, cancellation))
            {
                keys.Add(row.Key);
            }
        }

        return keys;
    }

    /// <summary>Finds the rows of one conversation.</summary>
    public async Task<IReadOnlyCollection<JournalKey>> FindConversationAsync(string conversation, JournalFilter range, CancellationToken cancellation)
    {
        var keys = new HashSet<JournalKey>();
        await foreach (var row in reader.QueryAsync(range with { Conversation = conversation }, cancellation))
        {
            keys.Add(row.Key);
        }

        return keys;
    }

    /// <summary>Deletes one row for good; one that is gone already is no fault.</summary>
    public Task EraseAsync(JournalKey key, CancellationToken cancellation) => Deadline.RunAsync(
        deadline => _table.DeleteEntityAsync(key.Partition, key.Row, ETag.All, deadline), Deadline.OfStorage, clock, cancellation);

    private static bool Holds(JournalRecord row, string digits) =>
        EventEnvelope.TryRead(System.Text.Encoding.UTF8.GetBytes(row.Event), out var callEvent, out _)
            ? NumbersOf(callEvent.Notice).Any(number => DigitsOf(number) == digits)
            : DigitsOf(row.To) == digits || DigitsOf(row.CallerId) == digits;

    private static IEnumerable<string> NumbersOf(Notice notice)
    {
        using var json = JsonDocument.Parse(notice.Json, new JsonDocumentOptions { MaxDepth = Notice.MaxDepth });
        foreach (var field in NumberFields)
        {
            if (json.RootElement.TryGetProperty(field, out var value) && value.ValueKind is JsonValueKind.String or JsonValueKind.Number)
            {
                yield return value.ToString();
            }
        }
    }

    private static string? SubjectOf(JournalRecord row) =>
        EventEnvelope.TryRead(System.Text.Encoding.UTF8.GetBytes(row.Event), out var callEvent, out _) ? callEvent.Notice.Subject : row.ConversationId;

    private static string DigitsOf(string? number) => string.Concat((number ?? "").Where(char.IsAsciiDigit));
}
