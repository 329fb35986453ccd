using Microsoft.Extensions.Configuration;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>The settings below <c>TeleCmi:Forward</c>: destinations by index, and what holds for all of them.</summary>
public sealed class ForwardOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = $"{TeleCmiOptions.SectionName}:Forward";

    internal const string SettingPrefix = "TeleCmi__Forward__";
    internal const string AllowedNetworksSetting = $"{SettingPrefix}{nameof(AllowedNetworks)}";

    /// <summary>The destinations.</summary>
    public IList<ForwardDestinationOptions> Destinations { get; } = [];

    /// <summary>Networks that may be called although they are not public, comma-separated, such as <c>10.20.0.0/16</c> or <c>loopback</c>.</summary>
    public string AllowedNetworks { get; set; } = "";

    // Names that mean nothing here: a slip of the pen in OncePerConversation must not double a customer's calls in silence.
    internal IList<string> Unknown { get; } = [];

    internal void ReadFrom(IConfiguration configuration)
    {
        foreach (var part in configuration.GetSection(SectionName).GetChildren())
        {
            if (part.Key.Equals(nameof(AllowedNetworks), StringComparison.OrdinalIgnoreCase))
            {
                AllowedNetworks = part.Value ?? "";
            }
            else if (part.Key.All(char.IsAsciiDigit))
            {
                var destination = ForwardDestinationOptions.ReadFrom(part, Unknown);
                if (!destination.IsBlank)
                {
                    Destinations.Add(destination);
                }
            }
            else
            {
                Unknown.Add($"{SettingPrefix}{part.Key}");
            }
        }
    }
}

/// <summary>One destination's settings, as they are written: <c>TeleCmi__Forward__0__*</c>.</summary>
public sealed class ForwardDestinationOptions
{
    private static readonly string[] Known =
        [nameof(Url), nameof(Name), nameof(Secrets), nameof(Events), nameof(AnsweredBy), nameof(Timeout), nameof(OncePerConversation), nameof(MaxConcurrency), nameof(AllowHttp)];

    /// <summary>What stands before each setting's name, for messages.</summary>
    public string Setting { get; set; } = $"{ForwardOptions.SettingPrefix}0__";

    /// <summary>Where to; https.</summary>
    public string Url { get; set; } = "";

    /// <summary>Its name in the journal, in telemetry and in dead letters; empty: made from the address's host.</summary>
    public string Name { get; set; } = "";

    /// <summary>One or two secrets, comma-separated (or as <c>Secrets__0</c> and <c>Secrets__1</c>), so that one can replace the other.</summary>
    public string Secrets { get; set; } = "";

    /// <summary>The kinds of event, comma-separated; empty: all that are accepted.</summary>
    public string Events { get; set; } = "";

    /// <summary><c>agent</c>, <c>customer</c> or <c>both</c>.</summary>
    public string AnsweredBy { get; set; } = "both";

    /// <summary>How long a call may take.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Only the customer's first answer of a conversation.</summary>
    public bool OncePerConversation { get; set; }

    /// <summary>How many calls may run at once, on each instance of the app.</summary>
    public int MaxConcurrency { get; set; } = 8;

    /// <summary>Lets the address begin with http although it is not on this machine.</summary>
    public bool AllowHttp { get; set; }

    // As everywhere here an empty setting is one that is not set; a deployment may have them all, and leave these empty.
    internal bool IsBlank => string.IsNullOrWhiteSpace(Url) && TeleCmiOptions.Split(Secrets).Length == 0;

    internal static ForwardDestinationOptions ReadFrom(IConfigurationSection section, IList<string> unknown)
    {
        var options = new ForwardDestinationOptions { Setting = $"{ForwardOptions.SettingPrefix}{section.Key}__" };
        section.Bind(options);
        options.Secrets = string.Join(',', section.GetSection(nameof(Secrets)).GetChildren().Select(secret => secret.Value).Prepend(options.Secrets));
        foreach (var part in section.GetChildren().Where(part => !Known.Contains(part.Key, StringComparer.OrdinalIgnoreCase)))
        {
            unknown.Add($"{options.Setting}{part.Key}");
        }

        return options;
    }
}
