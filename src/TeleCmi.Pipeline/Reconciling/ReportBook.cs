using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Reconciling;

/// <summary>The reports' records of a few days, found by id or by the customer's number.</summary>
internal sealed class ReportBook
{
    private readonly Dictionary<DateOnly, List<ReportEntry>> _days = [];
    private readonly Dictionary<string, List<ReportEntry>> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<ReportEntry>> _byNumber = new(StringComparer.Ordinal);

    // There are few agents and few numbers of the account's own, and each is in many records.
    private readonly Dictionary<string, string> _shared = new(StringComparer.Ordinal);

    public void Add(ReportRecord record)
    {
        var isOutgoing = record.Report.Direction is CallDirection.Outgoing;
        var entry = new ReportEntry(record with
        {
            Agent = Shared(record.Agent),
            From = isOutgoing ? Shared(record.From) : record.From,
            To = isOutgoing ? record.To : Shared(record.To),
        });
        AddTo(_days, UtcDay.DateOf(record.Time), entry);
        AddTo(_byNumber, NumberOf(record.Customer), entry);
        if (record.CmiUid is { } id)
        {
            AddTo(_byId, id, entry);
        }
    }

    public IReadOnlyList<ReportEntry> Of(DateOnly day) => _days.GetValueOrDefault(day) ?? [];

    public IReadOnlyList<ReportEntry> WithId(string id) => _byId.GetValueOrDefault(id) ?? [];

    /// <summary>The records whose number, agent, direction and time a call has.</summary>
    public IEnumerable<ReportEntry> Like(UnmatchedCall call, TimeSpan tolerance) =>
        (call.NumberEnd.Length > 0
            ? _byNumber.GetValueOrDefault(call.NumberEnd) ?? []
            : new[] { -1, 0, 1 }.SelectMany(days => Of(UtcDay.DateOf(call.Call.StartedAt).AddDays(days))))
        .Where(entry => call.IsLike(entry.Record, tolerance));

    public void Forget(DateOnly day)
    {
        foreach (var entry in Of(day))
        {
            RemoveFrom(_byNumber, NumberOf(entry.Record.Customer), entry);
            if (entry.Record.CmiUid is { } id)
            {
                RemoveFrom(_byId, id, entry);
            }
        }

        _days.Remove(day);
    }

    public static string NumberOf(string? number) => PhoneNumber.EndOf(PhoneNumber.Digits(number));

    private string? Shared(string? text)
    {
        if (text is null || _shared.TryAdd(text, text))
        {
            return text;
        }

        return _shared[text];
    }

    private static void AddTo<TKey>(Dictionary<TKey, List<ReportEntry>> index, TKey key, ReportEntry entry)
        where TKey : notnull
    {
        if (!index.TryGetValue(key, out var entries))
        {
            index[key] = entries = new List<ReportEntry>(1);
        }

        entries.Add(entry);
    }

    private static void RemoveFrom(Dictionary<string, List<ReportEntry>> index, string key, ReportEntry entry)
    {
        if (index.TryGetValue(key, out var entries) && entries.Remove(entry) && entries.Count == 0)
        {
            index.Remove(key);
        }
    }
}

/// <summary>A record, and whether a call was found for it.</summary>
internal sealed class ReportEntry(ReportRecord record)
{
    public ReportRecord Record => record;

    public bool IsMatched { get; set; }
}

/// <summary>A call of the journal whose ids are in no report.</summary>
internal sealed class UnmatchedCall(CallRecord call)
{
    public CallRecord Call => call;

    public string NumberEnd { get; } = ReportBook.NumberOf(call.CustomerNumber);

    /// <summary>Whether a record was found for it.</summary>
    public bool IsMatched { get; set; }

    /// <summary>Whether it may belong to a record that may belong to others too.</summary>
    public bool IsInDoubt { get; set; }

    public bool IsLike(ReportRecord record, TimeSpan tolerance) =>
        call.Direction == record.Report.Direction
        && (record.Time - call.StartedAt).Duration() <= tolerance
        && (NumberEnd.Length == 0
            ? record.Agent is not null && record.Agent == call.Agent
            : PhoneNumber.IsSame(record.Customer, call.CustomerNumber) && (record.Agent is null || call.Agent is null || record.Agent == call.Agent));
}
