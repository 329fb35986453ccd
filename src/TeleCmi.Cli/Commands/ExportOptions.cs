using System.CommandLine;
using System.Text;
using TeleCmi.Cli.Output;

namespace TeleCmi.Cli.Commands;

/// <summary>Where an export goes, and in which form.</summary>
internal sealed class ExportOptions
{
    private const int RowsBetweenFlushes = 1000;

    private readonly Option<string> _format = CommonOptions.OneOf("--format", "jsonl or csv; without it, what the file's name says, else jsonl.", ["jsonl", "csv"]);
    private readonly Option<bool> _force = new("--force") { Description = "Overwrite the file." };
    private readonly Option<FileInfo?> _output = CommonOptions.Parsed<FileInfo?>(
        "--output", "The file to write, readable by you alone; without it, standard output.", text => new FileInfo(CommonOptions.NotEmpty(text)));

    public void AddTo(Command command)
    {
        _output.Aliases.Add("-o");
        command.Add(_format);
        command.Add(_output);
        command.Add(_force);
    }

    /// <summary>Writes every row as it comes.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> WriteAsync<T>(
        ParseResult parsed,
        Terminal terminal,
        IAsyncEnumerable<T> rows,
        string what,
        IReadOnlyList<string> columns,
        Func<T, IEnumerable<string?>> textsOf,
        Func<T, string> jsonOf,
        CancellationToken cancellation)
    {
        var file = parsed.GetValue(_output);
        var isCsv = (parsed.GetValue(_format) ?? file?.Extension.TrimStart('.')) is "csv";
        if (file is null)
        {
            await WriteAllAsync(terminal.Out, text => terminal.OutIsTerminal ? SafeText.Lines(text) : text, () => { });
            return ExitCodes.Fine;
        }

        if (file.Exists && !parsed.GetValue(_force))
        {
            throw new CliException($"{file} is there already: choose another name, or say --force.", ExitCodes.Usage);
        }

        var count = await terminal.ProgressAsync("Exporting", total: null, WriteFileAsync);
        terminal.Note($"{count} {what}(s) written to {file}.");
        return ExitCodes.Fine;

        async Task<int> WriteFileAsync(Action step)
        {
            // The file is always complete: an interrupted export leaves the old file, or none.
            var unfinished = $"{file.FullName}.{Guid.NewGuid():N}.tmp";
            try
            {
                int written;
                var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.Asynchronous };
                if (!OperatingSystem.IsWindows())
                {
                    options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
                }

                await using (var writer = new StreamWriter(unfinished, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), options))
                {
                    written = await WriteAllAsync(writer, text => text, step);
                }

                File.Move(unfinished, file.FullName, overwrite: true);
                return written;
            }
            finally
            {
                File.Delete(unfinished);
            }
        }

        async Task<int> WriteAllAsync(TextWriter output, Func<string, string> safe, Action step)
        {
            if (isCsv)
            {
                await output.WriteAsync(Csv.Record(columns));
            }

            var written = 0;
            await foreach (var row in rows.WithCancellation(cancellation))
            {
                await output.WriteAsync(safe(isCsv ? Csv.Record(textsOf(row)) : $"{jsonOf(row)}\n"));
                step();
                if (++written % RowsBetweenFlushes == 0)
                {
                    await output.FlushAsync(cancellation);
                }
            }

            await output.FlushAsync(cancellation);
            return written;
        }
    }
}
