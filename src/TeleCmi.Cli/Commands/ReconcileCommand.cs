using System.CommandLine;
using System.Globalization;
using TeleCmi.Cli.Output;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Reconciling;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Cli.Commands;

/// <summary><c>telecmi reconcile</c>: is everything here that TeleCMI knows.</summary>
internal static class ReconcileCommand
{
    private const int QueuedAtOnce = 16;

    public static Command Create(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var limit = CommonOptions.Limit();
        var yes = CommonOptions.Yes();
        var backfill = new Option<bool>("--backfill") { Description = "Queue what is missing, as detail records made of the reports; asks first." };
        var days = CallSelector.Days(runner.Host.Clock);
        var command = new Command("reconcile", "Compares the journal's calls with TeleCMI's call reports; without a day, today's (UTC). Exit code 3 when something is missing.")
        {
            json, limit, backfill, yes,
        };
        days.AddTo(command);
        runner.OnStorage(
            command,
            async (parsed, terminal, connection, cancellation) =>
            {
                var reconciler = connection.Reconciler;
                var last = days.LastOf(parsed) ?? runner.Host.Clock.Today();
                var from = UtcDay.StartOf(days.FirstOf(parsed) ?? last);
                var end = UtcDay.StartOf(last.AddDays(1));
                if (from < reconciler.KeptFrom)
                {
                    from = reconciler.KeptFrom;
                    terminal.Note($"Days before {UtcDay.Of(from)} are not compared: TeleCmi__Retention lets them be purged, and a backfill would bring them back.");
                }

                var until = end < reconciler.SettledUntil ? end : reconciler.SettledUntil;
                var result = await CompareAsync(terminal, reconciler.CompareAsync(from, until, cancellation), parsed.GetValue(limit), parsed.GetValue(backfill));
                if (!parsed.GetValue(json))
                {
                    Write(terminal, result, from, until);
                }

                var queued = 0;
                if (result.Reconstructed.Count > 0)
                {
                    terminal.Confirm($"Queue {result.Reconstructed.Count} detail record(s) made of the reports?", parsed.GetValue(yes));
                    queued = await QueueAsync(terminal, reconciler, result.Reconstructed, cancellation);
                }

                if (parsed.GetValue(json))
                {
                    terminal.Json(DocumentOf(result, from, until, queued), CliJson.Default.ReconcileDocument);
                }
                else if (queued > 0)
                {
                    terminal.Line($"{queued} queued. When they are processed, nothing of this is missing any more: telecmi reconcile tells.");
                }
                else if (result.Missing > 0)
                {
                    terminal.Line("Nothing was changed: --backfill queues what is missing (docs/reconcile.md).");
                }

                return result.Missing > queued ? ExitCodes.NeedsPerson : ExitCodes.Fine;
            },
            withReports: true);
        return command;
    }

    private static Task<Comparison> CompareAsync(Terminal terminal, IAsyncEnumerable<ReconciledCall> calls, int most, bool backfill) => terminal.ProgressAsync("Comparing", total: null, async step =>
    {
        var result = new Comparison();
        await foreach (var call in calls)
        {
            result.Counts[call.State.Name()] = result.Counts.GetValueOrDefault(call.State.Name()) + 1;
            if (call.State is not ReconcileState.Matched && result.Shown.Count < most)
            {
                result.Shown.Add(call);
            }

            if (call.Reconstructed is { } notice)
            {
                result.Missing++;
                if (backfill)
                {
                    result.Reconstructed.Add(notice);
                }
            }

            step();
        }

        return result;
    });

    private static Task<int> QueueAsync(Terminal terminal, Reconciler reconciler, List<ReconstructedNotice> notices, CancellationToken cancellation) =>
        terminal.ProgressAsync("Queueing", notices.Count, async step =>
        {
            var queued = 0;
            await Parallel.ForEachAsync(notices, new ParallelOptions { MaxDegreeOfParallelism = QueuedAtOnce, CancellationToken = cancellation }, async (notice, token) =>
            {
                await reconciler.QueueAsync(notice, token);
                Interlocked.Increment(ref queued);
                step();
            });
            return queued;
        });

    private static void Write(Terminal terminal, Comparison result, DateTimeOffset from, DateTimeOffset until)
    {
        if (result.Shown.Count > 0)
        {
            terminal.Table(
                ["State", "At (UTC)", "Report", "Agent", "Customer", "There", "Here", "Why"],
                result.Shown.Select(call => new[]
                {
                    call.State.Name(),
                    Times.InTable(call.At),
                    call.Record?.Report.Name,
                    call.Agent,
                    LogText.OfPhoneNumber(call.Customer),
                    Seconds(call.Record?.BilledSeconds),
                    call.Outcome is { } outcome ? $"{outcome.Name()} {Seconds(call.TalkSeconds)}" : null,
                    call.Why,
                }));
        }

        var compared = result.Counts.Values.Sum();
        if (compared - result.Counts.GetValueOrDefault(ReconcileState.Matched.Name()) > result.Shown.Count)
        {
            terminal.Note($"There are more than {result.Shown.Count}: raise --limit or narrow the choice.");
        }

        terminal.Line(from >= until ? "No call of these days is settled yet."
            : compared == 0 ? $"No calls from {Times.Of(from)} to {Times.Of(until)}, here or there."
            : $"From {Times.Of(from)} to {Times.Of(until)}: {string.Join(", ", result.Counts.Select(count => $"{count.Value} {count.Key}"))}.");
    }

    private static string? Seconds(long? seconds) => seconds is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known} s") : null;

    private static ReconcileDocument DocumentOf(Comparison result, DateTimeOffset from, DateTimeOffset until, int queued) => new(
        Times.Of(from), Times.Of(until), result.Missing, queued, result.Counts, [.. result.Shown.Select(ReconciledCallDocument.Of)]);

    private sealed class Comparison
    {
        public SortedDictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

        public int Missing { get; set; }

        /// <summary>The first that do not agree.</summary>
        public List<ReconciledCall> Shown { get; } = [];

        public List<ReconstructedNotice> Reconstructed { get; } = [];
    }
}

/// <summary>A comparison as <c>--json</c> has it.</summary>
/// <param name="From">The first moment.</param>
/// <param name="To">The moment after the last.</param>
/// <param name="Missing">How many calls, or detail records of calls, are not here.</param>
/// <param name="Queued">How many of them were queued now.</param>
/// <param name="Counts">How many calls are in each state.</param>
/// <param name="Calls">Those that do not agree, as many as <c>--limit</c> allows.</param>
internal sealed record ReconcileDocument(
    string? From, string? To, int Missing, int Queued, IReadOnlyDictionary<string, int> Counts, IReadOnlyList<ReconciledCallDocument> Calls);

/// <summary>One call of a comparison; its phone number is masked.</summary>
internal sealed record ReconciledCallDocument(
    string State, string? At, string? Why, string? Report, string? CmiUid, string? CallId, bool ByNumbers, string? Agent, string? Customer, long? TalkSecondsThere, string? Outcome, long? TalkSeconds, string? EventId)
{
    public static ReconciledCallDocument Of(ReconciledCall call) => new(
        call.State.Name(), Times.Of(call.At), call.Why, call.Record?.Report.Name, call.Record?.CmiUid, call.CallId, call.ByNumbers, call.Agent,
        call.Customer is null ? null : LogText.OfPhoneNumber(call.Customer), call.Record?.BilledSeconds, call.Outcome?.Name(), call.TalkSeconds, call.Reconstructed?.Id);
}
