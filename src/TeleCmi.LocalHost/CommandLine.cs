using TeleCmi.Pipeline;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Azure;

namespace TeleCmi.LocalHost;

/// <summary>The receiver's command line.</summary>
internal static class CommandLine
{
    public const string Sample = "--sample";

    public const string Help = """
        The TeleCMI receiver on one machine: receives, stores durably, processes and forwards call events.

        Usage: TeleCmi.LocalHost [options]

          --sample                Send the documented sample to itself, show the journal row, and end.
          --data <folder>         Where the embedded store is kept (default: .telecmi in a clone, else your data folder).
          --storage <setting>     Another store: sqlite:<file>, UseDevelopmentStorage=true, or a storage connection string.
          --urls <addresses>      Where to listen (default: http://127.0.0.1:7071).
          --<Setting>=<value>     Any setting, such as --TeleCmi:AppIds=2223343 or --LocalHost:LivePage=false.
          --help                  Show this text.

        Settings are environment variables too, with __ for the colon, such as TeleCmi__AppIds.
        """;

    /// <summary>Short names of settings.</summary>
    public static readonly Dictionary<string, string> Switches = new(StringComparer.OrdinalIgnoreCase)
    {
        ["--storage"] = AzureStorageOptions.ConnectionName,
        ["--data"] = $"{LocalHostOptions.SectionName}:{nameof(LocalHostOptions.Data)}",
    };

    private static readonly string[] Flags = [Sample, "--help", "-h", "-?"];

    private static readonly string[] Named =
        ["--urls", .. Switches.Keys, $"--{AzureStorageOptions.ConnectionName}", $"--{QueueOptions.EventsSetting}", $"--{QueueOptions.ForwardsSetting}"];

    public static bool AsksForHelp(string[] args) => args.Any(argument => argument is "--help" or "-h" or "-?");

    // A setting is written with a colon here, and with __ as an environment variable.
    private static string? Meant(string name) =>
        name.Contains("__", StringComparison.Ordinal) ? name.Replace("__", ":", StringComparison.Ordinal) : Settings.Nearest(name, [.. Flags, .. Named]);

    /// <summary>Refuses what would be ignored.</summary>
    /// <exception cref="StartupException">An option does not exist, or has no value.</exception>
    public static void Check(string[] args)
    {
        for (var i = 0; i < args.Length; i++)
        {
            var name = args[i].Split('=')[0];
            if (Flags.Contains(args[i], StringComparer.OrdinalIgnoreCase))
            {
                continue;
            }

            if (!name.StartsWith("--", StringComparison.Ordinal)
                || !(Named.Contains(name, StringComparer.OrdinalIgnoreCase) || name.Contains(':', StringComparison.Ordinal)))
            {
                throw new StartupException($"There is no option {name}. Did you mean {Meant(name)}? --help lists them all.");
            }

            // The value may be an argument of its own.
            if (name == args[i] && (++i == args.Length || args[i].StartsWith("--", StringComparison.Ordinal)))
            {
                throw new StartupException($"{name} needs a value: write {name} <value>; --help tells which.");
            }
        }
    }
}
