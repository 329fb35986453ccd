using Microsoft.Extensions.Configuration;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Cli;

/// <summary>What surrounds the tool: its streams, its settings, its clock.</summary>
public sealed record CliHost
{
    /// <summary>Takes what was asked for.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Takes messages, questions and progress.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Where a person's replies are read.</summary>
    public required TextReader In { get; init; }

    /// <summary>The same settings as the app's.</summary>
    public required IConfiguration Settings { get; init; }

    /// <summary>The time.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The storage to use, whatever the settings say; null: the one that they name.</summary>
    public IStore? Store { get; init; }

    /// <summary>Whether a person sits at a terminal: progress is drawn and questions are asked.</summary>
    public bool IsInteractive { get; init; }

    /// <summary>Whether <see cref="Out"/> is a terminal, which obeys escape sequences.</summary>
    public bool OutIsTerminal { get; init; }
}
