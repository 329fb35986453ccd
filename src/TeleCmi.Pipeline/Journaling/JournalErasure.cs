using System.Text;
using System.Text.Json;
using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Journaling;

/// <summary>Deletes calls from the journal for good: one conversation, or every call a phone number took part in.</summary>
public sealed class JournalErasure(IStore store, JournalReader reader)
{
    private readonly ITable _table = store.Table(Journal.TableName);

    /// <summary>Finds the rows of every call, whole, in which a number occurs.</summary>
    /// <param name="number">The number; only its digits count.</param>
    /// <param name="range">The days to search.</param>
    /// <param name="cancellation">Ends the search.</param>
    /// <exception cref="ArgumentException">The number has no digits.</exception>
    public async Task<IReadOnlyCollection<RowKey>> FindCallsOfAsync(string number, JournalFilter range, CancellationToken cancellation)
    {
        var digits = DigitsOf(number);
        ArgumentException.ThrowIfNullOrEmpty(digits, nameof(number));
        var keys = new HashSet<RowKey>();
        var subjects = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var row in reader.QueryAsync(range, cancellation))
        {
            var notice = NoticeOf(row);
            if (NumbersOf(row, notice).Any(found => DigitsOf(found) == digits))
            {
                keys.Add(row.Key);
                if ((notice?.Subject ?? row.ConversationId) is { } subject)
                {
                    subjects.Add(subject);
                }
            }
        }

        // The other leg of the same call may be about the same person without naming the number.
        foreach (var subject in subjects)
        {
            keys.UnionWith(await FindConversationAsync(subject, range, cancellation));
        }

        return keys;
    }

    /// <summary>Finds the rows of one conversation.</summary>
    public async Task<IReadOnlyCollection<RowKey>> FindConversationAsync(string conversation, JournalFilter range, CancellationToken cancellation) =>
        await reader.QueryAsync(range with { Conversation = conversation }, cancellation).Select(row => row.Key).ToHashSetAsync(cancellationToken: cancellation);

    /// <summary>Deletes one row for good; one that is gone already is no error.</summary>
    public Task EraseAsync(RowKey key, CancellationToken cancellation) => _table.DeleteAsync(key, version: null, cancellation);

    private static Notice? NoticeOf(JournalRow row) =>
        row.Event is { } envelope && EventEnvelope.TryRead(Encoding.UTF8.GetBytes(envelope), out var callEvent, out _) ? callEvent.Notice : null;

    private static IEnumerable<string?> NumbersOf(JournalRow row, Notice? notice)
    {
        if (notice is null)
        {
            return [row.To, row.CallerId];
        }

        using var json = JsonDocument.Parse(notice.Json, new JsonDocumentOptions { MaxDepth = Notice.MaxDepth });
        return [.. Notice.PhoneNumberFields.Select(field => json.RootElement.TryGetProperty(field, out var value) ? value.ToString() : null)];
    }

    private static string DigitsOf(string? number) => string.Concat((number ?? "").Where(char.IsAsciiDigit));
}
