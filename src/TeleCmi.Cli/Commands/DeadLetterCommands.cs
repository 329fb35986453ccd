using System.CommandLine;
using System.Text;
using System.Text.Unicode;
using TeleCmi.Cli.Output;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Receiving;

namespace TeleCmi.Cli.Commands;

/// <summary><c>telecmi dead-letters</c>: what could not be processed, read or forwarded, until a person decides.</summary>
internal static class DeadLetterCommands
{
    public static Command Create(CommandRunner runner) => new("dead-letters", "What could not be processed (poison), read (rejected) or forwarded (forward).")
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
        var each = new Option<bool>("--each") { Description = "List every one instead of groups. --json always does." };
        var selector = new DeadLetterSelector();
        var command = new Command("list", "Lists dead letters without their bodies, oldest first. Equal ones are one group with a count.") { json, each, limit };
        selector.AddFiltersTo(command);
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            // One more than shown, to tell whether there are more.
            var most = parsed.GetValue(limit);
            var matching = selector.MatchingAsync(parsed, connection.DeadLetters, cancellation);
            var found = parsed.GetValue(json) || parsed.GetValue(each)
                ? ListEach(terminal, await matching.Take(most + 1).ToListAsync(cancellation), most, parsed.GetValue(json))
                : ListGroups(terminal, await GroupAsync(matching), most);
            if (found > most)
            {
                terminal.Note($"There are more than {most}: raise --limit or narrow the choice.");
            }

            return ExitCodes.Fine;
        });
        return command;
    }

    private static int ListEach(Terminal terminal, List<StoredDeadLetter> letters, int most, bool json)
    {
        if (json)
        {
            terminal.Json(letters.Take(most).Select(letter => DeadLetterDocument.Of(letter)), CliJson.Default.IEnumerableDeadLetterDocument);
        }
        else if (letters.Count == 0)
        {
            terminal.Line("No dead letters.");
        }
        else
        {
            foreach (var row in letters.Take(most))
            {
                terminal.Line($"{row.Id}");
                terminal.Indented($"{row.Letter.Reason}{Part(" of ", row.Letter.Kind)}{Part(" to ", row.Letter.Destination)}, {row.Bytes} bytes: {row.Letter.Error}");
            }
        }

        return letters.Count;
    }

    private static int ListGroups(Terminal terminal, IReadOnlyCollection<LetterGroup> groups, int most)
    {
        foreach (var group in groups.Take(most))
        {
            var letter = group.First.Letter;
            terminal.Line($"{group.Count} x {letter.Reason}{Part(" of ", letter.Kind)}{Part(" to ", letter.Destination)}");
            terminal.Indented(letter.Error);
            terminal.Indented($"received {Times.Of(letter.ReceivedAt)}{(group.Count == 1 ? "" : $" to {Times.Of(group.Newest)}")}");
            terminal.Indented($"{(group.Count == 1 ? "id" : "such as")} {group.First.Id}");
        }

        if (groups.Count == 0)
        {
            terminal.Line("No dead letters.");
        }

        return groups.Count;
    }

    private static async Task<IReadOnlyCollection<LetterGroup>> GroupAsync(IAsyncEnumerable<StoredDeadLetter> letters)
    {
        var groups = new OrderedDictionary<(string, string?, string?, string), LetterGroup>();
        await foreach (var letter in letters)
        {
            var key = (letter.Letter.Reason, letter.Letter.Kind, letter.Letter.Destination, letter.Letter.Error);
            groups[key] = groups.TryGetValue(key, out var group)
                ? group with { Count = group.Count + 1, Newest = letter.Letter.ReceivedAt }
                : new LetterGroup(letter with { Letter = letter.Letter with { Body = default } }, 1, letter.Letter.ReceivedAt);
        }

        return groups.Values;
    }

    private static Command Show(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var id = CommonOptions.ParsedArgument("id", "The id that list shows.", DeadLetterSelector.IdOf);
        var command = new Command("show", "Shows one dead letter in full: the body with its phone numbers, as it came.") { id, json };
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var wanted = parsed.GetRequiredValue(id);
            var found = await connection.DeadLetters.FindAsync(wanted, cancellation)
                ?? throw new CliException($"There is no dead letter {wanted}.", ExitCodes.Failed);
            var body = found.Letter.Body;
            var document = DeadLetterDocument.Of(found) with
            {
                Body = Utf8.IsValid(body.Span) ? Encoding.UTF8.GetString(body.Span) : null,
                BodyBase64 = Convert.ToBase64String(body.Span),
            };
            if (parsed.GetValue(json))
            {
                terminal.Json(document, CliJson.Default.DeadLetterDocument);
                return ExitCodes.Fine;
            }

            terminal.Line($"Id        {document.Id}");
            terminal.Line($"Reason    {document.Reason}");
            terminal.Line($"Kind      {document.Kind ?? "-"}");
            terminal.Line($"Event id  {document.EventId ?? "-"}");
            terminal.Line($"Received  {document.ReceivedAt}");
            terminal.Line($"Error     {document.Error}");
            if (document.Destination is not null)
            {
                terminal.Line($"Forward   to {document.Destination}, which {(document.Status is { } status ? $"responded with {status}" : "did not respond")}");
            }

            if (document.ResponseBody is not null)
            {
                terminal.Line($"Response  {document.ResponseBody}");
            }

            terminal.Line($"Body      {document.Bytes} bytes{(document.Body is null ? ", not UTF-8, here in Base64" : "")}");
            terminal.Text(document.Body ?? document.BodyBase64);
            return ExitCodes.Fine;
        });
        return command;
    }

    private static Command Replay(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var selector = new DeadLetterSelector();
        var command = new Command("replay", "Sends dead letters through the queue again; each is removed only after the queue has it. Can be repeated after an interruption.") { json };
        selector.AddAllTo(command);
        runner.OnStorage(
            command,
            async (parsed, terminal, connection, cancellation) =>
            {
                var letters = await selector.SelectAsync(parsed, terminal, connection.DeadLetters, cancellation);
                var outcomes = await ForEachAsync(terminal, "Replaying", letters, parsed.GetValue(json), async selected =>
                {
                    // One body at a time: all of them need not be in memory.
                    var letter = selected.HasBody ? selected.Letter : await connection.DeadLetters.FindAsync(selected.Id, cancellation);
                    return letter is null ? null : LetterOutcome.Of(selected.Id, await connection.Replay.ReplayAsync(letter, cancellation));
                });
                return outcomes.Any(outcome => outcome.Outcome is LetterOutcome.Stays or LetterOutcome.CameBack) ? ExitCodes.NeedsPerson
                    : outcomes.Any(outcome => outcome.Outcome is LetterOutcome.Missing) ? ExitCodes.Failed
                    : ExitCodes.Fine;
            },
            withReceiver: true);
        return command;
    }

    private static Command Discard(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var yes = CommonOptions.Yes();
        var selector = new DeadLetterSelector();
        var command = new Command("discard", "Deletes dead letters for good, after asking.") { json, yes };
        selector.AddAllTo(command);
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var letters = await selector.SelectAsync(parsed, terminal, connection.DeadLetters, cancellation);
            if (letters.Count(selected => selected.Letter is not null) is > 0 and var found)
            {
                terminal.Confirm($"Delete {found} dead letter(s) for good?", parsed.GetValue(yes));
            }

            var outcomes = await ForEachAsync(terminal, "Discarding", letters, parsed.GetValue(json), async selected => selected.Letter is { } letter
                ? new LetterOutcome($"{selected.Id}", await connection.DeadLetters.RemoveAsync(letter, cancellation) ? "discarded" : LetterOutcome.CameBack)
                : null);
            return outcomes.Any(outcome => outcome.Outcome is LetterOutcome.Missing or LetterOutcome.CameBack) ? ExitCodes.Failed : ExitCodes.Fine;
        });
        return command;
    }

    // Reports also when it is interrupted: what was done stays done.
    private static async Task<List<LetterOutcome>> ForEachAsync(
        Terminal terminal, string what, List<SelectedLetter> letters, bool json, Func<SelectedLetter, Task<LetterOutcome?>> work)
    {
        var outcomes = new List<LetterOutcome>();
        try
        {
            await terminal.ProgressAsync(what, letters.Count, async step =>
            {
                foreach (var selected in letters)
                {
                    outcomes.Add(await work(selected) ?? new LetterOutcome($"{selected.Id}", LetterOutcome.Missing, Fault: "There is no such dead letter (any more)."));
                    step();
                }

                return outcomes;
            });
        }
        finally
        {
            Report(terminal, new LettersReport(letters.Count, new SortedDictionary<string, int>(outcomes.CountBy(outcome => outcome.Outcome).ToDictionary(), StringComparer.Ordinal), outcomes), json);
        }

        return outcomes;
    }

    private static void Report(Terminal terminal, LettersReport report, bool json)
    {
        if (json)
        {
            terminal.Json(report, CliJson.Default.LettersReport);
            return;
        }

        foreach (var letter in report.Letters.Where(letter => letter.Fault is not null))
        {
            terminal.Line($"{letter.Id} {letter.Outcome}: {letter.Fault}");
        }

        terminal.Line(report.Chosen == 0 ? "No dead letters matched." : $"{string.Join(", ", report.Counts.Select(count => $"{count.Value} {count.Key}"))} of {report.Chosen}.");
    }

    private static string Part(string word, string? value) => value is null ? "" : word + value;

    private sealed record LetterGroup(StoredDeadLetter First, int Count, DateTimeOffset Newest);
}

/// <summary>What became of one dead letter.</summary>
internal sealed record LetterOutcome(string Id, string Outcome, string? EventId = null, string? Fault = null)
{
    public const string Missing = "missing";
    public const string CameBack = "came-back";
    public const string Stays = "stays";

    public static LetterOutcome Of(DeadLetterId id, ReplayResult result) => new($"{id}", NameOf(result.Outcome), result.EventId, result.Fault);

    private static string NameOf(ReplayOutcome outcome) => outcome switch
    {
        ReplayOutcome.Replayed => "replayed",
        ReplayOutcome.CameBack => CameBack,
        ReplayOutcome.Stays => Stays,
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "Not an outcome."),
    };
}

/// <summary>What became of the chosen dead letters.</summary>
internal sealed record LettersReport(int Chosen, IReadOnlyDictionary<string, int> Counts, IReadOnlyList<LetterOutcome> Letters);
