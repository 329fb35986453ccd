using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Reconciling;

/// <summary>The reports' records of a few days, found by id or by the customer's number. The records themselves are spooled.</summary>
internal sealed class ReportBook : IDisposable
{
    private readonly Dictionary<DateOnly, ReportDay> _days = [];

    public void Add(ReportRecord record)
    {
        var day = UtcDay.DateOf(record.Time);
        if (!_days.TryGetValue(day, out var records))
        {
            _days.Add(day, records = new ReportDay());
        }

        records.Add(record);
    }

    public IEnumerable<ReportEntry> Of(DateOnly day) => _days.GetValueOrDefault(day)?.Entries ?? [];

    public IEnumerable<ReportEntry> WithId(string id) => _days.Values.SelectMany(day => day.WithId(id));

    /// <summary>The records whose number, agent, direction and time a call has.</summary>
    public IEnumerable<ReportEntry> Like(UnmatchedCall call, TimeSpan tolerance) =>
        (call.NumberEnd.Length > 0
            ? _days.Values.SelectMany(day => day.WithNumber(call.NumberEnd))
            : new[] { -1, 0, 1 }.SelectMany(days => Of(UtcDay.DateOf(call.StartedAt).AddDays(days))))
        .Where(entry => call.IsNear(entry.Time, tolerance) && call.IsLike(entry.Record, tolerance));

    public void Forget(DateOnly day)
    {
        if (_days.Remove(day, out var forgotten))
        {
            forgotten.Dispose();
        }
    }

    public void Dispose() => _days.Keys.ToList().ForEach(Forget);

    public static string NumberOf(string? number) => PhoneNumber.EndOf(PhoneNumber.Digits(number));

    private sealed class ReportDay : IDisposable
    {
        private readonly Spool _records = new();
        private readonly List<ReportEntry> _entries = [];
        private readonly Dictionary<CompactId, ReportEntry> _byId = [];
        private ILookup<string, ReportEntry>? _byNumber;

        public IEnumerable<ReportEntry> Entries => _entries;

        public void Add(ReportRecord record)
        {
            var id = record.CmiUid is { } cmiUid ? new CompactId(cmiUid) : (CompactId?)null;
            var entry = new ReportEntry(record.Time, _records, _records.Add(PackedRecord.Pack(record))) { SameId = id is { } known ? _byId.GetValueOrDefault(known) : null };
            _entries.Add(entry);
            _byNumber = null;
            if (id is { } name)
            {
                _byId[name] = entry;
            }
        }

        public IEnumerable<ReportEntry> WithId(string id)
        {
            for (var entry = _byId.GetValueOrDefault(new CompactId(id)); entry is not null; entry = entry.SameId)
            {
                yield return entry;
            }
        }

        // Where all records are found by their ids, nobody asks.
        public IEnumerable<ReportEntry> WithNumber(string number)
        {
            _byNumber ??= _entries.ToLookup(entry => NumberOf(entry.Record.Customer), StringComparer.Ordinal);
            return _byNumber[number];
        }

        public void Dispose() => _records.Dispose();
    }
}

/// <summary>A record, and whether a call was found for it.</summary>
internal sealed class ReportEntry(DateTimeOffset time, Spool records, long place)
{
    public DateTimeOffset Time => time;

    /// <summary>The record, from the spool.</summary>
    public ReportRecord Record => PackedRecord.Unpack(records.Read(place));

    public bool IsMatched { get; set; }

    /// <summary>The record of the day that was added before this one and has the same id.</summary>
    public ReportEntry? SameId { get; init; }
}
