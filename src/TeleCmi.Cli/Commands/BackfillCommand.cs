using System.CommandLine;
using System.Globalization;
using TeleCmi.Cli.Output;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Cli.Commands;

/// <summary><c>telecmi forward backfill</c>: sends a destination what the journal has and it never got.</summary>
internal static class BackfillCommand
{
    private const int MostPerSecond = 1000;
    private const int UsualPerSecond = 10;

    public static Command Create(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var yes = new Option<bool>("--yes", "-y") { Description = "Send without asking. Otherwise nothing is sent unless a person at the terminal says so." };
        var name = CommonOptions.Text("--name", "The destination, which the settings name with its filters as the receiver's do; without address and secrets.");
        var from = CommonOptions.Day("--from", "The first day, by the event's own time; of calls, the day they began");
        var to = CommonOptions.Day("--to", "The last day");
        var rate = CommonOptions.Number("--rate", "The most that are queued in a second.", 1, MostPerSecond, UsualPerSecond);
        var agent = CommonOptions.Text("--agent", "Only this agent, with the app id (202_2222223) or without (202).");
        var number = CommonOptions.Customer("Only this customer, by the number's last digits");
        var team = CommonOptions.Text("--team", "Only this team, with the app id (Sales_2222223) or without (Sales).");
        var direction = CommonOptions.OneOf("--direction", "Only this way.", [.. CallNames.Directions.Select(direction => direction.Name())]);
        var kind = CommonOptions.Kind("Only this kind of event, such as outgoing.answered; of calls, those that have one.");
        var outcome = CommonOptions.OneOf("--outcome", "Only calls that ended like this.", [.. CallNames.Outcomes.Select(outcome => outcome.Name())]);
        (name.Required, from.Required, to.Required) = (true, true, true);
        var command = new Command("backfill", "Sends a destination what the journal has and it never got, oldest first. Counts first, and asks. Can be repeated after an interruption: each is sent once.")
        {
            name, from, to, agent, number, team, direction, kind, outcome, rate, yes, json,
        };
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var destination = await FindAsync(connection, parsed.GetRequiredValue(name), cancellation);
            if (parsed.GetValue(outcome) is not null && !destination.SendsCalls)
            {
                throw new CliException($"--outcome: {destination.Destination} gets events, and only calls have an outcome.", ExitCodes.Usage);
            }

            var filter = new BackfillFilter
            {
                From = parsed.GetRequiredValue(from)!.Value,
                To = parsed.GetRequiredValue(to)!.Value,
                Agent = parsed.GetValue(agent),
                Number = parsed.GetValue(number),
                Team = parsed.GetValue(team),
                Direction = parsed.GetValue(direction) is { } way ? CallNames.Directions.Single(known => known.Name() == way) : null,
                Kind = parsed.GetValue(kind) is { } wanted && EventKinds.TryParse(wanted, out var known) ? known : null,
                Outcome = parsed.GetValue(outcome) is { } end ? CallNames.Outcomes.Single(known => known.Name() == end) : null,
            };
            var found = await CountAsync(terminal, connection.Backfill.FindAsync(destination, filter, cancellation));
            var (perSecond, isJson, queued) = (parsed.GetValue(rate), parsed.GetValue(json), 0);
            if (!isJson)
            {
                Write(terminal, destination, filter, found);
            }

            if (found.ToSend > 0 && !parsed.GetValue(yes) && !terminal.IsInteractive)
            {
                terminal.Note("Nothing was sent: say --yes to send.");
            }
            else if (found.ToSend > 0)
            {
                terminal.Confirm(
                    string.Create(CultureInfo.InvariantCulture, $"Send {found.ToSend} {NounOf(destination)}(s) to {destination.Destination}, {perSecond} a second, in about {TimeSpan.FromSeconds(found.ToSend / perSecond):c}?"),
                    parsed.GetValue(yes));
                try
                {
                    await terminal.ProgressAsync("Queueing", found.ToSend, async step =>
                    {
                        await connection.Backfill.RunAsync(
                            destination,
                            filter,
                            perSecond,
                            () =>
                            {
                                Interlocked.Increment(ref queued);
                                step();
                            },
                            cancellation);
                        return true;
                    });
                }
                finally
                {
                    // Also when it breaks off: what is queued is queued.
                    if (!isJson)
                    {
                        terminal.Line($"{queued} of {found.ToSend} queued; the receiver sends them. telecmi forward list --name {destination.Destination} tells.");
                    }
                }
            }

            if (isJson)
            {
                terminal.Json(DocumentOf(destination, filter, found, queued), CliJson.Default.BackfillDocument);
            }

            return ExitCodes.Fine;
        });
        return command;
    }

    private static async Task<DestinationFilter> FindAsync(Connection connection, string name, CancellationToken cancellation)
    {
        var filters = connection.DestinationFilters;
        var destination = filters.Find(name) ?? throw new CliException(
            $"The settings name no destination '{name}'{(filters.All.Count == 0 ? "" : $", only {string.Join(", ", filters.All.Select(filter => filter.Destination))}")}: set TeleCmi__Forward__0__Name, Send and its filters as the receiver has them (docs/forwarding.md#backfill); Url and Secrets are not needed.",
            ExitCodes.Usage);
        return (await connection.Destinations.ReadAsync(cancellation)).Any(state => state.DisabledAt is not null && state.Destination.Equals(destination.Destination, StringComparison.OrdinalIgnoreCase))
            ? throw new CliException($"{destination.Destination} is disabled, because it responded with 410: all of it would go to DeadLetters. End that first: telecmi forward resume --name {destination.Destination}", ExitCodes.Failed)
            : destination;
    }

    private static Task<Found> CountAsync(Terminal terminal, IAsyncEnumerable<BackfillItem> items) => terminal.ProgressAsync("Counting", total: null, async step =>
    {
        var found = new Found();
        await foreach (var item in items)
        {
            found.Counts[item.State] = found.Counts.GetValueOrDefault(item.State) + 1;
            if (item.State is BackfillState.ToSend)
            {
                (found.First, found.Last) = (found.First ?? item, item);
            }

            step();
        }

        return found;
    });

    private static void Write(Terminal terminal, DestinationFilter destination, BackfillFilter filter, Found found)
    {
        terminal.Line($"{destination.Destination}, {NounOf(destination)}s from {UtcDay.Of(filter.From)} to {UtcDay.Of(filter.To)}");
        foreach (var (state, count) in found.Counts)
        {
            terminal.Line($"{Describe(state),-24} {count}");
        }

        if (found is { First: { } first, Last: { } last })
        {
            terminal.Line($"{"first to send",-24} {Times.Of(first.At)}  {first.Id}");
            terminal.Line($"{"last to send",-24} {Times.Of(last.At)}  {last.Id}");
        }
        else
        {
            terminal.Line("Nothing is left to send.");
        }

        if (found.Counts.ContainsKey(BackfillState.Failed))
        {
            terminal.Note($"What failed is sent again by: telecmi forward resend --failed --name {destination.Destination}");
        }
    }

    private static BackfillDocument DocumentOf(DestinationFilter destination, BackfillFilter filter, Found found, int queued) => new(
        destination.Destination,
        destination.SendsCalls ? "calls" : "events",
        UtcDay.Of(filter.From),
        UtcDay.Of(filter.To),
        found.Counts.ToDictionary(count => NameOf(count.Key), count => count.Value, StringComparer.Ordinal),
        found.First?.Id,
        found.Last?.Id,
        queued);

    private static string NounOf(DestinationFilter destination) => destination.SendsCalls ? "call" : "event";

    private static string Describe(BackfillState state) => state switch
    {
        BackfillState.ToSend => "to send",
        BackfillState.FilteredOut => "refused by its filters",
        BackfillState.Superseded => "once per conversation",
        BackfillState.NotEnded => "not ended",
        _ => NameOf(state),
    };

    private static string NameOf(BackfillState state) => $"{char.ToLowerInvariant($"{state}"[0])}{$"{state}"[1..]}";

    private sealed class Found
    {
        public SortedDictionary<BackfillState, int> Counts { get; } = [];

        public int ToSend => Counts.GetValueOrDefault(BackfillState.ToSend);

        public BackfillItem? First { get; set; }

        public BackfillItem? Last { get; set; }
    }
}

/// <summary>A backfill as <c>--json</c> has it.</summary>
/// <param name="Destination">The destination.</param>
/// <param name="Send"><c>events</c> or <c>calls</c>.</param>
/// <param name="From">The first day.</param>
/// <param name="To">The last one.</param>
/// <param name="Counts">How many are in each state before anything was queued.</param>
/// <param name="First">The id of the first to send.</param>
/// <param name="Last">That of the last.</param>
/// <param name="Queued">How many were queued now.</param>
internal sealed record BackfillDocument(string Destination, string Send, string From, string To, IReadOnlyDictionary<string, int> Counts, string? First, string? Last, int Queued);
