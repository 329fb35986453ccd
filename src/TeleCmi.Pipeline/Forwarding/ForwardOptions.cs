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
    internal const string FirstAttemptTimeoutSetting = $"{SettingPrefix}{nameof(FirstAttemptTimeout)}";
    internal const string SettleTimeSetting = $"{SettingPrefix}{nameof(SettleTime)}";

    private static readonly string[] Known = [nameof(AllowedNetworks), nameof(FirstAttemptTimeout), nameof(SettleTime)];

    /// <summary>The destinations.</summary>
    public IList<ForwardDestinationOptions> Destinations { get; } = [];

    /// <summary>Networks that may be sent to although they are not public, such as <c>10.20.0.0/16</c> or <c>loopback</c>.</summary>
    public IReadOnlyList<string> AllowedNetworks { get; set; } = [];

    /// <summary>
    /// Whether an address that spells out this machine (<c>127.0.0.1</c>, <c>[::1]</c>, <c>localhost</c>) may be sent to. Not a setting: the
    /// program knows whether it runs on the machine of the one who wrote that. A name that only leads to this machine stays refused.
    /// </summary>
    public bool AllowsThisMachine { get; set; }

    /// <summary>How long the first attempt may take, which is made while the event is processed; a destination's own timeout counts when it is shorter.</summary>
    public TimeSpan FirstAttemptTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long after its last notice a call is sent to a destination that wants calls.</summary>
    public TimeSpan SettleTime { get; set; } = TimeSpan.FromSeconds(20);

    // Also those without an address and secrets, which the operator's tool can do without.
    internal List<ForwardDestinationOptions> Written { get; } = [];

    // Settings that do not exist: a misspelt OncePerConversation must not double a customer's events in silence.
    internal List<string> Faults { get; } = [];

    internal void ReadFrom(IConfiguration configuration)
    {
        var section = configuration.GetSection(SectionName);
        AllowedNetworks = section.ReadList(nameof(AllowedNetworks));
        FirstAttemptTimeout = section.GetValue(nameof(FirstAttemptTimeout), FirstAttemptTimeout);
        SettleTime = section.GetValue(nameof(SettleTime), SettleTime);
        IConfigurationSection[] numbered = [.. section.GetChildren().Where(part => part.Key.All(char.IsAsciiDigit))];
        Faults.AddRange(Settings.UnknownIn(section, [.. Known, .. numbered.Select(part => part.Key)]));
        foreach (var part in numbered)
        {
            var destination = new ForwardDestinationOptions { NameOf = SettingNames(part.Key) };
            destination.ReadFrom(part);
            Faults.AddRange(Settings.UnknownIn(part, ForwardDestinationOptions.Known));
            Written.Add(destination);
            if (!destination.IsBlank)
            {
                Destinations.Add(destination);
            }
        }
    }

    internal static ForwardSettingName SettingNames(string number) => (setting, value) =>
        $"{SettingPrefix}{(Known.Contains(setting, StringComparer.Ordinal) ? "" : $"{number}__")}{setting}{(value is null ? "" : $"={value}")}";
}

/// <summary>What a setting is called where it was written, in the environment or on a command line, so that a message names what its reader can change.</summary>
/// <param name="setting">A property of <see cref="ForwardDestinationOptions"/>, or <see cref="ForwardOptions.AllowedNetworks"/>.</param>
/// <param name="value">The value to write; null: the name alone.</param>
public delegate string ForwardSettingName(string setting, string? value = null);

/// <summary>One destination's settings, as they are written: <c>TeleCmi__Forward__0__*</c>.</summary>
public sealed class ForwardDestinationOptions
{
    internal static readonly string[] Known =
    [
        nameof(Url), nameof(Name), nameof(Secrets), nameof(Send), nameof(Events), nameof(AnsweredBy), nameof(OncePerConversation), nameof(Outcomes),
        nameof(Agents), nameof(Teams), nameof(CustomerNumbers), nameof(BusinessNumbers), nameof(AppIds), nameof(Directions),
        nameof(Timeout), nameof(MaxConcurrency), nameof(AllowHttp),
    ];

    /// <summary>How messages name these settings.</summary>
    public ForwardSettingName NameOf { get; set; } = ForwardOptions.SettingNames("0");

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

    /// <summary>The agents whose events or calls are sent, with the application (<c>202_2222223</c>) or without (<c>202</c>); empty: all.</summary>
    public IReadOnlyList<string> Agents { get; set; } = [];

    /// <summary>The teams, with the application (<c>Sales_2222223</c>) or without; empty: all.</summary>
    public IReadOnlyList<string> Teams { get; set; } = [];

    /// <summary>What the customer's number begins with; empty: anything.</summary>
    public IReadOnlyList<string> CustomerNumbers { get; set; } = [];

    /// <summary>What the account's own number begins with; empty: anything.</summary>
    public IReadOnlyList<string> BusinessNumbers { get; set; } = [];

    /// <summary>The app ids; empty: all that are accepted.</summary>
    public IReadOnlyList<string> AppIds { get; set; } = [];

    /// <summary><c>outgoing</c>, <c>incoming</c>; empty: both, and what belongs to neither.</summary>
    public IReadOnlyList<string> Directions { get; set; } = [];

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
        Agents = section.ReadList(nameof(Agents));
        Teams = section.ReadList(nameof(Teams));
        CustomerNumbers = section.ReadList(nameof(CustomerNumbers));
        BusinessNumbers = section.ReadList(nameof(BusinessNumbers));
        AppIds = section.ReadList(nameof(AppIds));
        Directions = section.ReadList(nameof(Directions));
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
        if (!AddressPolicy.TryParse(options.AllowedNetworks, out var policy, out var fault, options.AllowsThisMachine))
        {
            faults.Add($"{ForwardOptions.SettingPrefix}{nameof(options.AllowedNetworks)}: {fault}");
            return ValidateOptionsResult.Fail(faults);
        }

        faults.CheckRange(ForwardOptions.FirstAttemptTimeoutSetting, options.FirstAttemptTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
        faults.CheckRange(ForwardOptions.SettleTimeSetting, options.SettleTime, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var written in options.Destinations)
        {
            if (ForwardDestination.TryCreate(written, policy, faults, out var destination) && !names.Add(destination.Name))
            {
                faults.Add($"{written.NameOf(nameof(written.Name))}: another destination is called '{destination.Name}' too; give each its own name.");
            }
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}

/// <summary>Stops the app at start when a destination waits for what the receiver never accepts.</summary>
internal sealed class AcceptedForwardsValidator(IConfiguration configuration) : IValidateOptions<ForwardOptions>
{
    public ValidateOptionsResult Validate(string? name, ForwardOptions options)
    {
        if (options.Destinations.Count == 0)
        {
            return ValidateOptionsResult.Success;
        }

        // Not the validated options: what is wrong there is said there.
        var accepting = new TeleCmiOptions();
        accepting.ReadLists(configuration.GetSection(TeleCmiOptions.SectionName));
        EventKind[] accepted = [.. EventKinds.All.Where(accepting.Accepts)];
        var faults = new List<string>();
        foreach (var destination in options.Destinations)
        {
            if (destination.SendsCalls && !accepted.Any(Decides))
            {
                faults.Add($"{destination.NameOf(nameof(destination.Send))}: no event is accepted that says how a call ended; set TeleCmi__AcceptedEvents to {TeleCmiOptions.AllKinds}.");
            }

            if (destination.Directions.Count > 0 && DestinationFilter.TryCreate(destination, [], out var filter) && !accepted.Any(filter.AdmitsDirectionOf))
            {
                faults.Add($"{destination.NameOf(nameof(destination.Directions))}: no event of such a call is accepted; set TeleCmi__AcceptedEvents to {TeleCmiOptions.AllKinds}, or name the kinds there.");
            }

            if (accepting.AppIds.Count > 0 && destination.AppIds.FirstOrDefault(appId => !accepting.AppIds.Contains(appId, StringComparer.OrdinalIgnoreCase)) is { } unknown)
            {
                faults.Add($"{destination.NameOf(nameof(destination.AppIds))}: {unknown} is not among TeleCmi__AppIds, so none of its events is accepted.");
            }
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static bool Decides(EventKind kind) =>
        kind is EventKind.OutgoingHangup or EventKind.IncomingHangup or EventKind.CdrOutgoingAnswered or EventKind.CdrOutgoingMissed or EventKind.CdrIncomingAnswered or EventKind.CdrIncomingMissed;
}
