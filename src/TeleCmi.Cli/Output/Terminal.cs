using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace TeleCmi.Cli.Output;

/// <summary>Writes for a person, or with <c>--json</c> for a script.</summary>
internal sealed class Terminal
{
    // A listing is made for this width; a piped one with a longer cell is wider, and is not folded.
    private const int Width = 80;
    private const int WidthOfPipe = 160;
    private const int Gap = 2;

    private readonly CliHost _host;
    private readonly IAnsiConsole _out;
    private readonly IAnsiConsole _error;

    public Terminal(CliHost host)
    {
        _host = host;
        _out = ConsoleOn(host.Out);
        _error = ConsoleOn(host.Error);
    }

    public TextWriter Out => _host.Out;

    /// <summary>Whether a person is there to ask.</summary>
    public bool IsInteractive => _host.IsInteractive;

    /// <summary>Whether <see cref="Out"/> would obey what stands in an export.</summary>
    public bool OutIsTerminal => _host.OutIsTerminal;

    public void Line(string text = "") => _host.Out.WriteLine(SafeText.Line(text));

    public void Text(string text) => _host.Out.WriteLine(SafeText.Lines(text));

    public void Note(string text) => _host.Error.WriteLine(SafeText.Lines(text));

    /// <summary>Writes a table; its cells may hold text from outside, and are never read as markup.</summary>
    public void Table(string[] columns, IEnumerable<string?[]> rows)
    {
        var table = new Table { Border = TableBorder.None };
        table.AddColumns([.. columns.Select(column => new TableColumn(new Text(column)) { Padding = new Padding(0, 0, column == columns[^1] ? 0 : Gap, 0) })]);
        foreach (var row in rows)
        {
            table.AddRow(row.Select(value => new Text(string.IsNullOrEmpty(value) ? "-" : SafeText.Line(value))));
        }

        _out.Write(table);
    }

    /// <summary>Writes a text below another line, indented and folded between words.</summary>
    public void Indented(string text)
    {
        const string Indent = "    ";
        var line = new StringBuilder(Indent);
        foreach (var word in SafeText.Line(text).Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > Indent.Length && line.Length + 1 + word.Length > Width)
            {
                _host.Out.WriteLine(line);
                line.Clear().Append(Indent);
            }

            line.Append(line.Length > Indent.Length ? " " : "").Append(word);
        }

        _host.Out.WriteLine(line);
    }

    /// <summary>Writes one JSON document.</summary>
    public void Json<T>(T document, JsonTypeInfo<T> type) => _host.Out.WriteLine(JsonSerializer.Serialize(document, type));

    /// <summary>Asks before something that cannot be undone.</summary>
    /// <exception cref="CliException">The person said no, or there is nobody to ask.</exception>
    public void Confirm(string question, bool yes)
    {
        if (yes)
        {
            return;
        }

        if (!_host.IsInteractive)
        {
            throw new CliException($"{question} Nothing was done: nobody is there to ask; say --yes to do it.", ExitCodes.Usage);
        }

        _host.Error.Write($"{SafeText.Line(question)} [y/N] ");
        if (_host.In.ReadLine()?.Trim() is not ("y" or "Y" or "yes" or "Yes" or "YES"))
        {
            throw new CliException("Nothing was done.", ExitCodes.Failed);
        }
    }

    /// <summary>Runs long work, with a bar while a person watches.</summary>
    /// <param name="what">What is being done.</param>
    /// <param name="total">How many steps; null: not known.</param>
    /// <param name="work">The work; it calls the action after each step.</param>
    public async Task<T> ProgressAsync<T>(string what, int? total, Func<Action, Task<T>> work)
    {
        if (!_host.IsInteractive)
        {
            return await work(() => { });
        }

        return await _error.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new CountColumn(), new ElapsedTimeColumn())
            .StartAsync(async context =>
            {
                var task = context.AddTask(Markup.Escape(what), maxValue: total ?? 1);
                task.IsIndeterminate = total is null;
                return await work(() => task.Increment(1));
            });
    }

    private IAnsiConsole ConsoleOn(TextWriter writer)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = _host.IsInteractive ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = _host.IsInteractive ? InteractionSupport.Yes : InteractionSupport.No,
        });
        if (!_host.IsInteractive)
        {
            console.Profile.Width = WidthOfPipe;
        }

        return console;
    }

    private sealed class CountColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(task.IsIndeterminate ? $"{task.Value:F0}" : $"{task.Value:F0}/{task.MaxValue:F0}");
    }
}
