using System.CommandLine;
using TeleCmi.Cli.Output;
using TeleCmi.Pipeline.Forwarding;

namespace TeleCmi.Cli.Commands;

/// <summary><c>telecmi forward list|show|resend|resume</c>: what became of each event at each destination.</summary>
internal static class DeliveryCommands
{
    public static Command List(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var limit = CommonOptions.Limit();
        var name = Name();
        var state = CommonOptions.OneOf("--state", "Only those that are so.", DeliveryState.All);
        var call = CommonOptions.Text("--id", "Only this event or call: an event's id, a conversation or a click2call request.");
        var days = Days();
        var command = new Command("list", "Lists deliveries, newest first: which event went to which destination, and how far it is.") { json, limit, name, state, call };
        days.AddTo(command);
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var most = parsed.GetValue(limit);
            var filter = new DeliveryFilter { From = days.FirstOf(parsed), To = days.LastOf(parsed), Destination = parsed.GetValue(name), State = parsed.GetValue(state) };
            var found = parsed.GetValue(call) is { } wanted
                ? (await FindAsync(connection, wanted, cancellation)).Where(filter.Matches).Reverse().ToList()
                : await connection.Deliveries.NewestAsync(filter, cancellation).Take(most + 1).ToListAsync(cancellation);
            var shown = found.Take(most).ToList();
            if (parsed.GetValue(json))
            {
                terminal.Json(shown.Select(DeliveryDocument.Of), CliJson.Default.IEnumerableDeliveryDocument);
            }
            else if (shown.Count == 0)
            {
                terminal.Line("No deliveries.");
            }
            else
            {
                terminal.Table(
                    ["Received (UTC)", "Destination", "State", "Attempts", "Last", "Next (UTC)", "Event"],
                    shown.Select(delivery => new[]
                    {
                        Times.InTable(delivery.ReceivedAt), delivery.Destination, delivery.State, $"{delivery.Attempts.Count}", Last(delivery), Times.InTable(delivery.NextAttemptAt), delivery.EventId,
                    }));
            }

            if (found.Count > most)
            {
                terminal.Note($"There are more than {most}: raise --limit or narrow the choice.");
            }

            return ExitCodes.Fine;
        });
        return command;
    }

    public static Command Show(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var id = CommonOptions.ParsedArgument("id", "An event's id, a conversation or a click2call request: the whole call.", CommonOptions.NotEmpty);
        var command = new Command("show", "Shows the deliveries of an event or a call with each attempt.") { id, json };
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var deliveries = await FindAsync(connection, parsed.GetRequiredValue(id), cancellation);
            if (deliveries.Count == 0)
            {
                throw new CliException($"Nothing of {parsed.GetRequiredValue(id)} was forwarded.", ExitCodes.Failed);
            }

            if (parsed.GetValue(json))
            {
                terminal.Json(deliveries.Select(DeliveryDocument.Of), CliJson.Default.IEnumerableDeliveryDocument);
                return ExitCodes.Fine;
            }

            foreach (var delivery in deliveries)
            {
                terminal.Line($"{delivery.EventId} to {delivery.Destination}: {delivery.State}{(delivery.NextAttemptAt is { } next ? $", next attempt {Times.Of(next)}" : "")}");
                foreach (var attempt in delivery.Attempts)
                {
                    terminal.Line($"    {Times.Of(attempt.At)}  {(attempt.Status is { } status ? $"{status}" : "no response")}, {attempt.Milliseconds} ms");
                }

                if (delivery.Fault is { } fault)
                {
                    terminal.Line($"    {fault}");
                }
            }

            return ExitCodes.Fine;
        });
        return command;
    }

    public static Command Resend(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var yes = CommonOptions.Yes();
        var name = Name();
        var failed = new Option<bool>("--failed") { Description = "All that failed." };
        var id = CommonOptions.Text("--id", "This event or call, also where it was delivered: an event's id, a conversation or a click2call request.");
        var days = Days();
        var command = new Command("resend", "Sends events to their destinations again, after asking; the same webhook-id as before. Their dead letters go.") { id, failed, name, yes, json };
        days.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(id) is null == result.GetResult(failed) is null)
            {
                result.AddError("Say what: --id or --failed.");
            }
        });
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var filter = new DeliveryFilter
            {
                From = days.FirstOf(parsed),
                To = days.LastOf(parsed),
                Destination = parsed.GetValue(name),
                State = parsed.GetValue(failed) ? DeliveryState.Failed : null,
            };
            var chosen = parsed.GetValue(id) is { } wanted
                ? (await FindAsync(connection, wanted, cancellation)).Where(filter.Matches).ToList()
                : await connection.Deliveries.NewestAsync(filter, cancellation).ToListAsync(cancellation);

            // Of a call that was sent again because it changed, the last one.
            chosen = [.. chosen.GroupBy(delivery => (delivery.Destination, delivery.CallId ?? delivery.EventId)).Select(same => same.MaxBy(delivery => delivery.Revision)!)];
            if (chosen.Count > 0)
            {
                terminal.Confirm($"Send {chosen.Count} event(s) again?", parsed.GetValue(yes));
            }

            var (queued, faults) = (0, new List<string>());
            try
            {
                await terminal.ProgressAsync("Sending", chosen.Count, async step =>
                {
                    foreach (var delivery in chosen)
                    {
                        if (await connection.Resend.ResendAsync(delivery, cancellation) is { } fault)
                        {
                            faults.Add($"{delivery.EventId} to {delivery.Destination}: {fault}");
                        }
                        else
                        {
                            queued++;
                        }

                        step();
                    }

                    return true;
                });
            }
            finally
            {
                // Also when it is interrupted: what is queued stays queued.
                if (parsed.GetValue(json))
                {
                    terminal.Json(new ResentDocument(chosen.Count, queued, faults), CliJson.Default.ResentDocument);
                }
                else
                {
                    faults.ForEach(terminal.Line);
                    terminal.Line(chosen.Count == 0 ? "No deliveries matched." : $"{queued} of {chosen.Count} queued again.");
                }
            }

            return faults.Count > 0 ? ExitCodes.NeedsPerson : chosen.Count == 0 ? ExitCodes.Failed : ExitCodes.Fine;
        });
        return command;
    }

    public static Command Resume(CommandRunner runner)
    {
        var name = Name();
        name.Required = true;
        var command = new Command("resume", "Ends a destination's stop after a 410, and forgets since when it fails.") { name };
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var destination = parsed.GetRequiredValue(name);
            if (!await connection.Destinations.ResumeAsync(destination, cancellation))
            {
                throw new CliException($"No destination '{destination}' is disabled or failing.", ExitCodes.Failed);
            }

            terminal.Line($"{destination} is sent to again within a minute. What it missed: telecmi forward resend --failed --name {destination}");
            return ExitCodes.Fine;
        });
        return command;
    }

    // The id of an event, or of a call as it was sent, is that one; anything else the whole call.
    private static async Task<IReadOnlyList<Delivery>> FindAsync(Connection connection, string id, CancellationToken cancellation)
    {
        var calls = await connection.Calls.FindAsync(id, cancellation);
        if (calls.Count == 0 && id.LastIndexOf(':') is > 0 and var end)
        {
            calls = await connection.Calls.FindAsync(id[..end], cancellation);
        }

        var deliveries = new List<Delivery>();
        foreach (var call in calls)
        {
            deliveries.AddRange(await connection.Deliveries.OfAsync(call, cancellation));
        }

        var isOne = calls.Any(call => call.Events.Any(notice => notice.Id == id)) || deliveries.Exists(delivery => delivery.EventId == id);
        return isOne ? deliveries.FindAll(delivery => delivery.EventId == id)
            : calls.Any(call => id.StartsWith($"{call.Id}:", StringComparison.Ordinal)) ? []
            : deliveries;
    }

    private static Option<string> Name() => CommonOptions.Text("--name", "Only this destination.");

    private static DayRange Days() => new(
        CommonOptions.Day("--day", "Only events of this day, by the event's own time"),
        CommonOptions.Day("--from", "Events of this day or later, and those without a time"),
        CommonOptions.Day("--to", "Events of this day or earlier"));

    private static string Last(Delivery delivery) => delivery.Attempts switch
    {
        [] => "none yet",
        [.., { Status: { } status }] => $"{status}",
        _ => "no response",
    };
}
