using System.CommandLine;
using System.CommandLine.Invocation;
using TeleCmi.Cli.Commands;
using TeleCmi.Cli.Output;

namespace TeleCmi.Cli;

/// <summary>The tool, apart from the process it runs in.</summary>
public static class CliApp
{
    /// <summary>Runs one command line.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(string[] args, CliHost host, CancellationToken cancellation)
    {
        var runner = new CommandRunner(host);
        var root = new RootCommand("Looks after a TeleCMI receiver: ask for its state, read calls and journal, compare with TeleCMI's reports, replay dead letters, back up, play TeleCMI.")
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
        return parsed.Action is ParseErrorAction action
            ? await ExplainAsync(parsed, action, configuration, cancellation)
            : await parsed.InvokeAsync(configuration, cancellation);
    }

    // What is wrong repeats what was typed, and in a script that may be anything.
    private static async Task<int> ExplainAsync(
        ParseResult parsed, ParseErrorAction action, InvocationConfiguration configuration, CancellationToken cancellation)
    {
        var error = configuration.Error;
        await using var explanation = new StringWriter();
        configuration.Output = configuration.Error = explanation;
        action.ShowHelp = parsed.CommandResult.Command.Subcommands.Count > 0;
        await parsed.InvokeAsync(configuration, cancellation);
        await error.WriteLineAsync(SafeText.Lines(explanation.ToString().Trim()));
        return ExitCodes.Usage;
    }
}
