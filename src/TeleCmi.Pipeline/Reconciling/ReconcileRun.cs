using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Reconciling;

/// <summary>
/// The comparison that a host makes by itself. It remembers up to when nothing is missing, begins there, and goes on as far as that
/// holds: what was queued counts only when the next run finds it in the journal.
/// </summary>
public sealed partial class ReconcileRun(
    Reconciler reconciler, IStore store, IOptions<ReconcileOptions> options, TeleCmiMetrics metrics, ILogger<ReconcileRun> logger)
{
    /// <summary>The table that remembers up to when nothing is missing.</summary>
    public const string TableName = "Reconciliations";

    private const string Partition = "complete";
    private const string UpTo = "UpTo";

    // The first run's beginning, and the most that one step takes on: a run that is ended goes on after its last step.
    private static readonly TimeSpan Step = TimeSpan.FromDays(1);

    // What has not been put right by then is left to a person and the command line.
    private static readonly TimeSpan FarthestBack = TimeSpan.FromDays(7);

    private readonly ITable _table = store.Table(TableName);

    /// <summary>Whether the settings are there.</summary>
    public bool IsOn => options.Value.IsOn;

    /// <summary>Runs once; without its settings it does nothing.</summary>
    /// <exception cref="ReportException">The reports cannot be read; the next run goes on where this one was.</exception>
    /// <exception cref="StorageException">Storage failed; likewise.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        if (!IsOn)
        {
            return;
        }

        var until = reconciler.SettledUntil;
        var key = new RowKey(Partition, options.Value.AppId);
        var complete = (await _table.FindAsync(key, columns: null, cancellation))?.Time(UpTo) ?? until - Step;
        if (complete < until - FarthestBack)
        {
            Log.LeftBehind(logger, complete, until - FarthestBack);
            complete = until - FarthestBack;
        }

        var isComplete = true;
        while (isComplete && complete < until)
        {
            var end = complete + Step < until ? complete + Step : until;
            var reached = await CompareAsync(complete, end, cancellation);
            isComplete = reached == end;
            complete = reached;
            await _table.UpsertAsync(new TableRow(key) { [UpTo] = complete }, cancellation);
        }

        metrics.CompleteUpTo(complete);
    }

    // Up to when nothing is missing or still open.
    private async Task<DateTimeOffset> CompareAsync(DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation)
    {
        var counts = new SortedDictionary<ReconcileState, long>();
        var reached = to;
        var queued = 0;
        await foreach (var call in reconciler.CompareAsync(from, to, cancellation))
        {
            counts[call.State] = counts.GetValueOrDefault(call.State) + 1;
            if (call.State is ReconcileState.Missing or ReconcileState.Incomplete or ReconcileState.Open && call.At < reached)
            {
                reached = call.At;
            }

            if (options.Value.Backfill && call.Reconstructed is { } notice)
            {
                await reconciler.QueueAsync(notice, cancellation);
                queued++;
            }
        }

        foreach (var (state, calls) in counts)
        {
            metrics.Reconciled(state.Name(), calls);
        }

        var missing = counts.GetValueOrDefault(ReconcileState.Missing) + counts.GetValueOrDefault(ReconcileState.Incomplete);
        Log.Compared(logger, missing > 0 ? LogLevel.Warning : LogLevel.Information, from, to, string.Join(", ", counts.Select(count => $"{count.Value} {count.Key.Name()}")), queued);
        return reached < from ? from : reached;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 75, Message = "Calls from {From:O} to {To:O} compared with TeleCMI's reports: {Counts}; {Queued} queued.")]
        public static partial void Compared(ILogger logger, LogLevel level, DateTimeOffset from, DateTimeOffset to, string counts, int queued);

        [LoggerMessage(EventId = 76, Level = LogLevel.Error, Message = "Calls since {Complete:O} are not all here, and the run by itself goes back to {From:O} only: telecmi reconcile --from {Complete:yyyy-MM-dd}.")]
        public static partial void LeftBehind(ILogger logger, DateTimeOffset complete, DateTimeOffset from);
    }
}
