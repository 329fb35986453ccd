using System.CommandLine;
using System.Runtime.CompilerServices;
using System.Text;
using TeleCmi.Cli.Output;
using TeleCmi.Pipeline.DeadLetters;

namespace TeleCmi.Cli.Commands;

/// <summary>Which dead letters a command is about: named ones, or those that match.</summary>
internal sealed class DeadLetterSelector
{
    private readonly Option<DateOnly?> _from = CommonOptions.Day("--from", "Received on this day or later");
    private readonly Option<DateOnly?> _to = CommonOptions.Day("--to", "Received on this day or earlier");
    private readonly Option<string> _kind = CommonOptions.Kind();
    private readonly Option<string> _reason = CommonOptions.OneOf("--reason", $"Only this reason: {string.Join(", ", DeadLetterReason.All)}.", DeadLetterReason.All);
    private readonly Option<string> _containing = CommonOptions.Text("--containing", "Only those whose body holds this text, such as a phone number.");
    private readonly Option<bool> _all = new("--all") { Description = "All that match the other options; without any, all there are." };

    private readonly Argument<DeadLetterId[]> _ids = new("id")
    {
        Description = "Ids that list shows.",
        Arity = ArgumentArity.ZeroOrMore,
        CustomParser = result =>
        {
            try
            {
                return [.. result.Tokens.Select(token => IdOf(token.Value))];
            }
            catch (FormatException e)
            {
                result.AddError(e.Message);
                return null;
            }
        },
    };

    /// <exception cref="FormatException">It is not an id.</exception>
    public static DeadLetterId IdOf(string text) => DeadLetterId.TryParse(text, out var id)
        ? id
        : throw new FormatException($"'{text}' is not the id of a dead letter: copy it from 'telecmi dead-letters list'.");

    public void AddFiltersTo(Command command)
    {
        foreach (var filter in (Option[])[_from, _to, _reason, _kind, _containing])
        {
            command.Add(filter);
        }
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

    /// <summary>Walks the letters that match the options; only a search in their bodies reads those.</summary>
    public async IAsyncEnumerable<StoredDeadLetter> MatchingAsync(
        ParseResult parsed, DeadLetterStore deadLetters, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var filter = new DeadLetterFilter
        {
            From = parsed.GetValue(_from),
            To = parsed.GetValue(_to),
            Reason = parsed.GetValue(_reason),
            Kind = parsed.GetValue(_kind),
        };
        var containing = Encoding.UTF8.GetBytes(parsed.GetValue(_containing) ?? "");
        await foreach (var letter in deadLetters.QueryAsync(filter, NeedsBodies(parsed), cancellation))
        {
            if (letter.Letter.Body.Span.IndexOf(containing) >= 0)
            {
                yield return letter;
            }
        }
    }

    /// <summary>Settles on the letters before anything is done to them, so that what comes back is not taken twice.</summary>
    public Task<List<SelectedLetter>> SelectAsync(ParseResult parsed, Terminal terminal, DeadLetterStore deadLetters, CancellationToken cancellation) =>
        terminal.ProgressAsync("Looking", total: null, async step =>
        {
            var selected = new List<SelectedLetter>();
            foreach (var id in (parsed.GetValue(_ids) ?? []).Distinct())
            {
                selected.Add(new SelectedLetter(id, await deadLetters.FindAsync(id, cancellation), HasBody: true));
                step();
            }

            if (selected.Count == 0)
            {
                await foreach (var letter in MatchingAsync(parsed, deadLetters, cancellation))
                {
                    selected.Add(new SelectedLetter(letter.Id, letter, NeedsBodies(parsed)));
                    step();
                }
            }

            return selected;
        });

    private bool NeedsBodies(ParseResult parsed) => parsed.GetValue(_containing) is not null;
}

/// <summary>A dead letter that a command is about.</summary>
/// <param name="Id">Where it is.</param>
/// <param name="Letter">What was found there; null when nothing was.</param>
/// <param name="HasBody">Whether it was read with its body.</param>
internal sealed record SelectedLetter(DeadLetterId Id, StoredDeadLetter? Letter, bool HasBody);
