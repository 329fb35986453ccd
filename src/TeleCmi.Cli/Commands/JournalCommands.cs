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
        var choice = new JournalChoice();
        var command = new Command("list", "Lists events by day, phone numbers masked.") { json, limit };
        choice.AddTo(command);
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var most = parsed.GetValue(limit);
            var records = await connection.Journal.QueryAsync(choice.FilterOf(parsed), cancellation).Take(most + 1).ToListAsync(cancellation);
            var shown = records.Take(most).ToList();
            if (parsed.GetValue(json))
            {
                await terminal.JsonAsync(writer =>
                {
                    writer.WriteStartArray();
                    shown.ForEach(record => JournalJson.Write(writer, record, inFull: false));
                    writer.WriteEndArray();
                });
            }
            else if (shown.Count == 0)
            {
                terminal.Line("No events.");
            }
            else
            {
                terminal.Table(
                    ["Time", "Kind", "Leg", "By", "Agent", "To", "Conversation", "Done"],
                    shown.Select(record => new[]
                    {
                        Times.Of(record.EventTime), record.Kind, record.Leg, record.AnsweredBy, record.User, LogText.OfPhoneNumber(record.To),
                        record.ConversationId, record.ProcessedAt is null ? "no" : "yes",
                    }));
            }

            if (records.Count > most)
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
        var choice = new JournalChoice();
        var id = new Argument<string>("id") { Description = "An event's id, or a conversation: the call's whole journey." };
        var command = new Command("show", "Shows events in full, phone numbers included.") { id, json };
        choice.AddRangeTo(command);
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var wanted = parsed.GetRequiredValue(id);
            var range = choice.RangeOf(parsed);
            var records = await connection.Journal.QueryAsync(range with { Conversation = wanted }, cancellation).ToListAsync(cancellation);
            if (records.Count == 0)
            {
                records = await connection.Journal.QueryAsync(range with { EventId = wanted }, cancellation).ToListAsync(cancellation);
            }

            if (records.Count == 0)
            {
                throw new CliException($"The journal has no event or conversation {wanted}.", ExitCodes.Failed);
            }

            if (parsed.GetValue(json))
            {
                await terminal.JsonAsync(writer =>
                {
                    writer.WriteStartArray();
                    records.ForEach(record => JournalJson.Write(writer, record, inFull: true));
                    writer.WriteEndArray();
                });
                return ExitCodes.Fine;
            }

            records.ForEach(record => Write(terminal, record));
            return ExitCodes.Fine;
        });
        return command;
    }

    private static Command Export(CommandRunner runner)
    {
        var choice = new JournalChoice();
        var format = new Option<string?>("--format") { Description = "jsonl or csv; without it, what the file's name says, else jsonl." };
        format.AcceptOnlyFromAmong("jsonl", "csv");
        var output = new Option<FileInfo?>("--output", "-o") { Description = "The file to write, readable by you alone; without it, standard output." };
        var force = new Option<bool>("--force") { Description = "Overwrite the file." };
        var command = new Command("export", "Writes events in full, phone numbers included: JSON lines, or CSV for spreadsheets.") { format, output, force };
        choice.AddTo(command);
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var file = parsed.GetValue(output);
            var csv = (parsed.GetValue(format) ?? file?.Extension.TrimStart('.')) is "csv";
            var records = connection.Journal.QueryAsync(choice.FilterOf(parsed), cancellation);
            if (file is null)
            {
                await WriteAllAsync(terminal.Out, records, csv, () => { }, cancellation);
                return ExitCodes.Fine;
            }

            if (file.Exists && !parsed.GetValue(force))
            {
                throw new CliException($"{file} is there already: choose another name, or say --force.", ExitCodes.Usage);
            }

            var count = await terminal.ProgressAsync("Exporting", total: null, step => WriteFileAsync(file, records, csv, step, cancellation));
            terminal.Note($"{count} event(s) written to {file}.");
            return ExitCodes.Fine;
        });
        return command;
    }

    private static Command Delete(CommandRunner runner)
    {
        var choice = new JournalChoice();
        var json = CommonOptions.Json();
        var yes = CommonOptions.Yes();
        var number = new Option<string?>("--number") { Description = "Every call in which this phone number occurs; write it as TeleCMI sends it, only digits count." };
        number.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var value }] && value.Count(char.IsAsciiDigit) < 3)
            {
                result.AddError("--number: write a phone number.");
            }
        });
        var command = new Command("delete", "Deletes one conversation, or every call of one phone number, from the journal for good, after asking.")
        {
            choice.Conversation, number, yes, json,
        };
        choice.AddRangeTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(choice.Conversation) is null == result.GetResult(number) is null)
            {
                result.AddError("Write --conversation or --number.");
            }
        });
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var range = choice.RangeOf(parsed);
            var keys = await terminal.ProgressAsync("Looking", total: null, _ => parsed.GetValue(number) is { } wanted
                ? connection.Erasure.FindCallsOfAsync(wanted, range, cancellation)
                : connection.Erasure.FindConversationAsync(parsed.GetRequiredValue(choice.Conversation)!, range, cancellation));
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
                await terminal.JsonAsync(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteNumber("deleted", keys.Count);
                    writer.WriteEndObject();
                });
            }
            else
            {
                terminal.Line($"{keys.Count} event(s) deleted. Queues and dead letters were not touched: see 'telecmi dead-letters list --containing'.");
            }

            return ExitCodes.Fine;
        });
        return command;
    }

    private static void Write(Terminal terminal, JournalRecord record)
    {
        foreach (var (name, value) in JournalColumns.Of(record))
        {
            if (value is not null)
            {
                terminal.Line($"{name,-16} {value}");
            }
        }

        terminal.Text(Pretty(record.Event));
        terminal.Line();
    }

    private static string Pretty(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return JsonSerializer.Serialize(document.RootElement, Indented);
        }
        catch (JsonException)
        {
            return json;
        }
    }

    private static async Task<int> WriteFileAsync(FileInfo file, IAsyncEnumerable<JournalRecord> records, bool csv, Action step, CancellationToken cancellation)
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
                count = await WriteAllAsync(writer, records, csv, step, cancellation);
            }

            File.Move(unfinished, file.FullName, overwrite: true);
            return count;
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    private static async Task<int> WriteAllAsync(TextWriter output, IAsyncEnumerable<JournalRecord> records, bool csv, Action step, CancellationToken cancellation)
    {
        if (csv)
        {
            await output.WriteAsync(Csv.Record(JournalColumns.Names));
        }

        var count = 0;
        await foreach (var record in records)
        {
            await output.WriteAsync(csv ? Csv.Record(JournalColumns.Of(record).Select(column => column.Value)) : $"{JournalJson.LineOf(record)}\n");
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
