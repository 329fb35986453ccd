using System.CommandLine;
using System.CommandLine.Parsing;
using System.Runtime.CompilerServices;
using System.Text;
using TeleCmi.Cli.Output;
using TeleCmi.Pipeline.DeadLetters;

namespace TeleCmi.Cli.Commands;

/// <summary>Which dead letters a command is about: named ones, or those that match.</summary>
internal sealed class Choice
{
    private readonly Option<DateOnly?> _from = CommonOptions.Day("--from", "Received on this day or later");
    private readonly Option<DateOnly?> _to = CommonOptions.Day("--to", "Received on this day or earlier");
    private readonly Option<string?> _kind = CommonOptions.Kind();
    private readonly Option<string?> _reason = new("--reason") { Description = "Only this reason, such as poison, rejected or forward." };
    private readonly Option<string?> _containing = new("--containing") { Description = "Only those whose body holds this text, such as a phone number." };
    private readonly Option<bool> _all = new("--all") { Description = "All that match the other options; without any, all there are." };

    private readonly Argument<DeadLetterId[]> _ids = new("id")
    {
        Description = "Ids that list shows.",
        Arity = ArgumentArity.ZeroOrMore,
        CustomParser = result => [.. result.Tokens.Select(token => ParseId(token.Value, result)).OfType<DeadLetterId>()],
    };

    public static DeadLetterId? ParseId(string text, ArgumentResult result)
    {
        if (!DeadLetterId.TryParse(text, out var id))
        {
            result.AddError($"'{SafeText.Line(text)}' is not the id of a dead letter: copy it from 'telecmi dead-letters list'.");
        }

        return id;
    }

    public void AddFiltersTo(Command command)
    {
        command.Add(_from);
        command.Add(_to);
        command.Add(_reason);
        command.Add(_kind);
        command.Add(_containing);
    }

    /// <summary>Also lets the command name letters, and makes it say which: nothing happens to all of them by accident.</summary>
    public void AddAllTo(Command command)
    {
        command.Add(_ids);
        command.Add(_all);
        AddFiltersTo(command);
        Option[] filters = [_from, _to, _reason, _kind, _containing, _all];
        command.Validators.Add(result =>
        {
            var named = result.GetResult(_ids) is { Tokens.Count: > 0 };
            var filtered = filters.Any(option => result.GetResult(option) is { Implicit: false });
            if (named == filtered)
            {
                result.AddError(named
                    ? "Name ids, or say which with options: not both."
                    : "Say which dead letters: ids, --all, or some of --from --to --reason --kind --containing.");
            }
        });
    }

    /// <summary>Walks the letters that match the options.</summary>
    public async IAsyncEnumerable<StoredDeadLetter> Matching(
        ParseResult parsed, DeadLetterStore deadLetters, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var filter = new DeadLetterFilter
        {
            From = parsed.GetValue(_from),
            To = parsed.GetValue(_to),
            Reason = parsed.GetValue(_reason),
            Kind = parsed.GetValue(_kind),
        };
        var containing = parsed.GetValue(_containing) is { } text ? Encoding.UTF8.GetBytes(text) : [];
        await foreach (var letter in deadLetters.QueryAsync(filter, cancellation))
        {
            if (letter.Letter.Body.Span.IndexOf(containing) >= 0)
            {
                yield return letter;
            }
        }
    }

    /// <summary>Settles on the letters before anything is done to them, so that what comes back is not taken twice.</summary>
    /// <returns>The letters, and the named ones that are not there.</returns>
    public async Task<(IReadOnlyList<DeadLetterId> Found, IReadOnlyList<DeadLetterId> Missing)> ChosenAsync(
        ParseResult parsed, Terminal terminal, DeadLetterStore deadLetters, CancellationToken cancellation)
    {
        if (parsed.GetValue(_ids) is { Length: > 0 } ids)
        {
            var found = new List<DeadLetterId>();
            var missing = new List<DeadLetterId>();
            foreach (var id in ids.Distinct())
            {
                (await deadLetters.FindAsync(id, cancellation) is null ? missing : found).Add(id);
            }

            return (found, missing);
        }

        var matching = await terminal.ProgressAsync("Looking", total: null, async step =>
        {
            var matches = new List<DeadLetterId>();
            await foreach (var letter in Matching(parsed, deadLetters, cancellation))
            {
                matches.Add(letter.Id);
                step();
            }

            return matches;
        });
        return (matching, []);
    }
}
