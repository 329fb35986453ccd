using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using TeleCmi.Cli.Output;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Cli.Commands;

/// <summary><c>telecmi journal</c>: what has been processed.</summary>
internal static class JournalCommands
{
    private const int RowsBetweenFlushes = 1000;

    // What could harm a terminal is made visible when it is written there.
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

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
        var command = new Command("list", "Lists events by day, phone numbers masked.") { json, limit };
        selector.AddTo(command);
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var most = parsed.GetValue(limit);
            var rows = await connection.Journal.QueryAsync(selector.FilterOf(parsed), cancellation).Take(most + 1).ToListAsync(cancellation);
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
                terminal.Table(
                    ["Time", "Kind", "Leg", "By", "Agent", "To", "Conversation", "Done"],
                    shown.Select(row => new[]
                    {
                        Times.Of(row.EventTime), row.Kind, row.Leg, row.AnsweredBy, row.User, LogText.OfPhoneNumber(row.To),
                        row.ConversationId, row.ProcessedAt is null ? "no" : "yes",
                    }));
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
        var selector = new JournalSelector();
        var id = CommonOptions.ParsedArgument("id", "An event's id, or a conversation: the call's whole journey.", CommonOptions.NotEmpty);
        var command = new Command("show", "Shows events in full, phone numbers included.") { id, json };
        selector.AddRangeTo(command);
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var wanted = parsed.GetRequiredValue(id);
            var range = selector.RangeOf(parsed);
            var rows = await connection.Journal.QueryAsync(range with { Conversation = wanted }, cancellation).ToListAsync(cancellation);
            if (rows.Count == 0)
            {
                rows = await connection.Journal.QueryAsync(range with { EventId = wanted }, cancellation).ToListAsync(cancellation);
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
        var format = CommonOptions.OneOf("--format", "jsonl or csv; without it, what the file's name says, else jsonl.", ["jsonl", "csv"]);
        var output = CommonOptions.Parsed<FileInfo?>("--output", "The file to write, readable by you alone; without it, standard output.", text => new FileInfo(CommonOptions.NotEmpty(text)));
        output.Aliases.Add("-o");
        var force = new Option<bool>("--force") { Description = "Overwrite the file." };
        var command = new Command("export", "Writes events in full, phone numbers included: JSON lines, or CSV for spreadsheets.") { format, output, force };
        selector.AddTo(command);
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var file = parsed.GetValue(output);
            var csv = (parsed.GetValue(format) ?? file?.Extension.TrimStart('.')) is "csv";
            var rows = connection.Journal.QueryAsync(selector.FilterOf(parsed), cancellation);
            if (file is null)
            {
                await WriteAllAsync(terminal.Out, rows, csv, terminal.OutIsTerminal, () => { }, cancellation);
                return ExitCodes.Fine;
            }

            if (file.Exists && !parsed.GetValue(force))
            {
                throw new CliException($"{file} is there already: choose another name, or say --force.", ExitCodes.Usage);
            }

            var count = await terminal.ProgressAsync("Exporting", total: null, step => WriteFileAsync(file, rows, csv, step, cancellation));
            terminal.Note($"{count} event(s) written to {file}.");
            return ExitCodes.Fine;
        });
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
            text => text.Count(char.IsAsciiDigit) >= 3 ? text : throw new FormatException("write a phone number."));
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
                : connection.Erasure.FindConversationAsync(parsed.GetRequiredValue(selector.Conversation), range, cancellation));
            if (keys.Count > 0)
            {
                terminal.Confirm($"Delete {keys.Count} event(s) from the journal for good?", parsed.GetValue(yes));
            }

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
                terminal.Json(new DeletedDocument(keys.Count), CliJson.Default.DeletedDocument);
            }
            else
            {
                terminal.Line($"{keys.Count} event(s) deleted. Queues and dead letters were not touched: see 'telecmi dead-letters list --containing'.");
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

    private static async Task<int> WriteFileAsync(FileInfo file, IAsyncEnumerable<JournalRow> rows, bool csv, Action step, CancellationToken cancellation)
    {
        // What stands under the name is always whole: an export that breaks off leaves the old file, or none.
        var unfinished = $"{file.FullName}.{Guid.NewGuid():N}.tmp";
        try
        {
            int count;
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.Asynchronous };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            await using (var writer = new StreamWriter(unfinished, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), options))
            {
                count = await WriteAllAsync(writer, rows, csv, isTerminal: false, step, cancellation);
            }

            File.Move(unfinished, file.FullName, overwrite: true);
            return count;
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    private static async Task<int> WriteAllAsync(
        TextWriter output, IAsyncEnumerable<JournalRow> rows, bool csv, bool isTerminal, Action step, CancellationToken cancellation)
    {
        if (csv)
        {
            await output.WriteAsync(Csv.Record(JournalFields.Names));
        }

        var count = 0;
        await foreach (var row in rows)
        {
            var line = csv ? Csv.Record(JournalFields.TextsOf(row)) : $"{JournalFields.JsonOf(row, inFull: true).ToJsonString()}\n";
            await output.WriteAsync(isTerminal ? SafeText.Lines(line) : line);
            step();
            if (++count % RowsBetweenFlushes == 0)
            {
                await output.FlushAsync(cancellation);
            }
        }

        await output.FlushAsync(cancellation);
        return count;
    }
}
