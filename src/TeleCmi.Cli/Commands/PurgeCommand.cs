using System.CommandLine;
using TeleCmi.Cli.Output;
using TeleCmi.Pipeline;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Cli.Commands;

/// <summary><c>telecmi purge</c>: deletes what is older than the retention.</summary>
internal static class PurgeCommand
{
    private const string Setting = "TeleCmi__Retention";

    public static Command Create(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var yes = CommonOptions.Yes();
        var days = CommonOptions.Parsed<int?>(
            "--older-than",
            $"Days that are kept, at least {TeleCmiOptions.ShortestRetention}; without it, the setting {Setting} counts.",
            text => CommonOptions.NumberOf(text, TeleCmiOptions.ShortestRetention, TeleCmiOptions.LongestRetention));
        var dryRun = new Option<bool>("--dry-run") { Description = "Count only, delete nothing." };
        var command = new Command(
            "purge", "Deletes events, deliveries, claims and dead letters that are older than the retention for good, day by day, after asking. Can be repeated after an interruption.")
        {
            days, dryRun, yes, json,
        };
        runner.OnStorage(
            command,
            async (parsed, terminal, connection, cancellation) =>
            {
                if ((parsed.GetValue(days) ?? connection.Retention) is not { } kept)
                {
                    throw new CliException($"How long is not said: set {Setting} to a number of days, or write --older-than.", ExitCodes.Usage);
                }

                var before = runner.Host.Clock.Today().AddDays(-kept);
                var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
                var isDryRun = parsed.GetValue(dryRun);
                if (!isDryRun)
                {
                    terminal.Confirm($"Delete everything before {UtcDay.Of(before)} for good?", parsed.GetValue(yes));
                }

                try
                {
                    await foreach (var day in connection.Purge.RunAsync(before, isDryRun, cancellation))
                    {
                        counts[day.Table] = counts.GetValueOrDefault(day.Table) + day.Rows;
                        if (!parsed.GetValue(json))
                        {
                            terminal.Line($"{day.Day}  {day.Table,-14} {day.Rows}");
                        }
                    }
                }
                finally
                {
                    // Also when it is interrupted: the days above are done.
                    if (parsed.GetValue(json))
                    {
                        terminal.Json(new PurgeDocument(UtcDay.Of(before), isDryRun, counts), CliJson.Default.PurgeDocument);
                    }
                    else
                    {
                        terminal.Line($"{counts.Values.Sum()} rows before {UtcDay.Of(before)} {(isDryRun ? "would be deleted" : "deleted")}.");
                    }
                }

                return ExitCodes.Fine;
            },
            withReceiver: true);
        return command;
    }
}
