using System.Text;

namespace TeleCmi.EndToEnd.Tests.Documents;

/// <summary>One command of a document, and what the document says that it prints.</summary>
/// <param name="Line">Its line in the document, from 1.</param>
/// <param name="Words">The program and its arguments.</param>
/// <param name="Output">What it prints; null where the document does not say.</param>
/// <param name="ExitCode">How it ends.</param>
/// <param name="KeepsRunning">Whether it is a receiver that the following commands need.</param>
internal sealed record DocumentedCommand(int Line, IReadOnlyList<string> Words, string? Output = null, int ExitCode = 0, bool KeepsRunning = false)
{
    private const string Prompt = "$ ";
    private const string Exit = "[exit ";

    /// <summary>The commands of a document that can run anywhere, in order.</summary>
    public static IReadOnlyList<DocumentedCommand> In(string document)
    {
        var commands = new List<DocumentedCommand>();
        foreach (var block in DocumentBlock.In(document))
        {
            if (block.IsSkipped)
            {
                continue;
            }

            if (block.Language is "console")
            {
                commands.AddRange(OfTranscript(block));
            }
            else if (block.Language is "sh")
            {
                commands.AddRange(block.Lines.Index()
                    .Where(line => line.Item.Length > 0)
                    .Select(line => new DocumentedCommand(block.FirstLine + line.Index, Split(line.Item), KeepsRunning: block.Mark is "start")));
            }
            else if (block.Language is "json" && commands is [.., var last] && last.Words[0] is "curl")
            {
                // What stands below a request is its response.
                commands[^1] = last with { Output = string.Join('\n', block.Lines) };
            }
        }

        return commands;
    }

    // A line with a prompt, what it prints, and [exit n] where that is not 0.
    private static IEnumerable<DocumentedCommand> OfTranscript(DocumentBlock block)
    {
        DocumentedCommand? command = null;
        foreach (var (index, line) in block.Lines.Index())
        {
            if (line.StartsWith(Prompt, StringComparison.Ordinal))
            {
                if (command is not null)
                {
                    yield return command;
                }

                command = new(block.FirstLine + index, Split(line[Prompt.Length..]), "");
            }
            else if (line.StartsWith(Exit, StringComparison.Ordinal))
            {
                command = command.ShouldNotBeNull() with { ExitCode = int.Parse(line[Exit.Length..^1], System.Globalization.CultureInfo.InvariantCulture) };
            }
            else
            {
                command = command.ShouldNotBeNull($"line {block.FirstLine + index}: a transcript begins with a command") with { Output = $"{command.Output}{line}\n" };
            }
        }

        if (command is not null)
        {
            yield return command;
        }
    }

    /// <summary>Splits a simple command as a shell does: blanks, quotes, a comment at the end.</summary>
    private static List<string> Split(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var isWord = false;
        var quote = '\0';
        foreach (var letter in line)
        {
            if (quote != '\0' && letter == quote)
            {
                quote = '\0';
            }
            else if (quote == '\0' && letter is '"' or '\'')
            {
                (quote, isWord) = (letter, true);
            }
            else if (quote == '\0' && letter == ' ')
            {
                Add();
            }
            else if (quote == '\0' && letter == '#' && !isWord)
            {
                break;
            }
            else
            {
                word.Append(letter);
                isWord = true;
            }
        }

        Add();
        return words;

        void Add()
        {
            if (isWord)
            {
                words.Add(word.ToString());
            }

            word.Clear();
            isWord = false;
        }
    }
}
