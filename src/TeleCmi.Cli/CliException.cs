namespace TeleCmi.Cli;

/// <summary>Ends a command with a message for the person who typed it.</summary>
public sealed class CliException(string message, int exitCode) : Exception(message)
{
    /// <summary>One of <see cref="ExitCodes"/>.</summary>
    public int ExitCode { get; } = exitCode;
}
