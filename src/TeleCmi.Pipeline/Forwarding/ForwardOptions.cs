using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>The settings below <c>TeleCmi:Forward</c>: destinations by index, and what holds for all of them.</summary>
public sealed class ForwardOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = $"{TeleCmiOptions.SectionName}:Forward";

    internal const string SettingPrefix = "TeleCmi__Forward__";
    internal const string AllowedNetworksSetting = $"{SettingPrefix}{nameof(AllowedNetworks)}";
    internal const string FirstAttemptTimeoutSetting = $"{SettingPrefix}{nameof(FirstAttemptTimeout)}";

    private static readonly string[] Known = [nameof(AllowedNetworks), nameof(FirstAttemptTimeout)];

    /// <summary>The destinations.</summary>
    public IList<ForwardDestinationOptions> Destinations { get; } = [];

    /// <summary>Networks that may be sent to although they are not public, such as <c>10.20.0.0/16</c> or <c>loopback</c>.</summary>
    public IReadOnlyList<string> AllowedNetworks { get; set; } = [];

    /// <summary>How long the first attempt may take, which is made while the event is processed; a destination's own timeout counts when it is shorter.</summary>
    public TimeSpan FirstAttemptTimeout { get; set; } = TimeSpan.FromSeconds(5);

    // Settings that do not exist: a misspelt OncePerConversation must not double a customer's events in silence.
    internal List<string> Faults { get; } = [];

    internal void ReadFrom(IConfiguration configuration)
    {
        var section = configuration.GetSection(SectionName);
        AllowedNetworks = section.ReadList(nameof(AllowedNetworks));
        FirstAttemptTimeout = section.GetValue(nameof(FirstAttemptTimeout), FirstAttemptTimeout);
        var parts = section.GetChildren().ToLookup(part => part.Key.All(char.IsAsciiDigit));
        Faults.AddRange(Settings.UnknownIn(section, [.. Known, .. parts[true].Select(part => part.Key)]));
        foreach (var part in parts[true])
        {
            var destination = new ForwardDestinationOptions { Setting = $"{SettingPrefix}{part.Key}__" };
            destination.ReadFrom(part);
            Faults.AddRange(Settings.UnknownIn(part, ForwardDestinationOptions.Known));
            if (!destination.IsBlank)
            {
                Destinations.Add(destination);
            }
        }
    }
}

/// <summary>One destination's settings, as they are written: <c>TeleCmi__Forward__0__*</c>.</summary>
public sealed class ForwardDestinationOptions
{
    internal static readonly string[] Known =
        [nameof(Url), nameof(Name), nameof(Secrets), nameof(Events), nameof(AnsweredBy), nameof(Timeout), nameof(OncePerConversation), nameof(MaxConcurrency), nameof(AllowHttp)];

    /// <summary>The prefix of each setting's name, for messages.</summary>
    public string Setting { get; set; } = $"{ForwardOptions.SettingPrefix}0__";

    /// <summary>Where to; https.</summary>
    public string Url { get; set; } = "";

    /// <summary>Its name in the journal, in telemetry and in dead letters; empty: made from the address's host.</summary>
    public string Name { get; set; } = "";

    /// <summary>One secret, or two while one replaces the other.</summary>
    public IReadOnlyList<string> Secrets { get; set; } = [];

    /// <summary>The kinds of event; empty: all that are accepted.</summary>
    public IReadOnlyList<string> Events { get; set; } = [];

    /// <summary><c>agent</c>, <c>customer</c> or <c>both</c>.</summary>
    public string AnsweredBy { get; set; } = "both";

    /// <summary>How long an attempt may take.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Only the customer's first answer of a conversation.</summary>
    public bool OncePerConversation { get; set; }

    /// <summary>How many attempts may run at once, on each instance of the app; a destination's share of the workers is the most.</summary>
    public int MaxConcurrency { get; set; } = 8;

    /// <summary>Lets the address begin with http although it is not on this machine.</summary>
    public bool AllowHttp { get; set; }

    // As everywhere an empty setting is one that is not set; a deployment may have them all, and leave these empty.
    internal bool IsBlank => string.IsNullOrWhiteSpace(Url) && Secrets.Count == 0;

    internal void ReadFrom(IConfigurationSection section)
    {
        Url = section[nameof(Url)] ?? Url;
        Name = section[nameof(Name)] ?? Name;
        Secrets = section.ReadList(nameof(Secrets));
        Events = section.ReadList(nameof(Events));
        AnsweredBy = section[nameof(AnsweredBy)] ?? AnsweredBy;
        Timeout = section.GetValue(nameof(Timeout), Timeout);
        OncePerConversation = section.GetValue(nameof(OncePerConversation), OncePerConversation);
        MaxConcurrency = section.GetValue(nameof(MaxConcurrency), MaxConcurrency);
        AllowHttp = section.GetValue(nameof(AllowHttp), AllowHttp);
    }
}

/// <summary>Stops the app at start when a destination's setting is wrong.</summary>
internal sealed class ForwardOptionsValidator : IValidateOptions<ForwardOptions>
{
    public ValidateOptionsResult Validate(string? name, ForwardOptions options)
    {
        List<string> faults = [.. options.Faults];
        if (!AddressPolicy.TryParse(options.AllowedNetworks, out var policy, out var fault))
        {
            faults.Add($"{ForwardOptions.AllowedNetworksSetting}: '{fault}' is not a network. Write such as 10.20.0.0/16, fd00:1::/64 or {AddressPolicy.Loopback}, comma-separated.");
            return ValidateOptionsResult.Fail(faults);
        }

        faults.CheckRange(ForwardOptions.FirstAttemptTimeoutSetting, options.FirstAttemptTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var written in options.Destinations)
        {
            if (ForwardDestination.TryCreate(written, policy, faults, out var destination) && !names.Add(destination.Name))
            {
                faults.Add($"{written.Setting}{nameof(written.Name)}: another destination is called '{destination.Name}' too; give each its own name.");
            }
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
