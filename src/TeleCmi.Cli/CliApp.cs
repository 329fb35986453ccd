using System.CommandLine;
using System.CommandLine.Invocation;
using TeleCmi.Cli.Commands;

namespace TeleCmi.Cli;

/// <summary>The tool, apart from the process it runs in.</summary>
public static class CliApp
{
    /// <summary>Runs one command line.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(string[] args, CliHost host, CancellationToken cancellation)
    {
        var runner = new CommandRunner(host);
        var root = new RootCommand("Looks after a TeleCMI receiver: play TeleCMI, mend dead letters, read the journal, ask for the state.")
        {
            runner.Storage,
            SendCommand.Create(runner),
            DeadLetterCommands.Create(runner),
            JournalCommands.Create(runner),
            StatusCommand.Create(runner),
            ForwardCommands.Create(runner),
        };
        var parsed = root.Parse(args);
        var configuration = new InvocationConfiguration
        {
            Output = host.Out,
            Error = host.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        var exitCode = await parsed.InvokeAsync(configuration, cancellation);
        return parsed.Action is ParseErrorAction ? ExitCodes.Usage : exitCode;
    }
}
