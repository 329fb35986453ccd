using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using TeleCmi.Cli.Commands;
using TeleCmi.Cli.Output;
using TeleCmi.Pipeline;

namespace TeleCmi.Cli;

/// <summary>The tool, apart from the process it runs in.</summary>
public static class CliApp
{
    /// <summary>Runs one command line.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(string[] args, CliHost host, CancellationToken cancellation)
    {
        var runner = new CommandRunner(host);
        var root = new RootCommand("Shows the state, calls and journal of a TeleCMI receiver, compares them with TeleCMI's reports, replays dead letters, makes backups, plays TeleCMI.")
        {
            runner.Storage,
            StatusCommand.Create(runner),
            CallCommands.Create(runner),
            JournalCommands.Create(runner),
            DeadLetterCommands.Create(runner),
            ForwardCommands.Create(runner),
            ReconcileCommand.Create(runner),
            PurgeCommand.Create(runner),
            BackupCommand.Create(runner),
            SendCommand.Create(runner),
        };
        var parsed = root.Parse(args);
        var configuration = new InvocationConfiguration
        {
            Output = host.Out,
            Error = host.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        if (parsed.Action is not ParseErrorAction)
        {
            return await parsed.InvokeAsync(configuration, cancellation);
        }

        // What is wrong repeats what was typed, and in a script that may be anything.
        await host.Error.WriteLineAsync(SafeText.Line(Explain(parsed)));
        return ExitCodes.Usage;
    }

    // One sentence, and where to read more.
    private static string Explain(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var subcommands = command.Subcommands.Select(subcommand => subcommand.Name).ToArray();
        var unknown = parsed.UnmatchedTokens is [var first, ..] ? first : null;
        var fault = unknown switch
        {
            null when subcommands.Length > 0 => $"Write a command: {string.Join(", ", subcommands)}.",
            null => parsed.Errors[0].Message,
            _ when unknown.StartsWith('-') => $"There is no option '{unknown}'.{Suggest(unknown, OptionsOf(command))}",
            _ when subcommands.Length > 0 => $"There is no command '{unknown}'.{Suggest(unknown, subcommands)}",
            _ => $"'{unknown}' is not expected here.",
        };
        return $"{fault} See '{string.Join(' ', CommandLineOf(parsed.CommandResult))} --help'.";
    }

    private static string Suggest(string name, IReadOnlyCollection<string> known) => $" Did you mean {Settings.Nearest(name, known)}?";

    private static string[] OptionsOf(Command command) => [.. command.Options.Select(option => option.Name), "--storage", "--help"];

    private static IEnumerable<string> CommandLineOf(CommandResult result) =>
        result.Parent is CommandResult parent ? CommandLineOf(parent).Append(result.Command.Name) : ["telecmi"];
}
