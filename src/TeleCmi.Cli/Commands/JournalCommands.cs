using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using TeleCmi.Cli.Output;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Cli.Commands;

/// <summary><c>telecmi journal</c>: what has been processed.</summary>
internal static class JournalCommands
{
    // What could harm a terminal is made visible when it is written there.
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // A shorter one would occur by chance in dead letters of other people.
    private const int FewestDigits = 6;

    public static Command Create(CommandRunner runner) => new("journal", "What has been processed.")
    {
        List(runner),
        Show(runner),
        Export(runner),
        Delete(runner),
    };

    private static Command List(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var limit = CommonOptions.Limit();
        var selector = new JournalSelector();
        var command = new Command("list", "Lists events, newest first, phone numbers masked.") { json, limit };
        selector.AddTo(command);
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var most = parsed.GetValue(limit);
            var rows = await connection.Journal.ReadNewestAsync(selector.FilterOf(parsed), most + 1, cancellation);
            var shown = rows.Take(most).ToList();
            if (parsed.GetValue(json))
            {
                terminal.Json(shown.Select(row => JournalFields.JsonOf(row, inFull: false)), CliJson.Default.IEnumerableJsonObject);
            }
            else if (shown.Count == 0)
            {
                terminal.Line("No events.");
            }
            else
            {
                // The id has a line of its own: it is what show takes, and too long for a column.
                foreach (var row in shown)
                {
                    terminal.Line($"{Times.Of(row.EventTime) ?? "-"}  {row.Kind}  leg {row.Leg ?? "-"}{(row.ProcessedAt is null ? "  not processed" : "")}");
                    terminal.Indented($"agent {row.User ?? "-"}, to {LogText.OfPhoneNumber(row.To) ?? "-"}");
                    terminal.Indented(row.EventId);
                }
            }

            if (rows.Count > most)
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
        var id = CommonOptions.ParsedArgument("id", "An event's id, a conversation or a click2call request: the whole call.", CommonOptions.NotEmpty);
        var command = new Command("show", "Shows events in full, phone numbers included, in order of receipt.") { id, json };
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var wanted = parsed.GetRequiredValue(id);
            var rows = new List<JournalRow>();
            foreach (var notice in (await connection.Calls.FindAsync(wanted, cancellation)).SelectMany(call => call.Events).Where(notice => notice.Id == wanted || !wanted.Contains(":event:", StringComparison.Ordinal)))
            {
                if (await connection.Journal.FindAsync(notice.Key, cancellation) is { } row)
                {
                    rows.Add(row);
                }
            }

            if (rows.Count == 0)
            {
                throw new CliException($"The journal has no event or conversation {wanted}.", ExitCodes.Failed);
            }

            if (parsed.GetValue(json))
            {
                terminal.Json(rows.Select(row => JournalFields.JsonOf(row, inFull: true)), CliJson.Default.IEnumerableJsonObject);
                return ExitCodes.Fine;
            }

            rows.ForEach(row => Write(terminal, row));
            return ExitCodes.Fine;
        });
        return command;
    }

    private static Command Export(CommandRunner runner)
    {
        var selector = new JournalSelector();
        var export = new ExportOptions();
        var command = new Command("export", "Writes events in full, phone numbers included: JSON lines, or CSV for spreadsheets.");
        export.AddTo(command);
        selector.AddTo(command);
        runner.OnStorage(command, (parsed, terminal, connection, cancellation) => export.WriteAsync(
            parsed,
            terminal,
            connection.Journal.QueryAsync(selector.FilterOf(parsed), cancellation),
            "event",
            JournalFields.Names,
            JournalFields.TextsOf,
            row => JournalFields.JsonOf(row, inFull: true).ToJsonString(),
            cancellation));
        return command;
    }

    private static Command Delete(CommandRunner runner)
    {
        var selector = new JournalSelector();
        var json = CommonOptions.Json();
        var yes = CommonOptions.Yes();
        var number = CommonOptions.Parsed(
            "--number",
            "Every call in which this phone number occurs; write it as TeleCMI sends it, only digits count.",
            text => text.Count(char.IsAsciiDigit) >= FewestDigits ? text : throw new FormatException(
                $"write the whole phone number, at least {FewestDigits} digits: dead letters go in whose body they occur anywhere."));
        var command = new Command("delete", "Deletes one conversation, or every call of one phone number, from the journal for good, after asking.")
        {
            selector.Conversation, number, yes, json,
        };
        selector.AddRangeTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(selector.Conversation) is null == result.GetResult(number) is null)
            {
                result.AddError("Write --conversation or --number.");
            }
        });
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var range = selector.RangeOf(parsed);
            var keys = await terminal.ProgressAsync("Looking", total: null, _ => parsed.GetValue(number) is { } wanted
                ? connection.Erasure.FindCallsOfAsync(wanted, range, cancellation)
                : connection.Erasure.FindCallAsync(parsed.GetRequiredValue(selector.Conversation), cancellation));
            if (keys.Count > 0)
            {
                terminal.Confirm($"Delete {keys.Count} event(s) from the journal for good?", parsed.GetValue(yes));
            }

            // What belongs to the events goes first: without the journal nothing leads to it.
            var erased = await connection.ForwardErasure.EraseAsync(keys, parsed.GetValue(number), cancellation);
            await terminal.ProgressAsync("Deleting", keys.Count, async step =>
            {
                foreach (var key in keys)
                {
                    await connection.Erasure.EraseAsync(key, cancellation);
                    step();
                }

                return true;
            });
            if (parsed.GetValue(json))
            {
                terminal.Json(new DeletedDocument(keys.Count, erased.Deliveries, erased.DeadLetters), CliJson.Default.DeletedDocument);
            }
            else
            {
                terminal.Line($"{keys.Count} event(s) deleted, with {erased.Deliveries} deliveries and {erased.DeadLetters} dead letters; what waits for a destination is not sent any more.");
            }

            return ExitCodes.Fine;
        });
        return command;
    }

    private static void Write(Terminal terminal, JournalRow row)
    {
        foreach (var (name, value) in JournalFields.Names.Zip(JournalFields.TextsOf(row)))
        {
            if (!string.IsNullOrEmpty(value))
            {
                terminal.Line($"{name,-16} {value}");
            }
        }

        terminal.Text(JournalFields.EventOf(row)?.ToJsonString(Indented) ?? "");
        terminal.Line();
    }
}
