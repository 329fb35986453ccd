using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Reconciling;

/// <summary>
/// Compares TeleCMI's reports with the journal's calls: by every leg and conversation id, then by direction, number, agent and time.
/// Day by day, the newest first; a few days' records are held at once, however long the range is, and they in a temporary file but for their ids.
/// </summary>
public sealed class Reconciler(
    CallReports reports, CallReader calls, PipelineQueues queues, IOptions<ReconcileOptions> options, IOptions<TeleCmiOptions> receiver, TimeProvider clock)
{
    /// <summary>By how many seconds a talk time may differ.</summary>
    public const int TalkTolerance = 2;

    // A call whose receipt and report stand on different sides of the range's edge is not taken for one that is missing or for one that is here only.
    private static readonly TimeSpan Margin = TimeSpan.FromHours(1);

    private readonly ReconcileOptions _options = options.Value;

    // The kinds of call whose detail records the receiver accepts.
    private readonly CallReport[] _compared = [.. CallReport.All.Where(report => receiver.Value.Accepts(report.Kind))];

    /// <summary>The moment up to which calls are settled: what came later may have notices on the way.</summary>
    public DateTimeOffset SettledUntil => Now - _options.Settle;

    /// <summary>The first moment of the days that are kept (<c>TeleCmi__Retention</c>); what is older may be purged, and is not missing.</summary>
    public DateTimeOffset KeptFrom => receiver.Value.Retention is { } days ? UtcDay.StartOf(clock.Today().AddDays(-days)) : DateTimeOffset.MinValue;

    /// <summary>Compares the calls of a range.</summary>
    /// <param name="from">The first moment; at least <see cref="KeptFrom"/> counts.</param>
    /// <param name="to">The moment after the last; at most <see cref="SettledUntil"/> counts.</param>
    /// <param name="cancellation">Ends the comparison.</param>
    /// <exception cref="ReportException">The reports cannot be read.</exception>
    /// <exception cref="StorageException">The journal cannot be read.</exception>
    public async IAsyncEnumerable<ReconciledCall> CompareAsync(DateTimeOffset from, DateTimeOffset to, [EnumeratorCancellation] CancellationToken cancellation)
    {
        to = to < SettledUntil ? to : SettledUntil;
        from = from > KeptFrom ? from : KeptFrom;
        if (from >= to)
        {
            yield break;
        }

        using var run = new Run(this, from, to);
        var (first, day) = (UtcDay.DateOf(from - Margin), UtcDay.DateOf(to + Margin));

        // The reports before the journal: a notice that comes in between is here.
        await foreach (var doubt in run.LoadAsync(day, cancellation).Concat(run.LoadAsync(day.AddDays(-1), cancellation)))
        {
            yield return doubt;
        }

        await foreach (var call in calls.QueryAsync(new CallFilter { From = first, To = day }, cancellation))
        {
            for (; day > UtcDay.DateOf(call.StartedAt); day = day.AddDays(-1))
            {
                await foreach (var settled in run.PassAsync(day, cancellation))
                {
                    yield return settled;
                }
            }

            foreach (var compared in run.Compare(call))
            {
                yield return compared;
            }
        }

        for (; day >= first.AddDays(-2); day = day.AddDays(-1))
        {
            await foreach (var settled in run.PassAsync(day, cancellation))
            {
                yield return settled;
            }
        }
    }

    /// <summary>Puts into the queue what is missing, on the way of every event: journal, handlers, deliveries.</summary>
    /// <exception cref="StorageException">The queue does not have it.</exception>
    public Task QueueAsync(ReconstructedNotice notice, CancellationToken cancellation) =>
        queues.Events.SendAsync(notice.ToEnvelope(Now), TimeSpan.Zero, cancellation);

    private DateTimeOffset Now => clock.GetUtcNow();

    private DateTimeOffset LongestOpen => Now - CallReducer.LongestCall;

    private IAsyncEnumerable<ReportWindow> ReadReports(DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation) =>
        reports.ReadAsync(_compared, from, to, cancellation);

    // The days of one comparison go by from the newest to the oldest. While the calls of a day are compared, the records of the
    // days before, of and after it are in the book; when it has passed, those of the day after it are final.
    private sealed class Run(Reconciler reconciler, DateTimeOffset from, DateTimeOffset to) : IDisposable
    {
        private readonly ReportBook _book = new();
        private List<UnmatchedCall> _unmatched = [];
        private Dictionary<string, List<UnmatchedCall>>? _byNumber;

        public async IAsyncEnumerable<ReconciledCall> LoadAsync(DateOnly day, [EnumeratorCancellation] CancellationToken cancellation)
        {
            var start = UtcDay.StartOf(day);
            var earliest = from - Margin > start ? from - Margin : start;
            var latest = new[] { to + Margin, start.AddDays(1), reconciler.SettledUntil + reconciler._options.Settle }.Min();
            await foreach (var window in reconciler.ReadReports(earliest, latest, cancellation))
            {
                foreach (var record in window.Records)
                {
                    _book.Add(record);
                }

                if (window.Unstable is { } count)
                {
                    yield return new ReconciledCall
                    {
                        State = ReconcileState.Unclear,
                        At = window.From,
                        Why = $"Report {window.Report.Name} from {window.From:HH:mm} to {window.To:HH:mm} says {count} calls and shows {window.Records.Count}, however often it is read.",
                    };
                }
            }
        }

        /// <summary>All calls of a day have been compared.</summary>
        public async IAsyncEnumerable<ReconciledCall> PassAsync(DateOnly day, [EnumeratorCancellation] CancellationToken cancellation)
        {
            foreach (var settled in Settle(day.AddDays(1)))
            {
                yield return settled;
            }

            await foreach (var doubt in LoadAsync(day.AddDays(-2), cancellation))
            {
                yield return doubt;
            }
        }

        public IEnumerable<ReconciledCall> Compare(CallRecord call)
        {
            if (call.AppId is not null && call.AppId != reconciler._options.AppId)
            {
                yield break;
            }

            var found = false;
            foreach (var entry in call.Events.SelectMany(notice => new[] { notice.CmiUuid, notice.ConversationId }).OfType<string>().Distinct(StringComparer.Ordinal).SelectMany(_book.WithId))
            {
                found = true;
                if (!entry.IsMatched)
                {
                    entry.IsMatched = true;
                    if (IsInRange(entry.Time))
                    {
                        yield return Compared(entry.Record, call, byNumbers: false);
                    }
                }
            }

            if (!found && call.StartedAt >= from - Margin && call.StartedAt < to + Margin)
            {
                _unmatched.Add(new UnmatchedCall(call, reconciler.Now));
                _byNumber = null;
            }
        }

        public void Dispose() => _book.Dispose();

        private IEnumerable<ReconciledCall> Settle(DateOnly day)
        {
            foreach (var entry in _book.Of(day).Where(entry => !entry.IsMatched))
            {
                var record = entry.Record;
                UnmatchedCall[] alike = [.. CallsLike(record)];
                if (alike is [var one] && _book.Like(one, reconciler._options.Tolerance).Count(other => !other.IsMatched) == 1)
                {
                    entry.IsMatched = one.IsMatched = true;
                    if (IsInRange(record.Time))
                    {
                        yield return Compared(record, one.Call, byNumbers: true);
                    }
                }
                else if (alike.Length > 0)
                {
                    Array.ForEach(alike, call => call.IsInDoubt = true);
                    if (IsInRange(record.Time))
                    {
                        yield return Of(ReconcileState.Unclear, record, alike[0].Call) with
                        {
                            ByNumbers = true,
                            Why = "No id is the same, and several calls have this number, agent and time.",
                        };
                    }
                }
                else if (IsInRange(record.Time))
                {
                    yield return Missing(record);
                }
            }

            // Of these calls every day that may have a record has passed.
            var final = _unmatched.Where(call => UtcDay.DateOf(call.StartedAt) > day).ToList();
            if (final.Count > 0)
            {
                _unmatched = [.. _unmatched.Except(final)];
                _byNumber = null;
            }

            foreach (var call in final.Where(call => !call.IsMatched && !call.IsInDoubt && IsInRange(call.StartedAt)))
            {
                yield return HereOnly(call);
            }

            _book.Forget(day.AddDays(2));
        }

        private IEnumerable<UnmatchedCall> CallsLike(ReportRecord record)
        {
            _byNumber ??= _unmatched.GroupBy(call => call.NumberEnd, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.ToList(), StringComparer.Ordinal);

            // A detail record of the agent's leg alone does not name the customer.
            return new[] { ReportBook.NumberOf(record.Customer), "" }.Distinct(StringComparer.Ordinal)
                .SelectMany(number => _byNumber.GetValueOrDefault(number) ?? [])
                .Where(call => !call.IsMatched && call.IsLike(record, reconciler._options.Tolerance));
        }

        private ReconciledCall Missing(ReportRecord record) => IsOpen(record)
            ? Of(ReconcileState.Open, record, null) with { Why = "The report has no end of it yet." }
            : Of(ReconcileState.Missing, record, null) with
            {
                Why = "The journal has nothing of it.",
                Reconstructed = ReconstructedNotice.Of(record, reconciler._options.AppId, null),
            };

        private ReconciledCall HereOnly(UnmatchedCall unmatched)
        {
            var call = unmatched.Call;
            return call.EndedAt is null && call.StartedAt > reconciler.LongestOpen ? Of(ReconcileState.Open, null, call) with { Why = "It has not ended." }
                : _book.Like(unmatched, reconciler._options.Tolerance).Any() ? Of(ReconcileState.Unclear, null, call) with
                {
                    ByNumbers = true,
                    Why = "It may be a part of another call with this number, agent and time: its notices name no conversation.",
                }
                : Of(ReconcileState.HereOnly, null, call) with { Why = "No report has it." };
        }

        private ReconciledCall Compared(ReportRecord record, CallRecord call, bool byNumbers)
        {
            var isOutgoing = record.Report.Direction is CallDirection.Outgoing;
            var compared = Of(ReconcileState.Matched, record, call) with { ByNumbers = byNumbers };
            if (!call.Events.Any(notice => notice.IsCdr && (!isOutgoing || notice.Leg != "a" || (call.Outcome is CallOutcome.AgentMissed && !record.Report.IsAnswered))))
            {
                return IsOpen(record)
                    ? compared with { State = ReconcileState.Open, Why = "It has not ended." }
                    : compared with
                    {
                        State = ReconcileState.Incomplete,
                        Why = "The detail record that decides it is not here.",
                        Reconstructed = ReconstructedNotice.Of(record, reconciler._options.AppId, call),
                    };
            }

            // Of a call that rang several agents each has a record of its own; the one that says the same is the one.
            var isSame = record.Report.Agrees(call.Outcome) || call.Events.Any(notice => notice.Kind == record.Report.Kind && notice.CmiUuid == record.CmiUid);
            return !isSame ? compared with { State = ReconcileState.Differing, Why = $"The outcome differs: {record.Report.Name} there, {call.Outcome.Name()} here." }
                : !AgreesOnTalk(record, call) ? compared with { State = ReconcileState.Differing, Why = $"The talk time differs: {record.BilledSeconds} s there, {call.TalkSeconds} s here." }
                : compared;
        }

        private bool IsInRange(DateTimeOffset time) => time >= from && time < to;

        // Answered and without a length, or over only a moment ago: what a report has of a call in progress is not documented.
        private bool IsOpen(ReportRecord record) =>
            (record.Report.IsAnswered && (record.BilledSeconds ?? record.Duration) is null or 0 && record.Time > reconciler.LongestOpen) || record.Time.AddSeconds(Math.Min(record.Duration ?? 0, int.MaxValue)) > reconciler.SettledUntil;

        // Which of the two lengths is the talk time is not documented.
        private static bool AgreesOnTalk(ReportRecord record, CallRecord call) =>
            !record.Report.IsAnswered || call.TalkSeconds is not { } here || (record.BilledSeconds ?? record.Duration) is null
            || Math.Abs((record.BilledSeconds ?? here + TalkTolerance + 1) - here) <= TalkTolerance || Math.Abs((record.Duration ?? here + TalkTolerance + 1) - here) <= TalkTolerance;

        private static ReconciledCall Of(ReconcileState state, ReportRecord? record, CallRecord? call) => new()
        {
            State = state,
            At = record?.Time ?? call!.StartedAt,
            Record = record,
            CallId = call?.Id,
            Outcome = call?.Outcome,
            TalkSeconds = call?.TalkSeconds,
            Agent = record?.Agent ?? call?.Agent,
            Customer = record?.Customer ?? call?.CustomerNumber,
        };
    }
}
