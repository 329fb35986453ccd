using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using TeleCmi.Cli.Output;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Cli.Commands;

/// <summary><c>telecmi calls</c>: phone calls, each as one thing.</summary>
internal static class CallCommands
{
    public static Command Create(CommandRunner runner) => new("calls", "Phone calls: who called whom, how it ended, how long they talked.")
    {
        List(runner),
        Show(runner),
        Export(runner),
        Callbacks(runner),
        Agents(runner),
    };

    private static Command List(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var limit = CommonOptions.Limit();
        var selector = new CallSelector(runner.Host.Clock);
        var command = new Command("list", "Lists calls, newest first, phone numbers masked.") { json, limit };
        selector.AddTo(command);
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var most = parsed.GetValue(limit);
            var calls = await connection.Calls.QueryAsync(selector.FilterOf(parsed), cancellation).Take(most + 1).ToListAsync(cancellation);
            var shown = calls.Take(most).ToList();
            if (parsed.GetValue(json))
            {
                terminal.Json(shown.Select(call => CallDocument.Of(call, isMasked: true)), CliJson.Default.IEnumerableCallDocument);
            }
            else if (shown.Count == 0)
            {
                terminal.Line("No calls. Whole calls need TeleCmi__AcceptedEvents=* (docs/calls.md).");
            }
            else
            {
                terminal.Table(
                    ["Began (UTC)", "Local", "Way", "Agent", "Customer", "Outcome", "Talk", "Rec"],
                    shown.Select(call => new[]
                    {
                        call.StartedAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
                        TimeZoneInfo.ConvertTime(call.StartedAt, runner.Host.Clock.LocalTimeZone).ToString("HH:mm", CultureInfo.InvariantCulture),
                        Way(call.Direction), call.Agent, LogText.OfPhoneNumber(call.CustomerNumber), call.Outcome.Name(), Seconds(call.TalkSeconds), call.Recording is null ? "" : "yes",
                    }));
            }

            if (calls.Count > most)
            {
                terminal.Note($"There are more than {most}: raise --limit, narrow the choice, or export.");
            }

            return ExitCodes.Fine;
        });
        return command;
    }

    private static Command Show(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var id = CommonOptions.ParsedArgument("id", "A conversation, a click2call request, an event's id, or a call's.", CommonOptions.NotEmpty);
        var command = new Command("show", "Shows one call in full, phone numbers included, and its events in order of receipt.") { id, json };
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var wanted = parsed.GetRequiredValue(id);
            var calls = await connection.Calls.FindAsync(wanted, cancellation);
            if (calls.Count == 0)
            {
                throw new CliException($"The journal has no call {wanted}.", ExitCodes.Failed);
            }

            if (parsed.GetValue(json))
            {
                terminal.Json(calls.Select(call => CallDocument.Of(call)), CliJson.Default.IEnumerableCallDocument);
                return ExitCodes.Fine;
            }

            foreach (var call in calls.Select(call => CallDocument.Of(call)))
            {
                foreach (var (name, value) in CallColumns.Names.Zip(call.Texts()).Where(column => !string.IsNullOrEmpty(column.Second)))
                {
                    terminal.Line($"{name,-18} {value}");
                }

                foreach (var notice in call.Events)
                {
                    terminal.Line($"{notice.ReceivedAt}  {notice.Kind,-22} {notice.Leg ?? "-"}  {notice.Id}");
                }

                terminal.Line();
            }

            return ExitCodes.Fine;
        });
        return command;
    }

    private static Command Export(CommandRunner runner)
    {
        var selector = new CallSelector(runner.Host.Clock);
        var export = new ExportOptions();
        var command = new Command("export", "Writes calls in full, phone numbers included: JSON lines, or CSV for spreadsheets.");
        export.AddTo(command);
        selector.AddTo(command);
        runner.OnStorage(command, (parsed, terminal, connection, cancellation) => export.WriteAsync(
            parsed,
            terminal,
            connection.Calls.QueryAsync(selector.FilterOf(parsed), cancellation).Select(call => CallDocument.Of(call)),
            "call",
            CallColumns.Names,
            call => call.Texts(),
            call => JsonSerializer.Serialize(call, CompactJson.Default.CallDocument),
            cancellation));
        return command;
    }

    private static Command Callbacks(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var selector = new CallSelector(runner.Host.Clock);
        var command = new Command("callbacks", "Lists customers to call back: missed, or not reached, and not spoken with since; numbers are compared by their last digits.") { json };
        selector.AddDaysTo(command);
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            // Whoever spoke with the customer, and on whatever day since, settles it.
            var filter = selector.FilterOf(parsed);
            var today = runner.Host.Clock.Today();
            var since = new CallFilter { From = filter.From, To = filter.To > today ? filter.To : today };
            var calls = await connection.Calls.QueryAsync(since, cancellation).Select(call => call.WithoutEvents()).ToListAsync(cancellation);
            var customers = CustomerToCallBack.Of(calls, call => UtcDay.DateOf(call.StartedAt) <= filter.To && filter.Matches(call));
            IReadOnlyList<CallbackDocument> callbacks = [.. customers.Select(CallbackDocument.Of)];
            if (parsed.GetValue(json))
            {
                terminal.Json(callbacks, CliJson.Default.IReadOnlyListCallbackDocument);
            }
            else if (callbacks.Count == 0)
            {
                terminal.Line("Nobody to call back.");
            }
            else
            {
                terminal.Table(
                    ["Customer", "Last", "Outcome", "Attempts", "Agent"],
                    callbacks.Select(callback => new[] { callback.CustomerNumber, callback.LastAt, callback.Outcome, $"{callback.Attempts}", callback.Agent }));
            }

            return ExitCodes.Fine;
        });
        return command;
    }

    private static Command Agents(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var selector = new CallSelector(runner.Host.Clock);
        var command = new Command("agents", "Each agent's calls, how many reached the customer, and talk time.") { json };
        selector.AddDaysTo(command);
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var calls = await connection.Calls.QueryAsync(selector.FilterOf(parsed), cancellation).Where(call => call.Agent is not null).Select(call => call.WithoutEvents()).ToListAsync(cancellation);
            AgentDocument[] agents =
            [
                .. calls.GroupBy(call => call.Agent!, StringComparer.Ordinal).OrderBy(agent => agent.Key, StringComparer.Ordinal).Select(agent =>
                {
                    var figures = CallFigures.Of([.. agent]);
                    return new AgentDocument(agent.Key, figures.Calls, figures.Reached, figures.ConnectRate, figures.TalkSeconds);
                }),
            ];
            if (parsed.GetValue(json))
            {
                terminal.Json(agents, CliJson.Default.AgentDocumentArray);
            }
            else
            {
                terminal.Table(
                    ["Agent", "Calls", "Reached", "Connect rate", "Talk"],
                    agents.Select(agent => new[]
                    {
                        agent.Agent, $"{agent.Calls}", $"{agent.Reached}", agent.ConnectRate.ToString("P0", CultureInfo.InvariantCulture), Seconds(agent.TalkSeconds),
                    }));
            }

            return ExitCodes.Fine;
        });
        return command;
    }

    private static string? Way(CallDirection? direction) => direction switch
    {
        CallDirection.Outgoing => "out",
        CallDirection.Incoming => "in",
        _ => null,
    };

    private static string? Seconds(long? seconds) => seconds is { } known ? TimeSpan.FromSeconds(known).ToString(known >= 3600 ? @"h\:mm\:ss" : @"m\:ss", CultureInfo.InvariantCulture) : null;
}
