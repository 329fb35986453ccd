namespace TeleCmi.Cli;

/// <summary>What the tool tells a script; docs/cli.md promises these numbers.</summary>
public static class ExitCodes
{
    /// <summary>Everything asked for was done, and nothing needs a person.</summary>
    public const int Fine = 0;

    /// <summary>Something asked for could not be done: storage or the receiver did not respond as it should, or nothing has that name.</summary>
    public const int Failed = 1;

    /// <summary>The command line or a setting is wrong; nothing was done.</summary>
    public const int Usage = 2;

    /// <summary>The command ran, and a person has to look: dead letters, a stuck queue, a letter that cannot be replayed, calls that are missing.</summary>
    public const int NeedsPerson = 3;

    /// <summary>Stopped by Ctrl+C or SIGTERM.</summary>
    public const int Interrupted = 130;
}
