using System.CommandLine;
using TeleCmi.Cli.Output;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Cli.Commands;

/// <summary>Gives every command the same surroundings, and every failure the same form: a message and an exit code.</summary>
internal sealed class CommandRunner
{
    public CommandRunner(CliHost host)
    {
        Host = host;
        Storage.Recursive = true;
    }

    public CliHost Host { get; }

    public Option<string> Storage { get; } = CommonOptions.Text(
        "--storage",
        $"sqlite:<file> or a storage connection string; without it the app's own settings count ({Connection.StorageSetting} and the like), and without those the store of the receiver on this machine.");

    /// <summary>Gives a command its work on storage.</summary>
    /// <param name="command">The command.</param>
    /// <param name="work">The work; it returns the exit code.</param>
    /// <param name="withReceiver">Whether it replays, and so needs the receiver's settings to be right too.</param>
    /// <param name="withReports">Whether it reads TeleCMI's reports, and needs their settings besides.</param>
    public void OnStorage(
        Command command, Func<ParseResult, Terminal, Connection, CancellationToken, Task<int>> work, bool withReceiver = false, bool withReports = false) =>
        On(command, async (parsed, terminal, cancellation) =>
        {
            await using var connection = await Connection.OpenAsync(Host, parsed.GetValue(Storage), withReceiver, withReports);
            return await work(parsed, terminal, connection, cancellation);
        });

    /// <summary>Gives a command its work.</summary>
    public void On(Command command, Func<ParseResult, Terminal, CancellationToken, Task<int>> work) => command.SetAction(async (parsed, cancellation) =>
    {
        var terminal = new Terminal(Host);
        try
        {
            return await work(parsed, terminal, cancellation);
        }
        catch (CliException e)
        {
            terminal.Note(e.Message);
            return e.ExitCode;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            terminal.Note("Interrupted.");
            return ExitCodes.Interrupted;
        }
        catch (Exception e) when (e is StorageException or IOException or UnauthorizedAccessException)
        {
            // Storage and files may fail; anything else is a bug in this program and may crash it.
            terminal.Note(e.Message.Trim().Split('\n')[0].TrimEnd());
            return ExitCodes.Failed;
        }
    });
}
