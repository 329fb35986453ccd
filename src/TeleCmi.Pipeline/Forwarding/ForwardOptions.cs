using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using TeleCmi.Events;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>The settings below <c>TeleCmi:Forward</c>: destinations by index, and what holds for all of them.</summary>
public sealed class ForwardOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = $"{TeleCmiOptions.SectionName}:Forward";

    internal const string SettingPrefix = "TeleCmi__Forward__";
    internal const string AllowedNetworksSetting = $"{SettingPrefix}{nameof(AllowedNetworks)}";
    internal const string FirstAttemptTimeoutSetting = $"{SettingPrefix}{nameof(FirstAttemptTimeout)}";
    internal const string SettleTimeSetting = $"{SettingPrefix}{nameof(SettleTime)}";

    private static readonly string[] Known = [nameof(AllowedNetworks), nameof(FirstAttemptTimeout), nameof(SettleTime)];

    /// <summary>The destinations.</summary>
    public IList<ForwardDestinationOptions> Destinations { get; } = [];

    /// <summary>Networks that may be sent to although they are not public, such as <c>10.20.0.0/16</c> or <c>loopback</c>.</summary>
    public IReadOnlyList<string> AllowedNetworks { get; set; } = [];

    /// <summary>How long the first attempt may take, which is made while the event is processed; a destination's own timeout counts when it is shorter.</summary>
    public TimeSpan FirstAttemptTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long after its last notice a call is sent to a destination that wants calls.</summary>
    public TimeSpan SettleTime { get; set; } = TimeSpan.FromSeconds(20);

    // Settings that do not exist: a misspelt OncePerConversation must not double a customer's events in silence.
    internal List<string> Faults { get; } = [];

    internal void ReadFrom(IConfiguration configuration)
    {
        var section = configuration.GetSection(SectionName);
        AllowedNetworks = section.ReadList(nameof(AllowedNetworks));
        FirstAttemptTimeout = section.GetValue(nameof(FirstAttemptTimeout), FirstAttemptTimeout);
        SettleTime = section.GetValue(nameof(SettleTime), SettleTime);
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
    [
        nameof(Url), nameof(Name), nameof(Secrets), nameof(Send), nameof(Events), nameof(AnsweredBy), nameof(OncePerConversation), nameof(Outcomes),
        nameof(Timeout), nameof(MaxConcurrency), nameof(AllowHttp),
    ];

    /// <summary>The prefix of each setting's name, for messages.</summary>
    public string Setting { get; set; } = $"{ForwardOptions.SettingPrefix}0__";

    /// <summary>Where to; https.</summary>
    public string Url { get; set; } = "";

    /// <summary>Its name in the journal, in telemetry and in dead letters; empty: made from the address's host.</summary>
    public string Name { get; set; } = "";

    /// <summary>One secret, or two while one replaces the other.</summary>
    public IReadOnlyList<string> Secrets { get; set; } = [];

    /// <summary><c>events</c>, each as it comes, or <c>calls</c>, each when it has ended.</summary>
    public string Send { get; set; } = "events";

    /// <summary>The kinds of event; empty: all that are accepted.</summary>
    public IReadOnlyList<string> Events { get; set; } = [];

    /// <summary><c>agent</c>, <c>customer</c> or <c>both</c>.</summary>
    public string AnsweredBy { get; set; } = "both";

    /// <summary>Which calls, by their outcome; empty: all.</summary>
    public IReadOnlyList<string> Outcomes { get; set; } = [];

    /// <summary>How long an attempt may take.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Only the customer's first answer of a conversation.</summary>
    public bool OncePerConversation { get; set; }

    /// <summary>How many attempts may run at once, on each instance of the app; a destination's share of the workers is the most.</summary>
    public int MaxConcurrency { get; set; } = 8;

    /// <summary>Lets the address begin with http although it is not on this machine.</summary>
    public bool AllowHttp { get; set; }

    internal bool SendsCalls => string.Equals(Send.Trim(), "calls", StringComparison.OrdinalIgnoreCase);

    // As everywhere an empty setting is one that is not set; a deployment may have them all, and leave these empty.
    internal bool IsBlank => string.IsNullOrWhiteSpace(Url) && Secrets.Count == 0;

    internal void ReadFrom(IConfigurationSection section)
    {
        Url = section[nameof(Url)] ?? Url;
        Name = section[nameof(Name)] ?? Name;
        Secrets = section.ReadList(nameof(Secrets));
        Send = section[nameof(Send)] ?? Send;
        Events = section.ReadList(nameof(Events));
        AnsweredBy = section[nameof(AnsweredBy)] ?? AnsweredBy;
        Outcomes = section.ReadList(nameof(Outcomes));
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
        faults.CheckRange(ForwardOptions.SettleTimeSetting, options.SettleTime, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
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

/// <summary>Stops the app at start when a destination wants calls and no event is accepted that says how one ended.</summary>
internal sealed class CallDestinationsValidator(IConfiguration configuration) : IValidateOptions<ForwardOptions>
{
    public ValidateOptionsResult Validate(string? name, ForwardOptions options)
    {
        // Not the validated options: what is wrong there is said there.
        var accepting = new TeleCmiOptions();
        accepting.ReadLists(configuration.GetSection(TeleCmiOptions.SectionName));
        if (EventKinds.All.Any(kind => Decides(kind) && accepting.Accepts(kind)))
        {
            return ValidateOptionsResult.Success;
        }

        string[] faults =
        [
            .. options.Destinations.Where(destination => destination.SendsCalls)
                .Select(destination => $"{destination.Setting}{nameof(destination.Send)}: no event is accepted that says how a call ended; set TeleCmi__AcceptedEvents to {TeleCmiOptions.AllKinds}."),
        ];
        return faults.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static bool Decides(EventKind kind) =>
        kind is EventKind.OutgoingHangup or EventKind.IncomingHangup or EventKind.CdrOutgoingAnswered or EventKind.CdrOutgoingMissed or EventKind.CdrIncomingAnswered or EventKind.CdrIncomingMissed;
}
