using System.Text;
using System.Text.Json;
using TeleCmi.Events;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Calls;

/// <summary>Deletes calls from the journal for good, whole: one conversation, or every call a phone number took part in.</summary>
public sealed class CallErasure(IStore store, JournalReader reader, CallReader calls)
{
    private readonly ITable _journal = store.Table(Journal.TableName);

    /// <summary>Finds the rows of every call in which a number occurs.</summary>
    /// <param name="number">The number; only its digits count.</param>
    /// <param name="range">The days to search.</param>
    /// <param name="cancellation">Ends the search.</param>
    /// <exception cref="ArgumentException">The number has no digits.</exception>
    public async Task<IReadOnlyCollection<RowKey>> FindCallsOfAsync(string number, JournalFilter range, CancellationToken cancellation)
    {
        var digits = PhoneNumber.Digits(number);
        ArgumentException.ThrowIfNullOrEmpty(digits, nameof(number));
        var keys = await reader.QueryAsync(range, cancellation)
            .Where(row => NumbersOf(row).Any(found => PhoneNumber.Digits(found) == digits))
            .Select(row => row.Key)
            .ToHashSetAsync(cancellationToken: cancellation);

        // The other notices of the same call may be about the same person without naming the number.
        keys.UnionWith(await calls.FindWholeCallsAsync([.. keys], cancellation));
        return keys;
    }

    /// <summary>Finds the rows of one call: of its conversation, and the detail records that do not name it.</summary>
    /// <param name="id">What <see cref="CallReader.FindAsync"/> understands.</param>
    /// <param name="cancellation">Ends the search.</param>
    public async Task<IReadOnlyCollection<RowKey>> FindCallAsync(string id, CancellationToken cancellation) =>
        [.. (await calls.FindAsync(id, cancellation)).SelectMany(call => call.Events).Select(notice => notice.Key)];

    /// <summary>Deletes one row for good; one that is gone already is no error.</summary>
    public Task EraseAsync(RowKey key, CancellationToken cancellation) => _journal.DeleteAsync(key, version: null, cancellation);

    private static IEnumerable<string?> NumbersOf(JournalRow row)
    {
        if (row.Event is not { } envelope || !EventEnvelope.TryRead(Encoding.UTF8.GetBytes(envelope), out var callEvent, out _))
        {
            return [row.To, row.CallerId];
        }

        using var json = JsonDocument.Parse(callEvent.Notice.Json, new JsonDocumentOptions { MaxDepth = Notice.MaxDepth });
        return [.. Notice.PhoneNumberFields.Select(field => json.RootElement.TryGetProperty(field, out var value) ? value.ToString() : null)];
    }
}
