using System.CommandLine;
using Azure;
using Azure.Identity;
using TeleCmi.Cli.Output;

namespace TeleCmi.Cli.Commands;

/// <summary>Gives every command the same surroundings, and every failure the same form: a message and an exit code.</summary>
internal sealed class CommandRunner(CliHost host)
{
    public CliHost Host { get; } = host;

    public Option<string?> Storage { get; } = new("--storage")
    {
        Description = "Storage connection string; without it the app's own settings count: TeleCmiStorage, or TeleCmiStorage__queueServiceUri and TeleCmiStorage__tableServiceUri, and TeleCmiEventsQueue.",
        Recursive = true,
    };

    /// <summary>Makes a command whose work needs storage.</summary>
    public void OnStorage(Command command, Func<ParseResult, Terminal, Connection, CancellationToken, Task<int>> work) =>
        On(command, async (parsed, terminal, cancellation) =>
        {
            await using var connection = await Connection.OpenAsync(Host, parsed.GetValue(Storage));
            return await work(parsed, terminal, connection, cancellation);
        });

    public void On(Command command, Func<ParseResult, Terminal, CancellationToken, Task<int>> work) =>
        command.SetAction((parsed, cancellation) => GuardAsync(parsed, work, cancellation));

    private async Task<int> GuardAsync(
        ParseResult parsed, Func<ParseResult, Terminal, CancellationToken, Task<int>> work, CancellationToken cancellation)
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
        catch (Exception e) when (Explain(e) is { } message)
        {
            terminal.Note(message);
            return ExitCodes.Failed;
        }
    }

    // What storage and files can say; anything else is a fault of this program and may crash it.
    private static string? Explain(Exception e) => e switch
    {
        AggregateException { InnerExceptions: [.., var last] } => Explain(last),
        RequestFailedException { Status: 0 } => $"Storage does not answer: {FirstLine(e.Message)}",
        RequestFailedException { Status: var status, ErrorCode: var code } => $"Storage refused: {status} {code}.",
        AuthenticationFailedException => $"Storage could not be reached with this identity: {FirstLine(e.Message)}",
        TimeoutException or HttpRequestException or IOException or UnauthorizedAccessException => FirstLine(e.Message),
        TaskCanceledException { InnerException: TimeoutException } => "Storage does not answer in time.",
        _ => null,
    };

    private static string FirstLine(string text) => text.AsSpan().Trim() is var trimmed && trimmed.IndexOfAny('\r', '\n') is var end and >= 0
        ? trimmed[..end].ToString()
        : text;
}
