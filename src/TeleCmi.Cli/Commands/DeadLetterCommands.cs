using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using TeleCmi.Cli.Output;
using TeleCmi.Pipeline.DeadLetters;

namespace TeleCmi.Cli.Commands;

/// <summary><c>telecmi dead-letters</c>: what could not be processed or read, until a person decides.</summary>
internal static class DeadLetterCommands
{
    public static Command Create(CommandRunner runner) => new("dead-letters", "What could not be processed (poison), read (rejected) or handed on (forward).")
    {
        List(runner),
        Show(runner),
        Replay(runner),
        Discard(runner),
    };

    private static Command List(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var limit = CommonOptions.Limit();
        var choice = new Choice();
        var command = new Command("list", "Lists dead letters, oldest first, without their bodies.") { json, limit };
        choice.AddFiltersTo(command);
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            // One more than shown, to tell whether there are more.
            var most = parsed.GetValue(limit);
            var letters = await choice.Matching(parsed, connection.DeadLetters, cancellation).Take(most + 1).ToListAsync(cancellation);
            var shown = letters.Take(most).ToList();
            if (parsed.GetValue(json))
            {
                await terminal.JsonAsync(writer =>
                {
                    writer.WriteStartArray();
                    shown.ForEach(letter => WriteJson(writer, letter, withBody: false));
                    writer.WriteEndArray();
                });
            }
            else if (shown.Count == 0)
            {
                terminal.Line("No dead letters.");
            }
            else
            {
                terminal.Table(
                    ["Id", "Reason", "Kind", "Bytes", "Error"],
                    shown.Select(row => new[] { row.Id.ToString(), row.Letter.Reason, row.Letter.Kind, $"{row.Letter.Body.Length}", row.Letter.Error }));
            }

            if (letters.Count > most)
            {
                terminal.Note($"There are more than {most}: raise --limit or narrow the choice.");
            }

            return ExitCodes.Fine;
        });
        return command;
    }

    private static Command Show(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var id = IdArgument();
        var command = new Command("show", "Shows one dead letter in full: the body with its phone numbers, as it came.") { id, json };
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var wanted = parsed.GetRequiredValue(id);
            var found = await connection.DeadLetters.FindAsync(wanted, cancellation)
                ?? throw new CliException($"There is no dead letter {wanted}.", ExitCodes.Failed);
            if (parsed.GetValue(json))
            {
                await terminal.JsonAsync(writer => WriteJson(writer, found, withBody: true));
                return ExitCodes.Fine;
            }

            terminal.Line($"Id        {found.Id}");
            terminal.Line($"Reason    {found.Letter.Reason}");
            terminal.Line($"Kind      {found.Letter.Kind ?? "-"}");
            terminal.Line($"Event id  {found.Letter.EventId ?? "-"}");
            terminal.Line($"Received  {Times.Of(found.Letter.ReceivedAt)}");
            terminal.Line($"Error     {found.Letter.Error}");
            if (found.Letter.Destination is { } destination)
            {
                terminal.Line($"Forward   to {destination}, which {(found.Letter.Status is { } status ? $"answered {status}" : "did not answer")}");
            }

            if (found.Letter.Answer is { } answer)
            {
                terminal.Line($"Answer    {answer}");
            }

            terminal.Line($"Body      {found.Letter.Body.Length} bytes{(TextOf(found.Letter) is null ? ", not UTF-8, here in Base64" : "")}");
            terminal.Text(TextOf(found.Letter) ?? Convert.ToBase64String(found.Letter.Body.Span));
            return ExitCodes.Fine;
        });
        return command;
    }

    private static Command Replay(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var choice = new Choice();
        var command = new Command("replay", "Sends dead letters through the queue again; each is removed only after the queue has it. Can be repeated after an interruption.") { json };
        choice.AddAllTo(command);
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var outcomes = new List<(string Id, string Outcome, string? EventId, string? Fault)>();
            var (letters, missing) = await choice.ChosenAsync(parsed, terminal, connection.DeadLetters, cancellation);
            outcomes.AddRange(missing.Select(id => (id.ToString(), "missing", (string?)null, (string?)"There is no such dead letter (any more).")));
            try
            {
                await terminal.ProgressAsync("Replaying", letters.Count, async step =>
                {
                    foreach (var chosen in letters)
                    {
                        // Read again, one at a time: an earlier look may be old, and the bodies need not all be in memory.
                        var result = await connection.DeadLetters.FindAsync(chosen, cancellation) is { } letter
                            ? await connection.Replay.ReplayAsync(letter, cancellation)
                            : null;
                        outcomes.Add((chosen.ToString(), result is null ? "missing" : NameOf(result.Outcome), result?.EventId, result?.Fault));
                        step();
                    }

                    return true;
                });
            }
            finally
            {
                // Also when it breaks off: what was done is done.
                await ReportAsync(terminal, parsed.GetValue(json), outcomes, letters.Count + missing.Count);
            }

            return outcomes.Any(outcome => outcome.Outcome is "stays" or "came-back") ? ExitCodes.NeedsPerson
                : missing.Count > 0 ? ExitCodes.Failed
                : ExitCodes.Fine;
        });
        return command;
    }

    private static Command Discard(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var yes = CommonOptions.Yes();
        var choice = new Choice();
        var command = new Command("discard", "Deletes dead letters for good, after asking.") { json, yes };
        choice.AddAllTo(command);
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var (letters, missing) = await choice.ChosenAsync(parsed, terminal, connection.DeadLetters, cancellation);
            var outcomes = missing.Select(id => (id.ToString(), "missing", (string?)null, (string?)"There is no such dead letter (any more).")).ToList();
            if (letters.Count > 0)
            {
                terminal.Confirm($"Delete {letters.Count} dead letter(s) for good?", parsed.GetValue(yes));
            }

            try
            {
                await terminal.ProgressAsync("Discarding", letters.Count, async step =>
                {
                    foreach (var chosen in letters)
                    {
                        var gone = await connection.DeadLetters.FindAsync(chosen, cancellation) is not { } letter
                            || await connection.DeadLetters.RemoveAsync(letter, cancellation);
                        outcomes.Add((chosen.ToString(), gone ? "discarded" : "came-back", null, null));
                        step();
                    }

                    return true;
                });
            }
            finally
            {
                await ReportAsync(terminal, parsed.GetValue(json), outcomes, letters.Count + missing.Count);
            }

            return missing.Count > 0 || outcomes.Any(outcome => outcome.Item2 is "came-back") ? ExitCodes.Failed : ExitCodes.Fine;
        });
        return command;
    }

    private static async Task ReportAsync(
        Terminal terminal, bool json, List<(string Id, string Outcome, string? EventId, string? Fault)> outcomes, int chosen)
    {
        var counts = outcomes.CountBy(outcome => outcome.Outcome).OrderBy(count => count.Key, StringComparer.Ordinal).ToList();
        if (json)
        {
            await terminal.JsonAsync(writer =>
            {
                writer.WriteStartObject();
                writer.WriteNumber("chosen", chosen);
                writer.WriteStartObject("counts");
                counts.ForEach(count => writer.WriteNumber(count.Key, count.Value));
                writer.WriteEndObject();
                writer.WriteStartArray("letters");
                foreach (var (id, outcome, eventId, fault) in outcomes)
                {
                    writer.WriteStartObject();
                    writer.WriteString("id", id);
                    writer.WriteString("outcome", outcome);
                    writer.WriteString("eventId", eventId);
                    writer.WriteString("fault", fault);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
                writer.WriteEndObject();
            });
            return;
        }

        foreach (var (id, outcome, _, fault) in outcomes.Where(outcome => outcome.Fault is not null))
        {
            terminal.Line($"{id} {outcome}: {fault}");
        }

        terminal.Line(chosen == 0 ? "No dead letters matched." : $"{string.Join(", ", counts.Select(count => $"{count.Value} {count.Key}"))} of {chosen}.");
    }

    private static string NameOf(ReplayOutcome outcome) => outcome switch
    {
        ReplayOutcome.Replayed => "replayed",
        ReplayOutcome.CameBack => "came-back",
        ReplayOutcome.Stays => "stays",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "Not an outcome."),
    };

    private static void WriteJson(Utf8JsonWriter writer, StoredDeadLetter stored, bool withBody)
    {
        var letter = stored.Letter;
        writer.WriteStartObject();
        writer.WriteString("id", stored.Id.ToString());
        writer.WriteString("reason", letter.Reason);
        writer.WriteString("kind", letter.Kind);
        writer.WriteString("eventId", letter.EventId);
        writer.WriteTime("receivedAt", letter.ReceivedAt);
        writer.WriteString("error", letter.Error);
        writer.WriteString("destination", letter.Destination);
        if (letter.Status is { } status)
        {
            writer.WriteNumber("status", status);
        }
        else
        {
            writer.WriteNull("status");
        }

        writer.WriteString("answer", letter.Answer);
        writer.WriteNumber("bytes", letter.Body.Length);
        if (withBody)
        {
            writer.WriteString("body", TextOf(letter));
            writer.WriteBase64String("bodyBase64", letter.Body.Span);
        }

        writer.WriteEndObject();
    }

    private static string? TextOf(DeadLetter letter) => Utf8.IsValid(letter.Body.Span) ? Encoding.UTF8.GetString(letter.Body.Span) : null;

    private static Argument<DeadLetterId> IdArgument() => new("id")
    {
        Description = "The id that list shows.",
        CustomParser = result => Choice.ParseId(result.Tokens[0].Value, result),
    };
}
