using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.RegularExpressions;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>A place that events are forwarded to, with settings that have been checked.</summary>
public sealed partial class ForwardDestination
{
    /// <summary>The most secrets: an old and a new one.</summary>
    public const int MostSecrets = 2;

    private static readonly TimeSpan LeastTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MostTimeout = TimeSpan.FromMinutes(2);

    private static readonly Dictionary<string, CallOutcome> FinalOutcomes =
        CallNames.Outcomes.Where(outcome => outcome is not CallOutcome.InProgress).ToDictionary(outcome => outcome.Name(), StringComparer.OrdinalIgnoreCase);

    private HashSet<EventKind>? _events;
    private AnsweredBy? _answeredBy;
    private HashSet<CallOutcome>? _outcomes;

    private ForwardDestination()
    {
    }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its address, which may hold a secret of the receiver's: not for logs.</summary>
    public required Uri Url { get; init; }

    /// <summary>The secrets that sign.</summary>
    public required IReadOnlyList<WebhookSecret> Secrets { get; init; }

    /// <summary>Whether it gets each call when it has ended, and no events.</summary>
    public required bool SendsCalls { get; init; }

    /// <summary>How long an attempt may take.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Whether only the customer's first answer of a conversation is forwarded.</summary>
    public required bool OncePerConversation { get; init; }

    /// <summary>How many attempts may run at once, on each instance of the app.</summary>
    public required int MaxConcurrency { get; init; }

    /// <summary>Checks the settings of one destination.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="policy">Which addresses may be sent to.</param>
    /// <param name="faults">Gets a sentence for each setting that is wrong; none repeats a secret or an address's path.</param>
    /// <param name="destination">The destination, when nothing is wrong.</param>
    public static bool TryCreate(
        ForwardDestinationOptions options, AddressPolicy policy, ICollection<string> faults, [NotNullWhen(true)] out ForwardDestination? destination)
    {
        var before = faults.Count;
        var url = ReadUrl(options, policy, faults);
        var name = ReadName(options, url, faults);
        var secrets = ReadSecrets(options, faults);
        var events = ReadEvents(options, faults);
        var answeredBy = ReadAnsweredBy(options, events, faults);
        var outcomes = ReadOutcomes(options, faults);
        CheckSend(options, faults);
        CheckRanges(options, faults);
        destination = faults.Count > before ? null : new ForwardDestination
        {
            Name = name,
            Url = url!,
            Secrets = secrets,
            SendsCalls = options.SendsCalls,
            Timeout = options.Timeout,
            OncePerConversation = options.OncePerConversation,
            MaxConcurrency = options.MaxConcurrency,
            _events = events,
            _answeredBy = answeredBy,
            _outcomes = outcomes,
        };
        return destination is not null;
    }

    /// <summary>Whether an event is meant for this destination.</summary>
    public bool Accepts(CallEvent callEvent) =>
        !SendsCalls
        && _events?.Contains(callEvent.Kind) != false
        && (_answeredBy is null || callEvent.Notice.AnsweredBy == _answeredBy);

    /// <summary>Whether a call is meant for this destination.</summary>
    public bool Accepts(CallRecord call) => SendsCalls && _outcomes?.Contains(call.Outcome) != false;

    private static Uri? ReadUrl(ForwardDestinationOptions options, AddressPolicy policy, ICollection<string> faults)
    {
        var setting = $"{options.Setting}{nameof(options.Url)}";
        if (!Uri.TryCreate(options.Url.Trim(), UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttps && url.Scheme != Uri.UriSchemeHttp))
        {
            faults.Add($"{setting}: write the receiver's whole address, such as https://crm.example.com/hooks/telecmi.");
            return null;
        }

        if (url.UserInfo.Length > 0)
        {
            faults.Add($"{setting}: leave out the name and password before the @; the receiver knows the sender by the signature.");
        }

        if (url.Scheme == Uri.UriSchemeHttp && !url.IsLoopback && !options.AllowHttp)
        {
            faults.Add($"{setting}: write https, or set {options.Setting}{nameof(options.AllowHttp)} to true and let whoever is on the way read the calls.");
        }

        if (RefusedLiteral(url, policy) is { } address)
        {
            faults.Add($"{setting}: {address} is not a public address. If that is meant, add its network to {ForwardOptions.AllowedNetworksSetting}, such as {(IPAddress.IsLoopback(address) ? AddressPolicy.Loopback : $"{address}/{(address.GetAddressBytes().Length * 8)}")}.");
        }

        return url;
    }

    // A name's addresses are checked with each connection; what the setting spells out can be checked now.
    private static IPAddress? RefusedLiteral(Uri url, AddressPolicy policy)
    {
        var address = url.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6 ? IPAddress.Parse(url.DnsSafeHost)
            : url.IsLoopback ? IPAddress.Loopback
            : null;
        return address is not null && !policy.Permits(address) ? address : null;
    }

    private static string ReadName(ForwardDestinationOptions options, Uri? url, ICollection<string> faults)
    {
        var name = options.Name.Trim() is { Length: > 0 } given ? given : NotInName().Replace(url?.Host ?? "unknown", "_");
        if (!NamePattern().IsMatch(name))
        {
            faults.Add($"{options.Setting}{nameof(options.Name)}: '{name}' is invalid; use letters, digits and underscores, at most 40.");
        }

        return name;
    }

    private static List<WebhookSecret> ReadSecrets(ForwardDestinationOptions options, ICollection<string> faults)
    {
        var secrets = new List<WebhookSecret>();
        foreach (var text in options.Secrets)
        {
            if (WebhookSecret.TryParse(text, out var secret))
            {
                secrets.Add(secret);
            }
        }

        if (secrets.Count < options.Secrets.Count || secrets.Count is 0 or > MostSecrets)
        {
            faults.Add($"{options.Setting}{nameof(options.Secrets)}: write one secret, or two while one replaces the other, comma-separated; each is {WebhookSecret.Prefix} and {WebhookSecret.ShortestKey} to {WebhookSecret.LongestKey} random bytes in Base64.");
        }

        return secrets;
    }

    private static HashSet<EventKind>? ReadEvents(ForwardDestinationOptions options, ICollection<string> faults)
    {
        if (options.Events.Count == 0 || options.Events.Any(name => name == TeleCmiOptions.AllKinds))
        {
            return null;
        }

        var kinds = new HashSet<EventKind>();
        foreach (var name in options.Events)
        {
            if (EventKinds.TryParse(name, out var kind))
            {
                kinds.Add(kind);
            }
            else
            {
                faults.Add($"{options.Setting}{nameof(options.Events)}: '{name}' is not a kind of event. Leave it out for all that are accepted, or use some of: {TeleCmiOptions.KindNames}.");
            }
        }

        return kinds;
    }

    private static AnsweredBy? ReadAnsweredBy(ForwardDestinationOptions options, HashSet<EventKind>? events, ICollection<string> faults)
    {
        AnsweredBy? answeredBy = null;
        var written = options.AnsweredBy.Trim().ToLowerInvariant();
        if (written is not ("" or "both"))
        {
            answeredBy = Enum.GetValues<AnsweredBy>().Cast<AnsweredBy?>().FirstOrDefault(party => party!.Value.Name() == written);
            if (answeredBy is null)
            {
                faults.Add($"{options.Setting}{nameof(options.AnsweredBy)}: write agent (leg a), customer (leg b) or both.");
            }
        }

        if (options.OncePerConversation)
        {
            if (answeredBy is AnsweredBy.Agent)
            {
                faults.Add($"{options.Setting}{nameof(options.OncePerConversation)}: it forwards the customer's first answer, so {nameof(options.AnsweredBy)} cannot be agent.");
            }

            answeredBy = AnsweredBy.Customer;
        }

        if (answeredBy is not null && events?.Any(kind => kind is not EventKind.OutgoingAnswered) == true)
        {
            faults.Add($"{options.Setting}{nameof(options.Events)}: who answered is known of {EventKind.OutgoingAnswered.Name()} only; make another destination, with the same Url and another Name, for the other kinds.");
        }

        return answeredBy;
    }

    private static HashSet<CallOutcome>? ReadOutcomes(ForwardDestinationOptions options, ICollection<string> faults)
    {
        var outcomes = new HashSet<CallOutcome>();
        foreach (var name in options.Outcomes)
        {
            if (FinalOutcomes.TryGetValue(name, out var outcome))
            {
                outcomes.Add(outcome);
            }
            else
            {
                faults.Add($"{options.Setting}{nameof(options.Outcomes)}: '{name}' is not an outcome of a call that has ended. Leave it out for all, or use some of: {string.Join(", ", FinalOutcomes.Keys)}.");
            }
        }

        return outcomes.Count == 0 ? null : outcomes;
    }

    // A filter that can do nothing is a misunderstanding.
    private static void CheckSend(ForwardDestinationOptions options, ICollection<string> faults)
    {
        if (!options.SendsCalls && options.Send.Trim() is not "" && !string.Equals(options.Send.Trim(), "events", StringComparison.OrdinalIgnoreCase))
        {
            faults.Add($"{options.Setting}{nameof(options.Send)}: write events (each as it comes) or calls (each when it has ended).");
        }

        if (options.SendsCalls && (options.Events.Count > 0 || options.OncePerConversation || options.AnsweredBy.Trim().ToLowerInvariant() is not ("" or "both")))
        {
            faults.Add($"{options.Setting}{nameof(options.Send)}: {nameof(options.Events)}, {nameof(options.AnsweredBy)} and {nameof(options.OncePerConversation)} choose events; of calls choose by {nameof(options.Outcomes)}.");
        }

        if (!options.SendsCalls && options.Outcomes.Count > 0)
        {
            faults.Add($"{options.Setting}{nameof(options.Outcomes)}: only calls have an outcome; set {options.Setting}{nameof(options.Send)} to calls.");
        }
    }

    private static void CheckRanges(ForwardDestinationOptions options, ICollection<string> faults)
    {
        faults.CheckRange($"{options.Setting}{nameof(options.Timeout)}", options.Timeout, LeastTimeout, MostTimeout);
        faults.CheckRange($"{options.Setting}{nameof(options.MaxConcurrency)}", options.MaxConcurrency, 1, 100);
    }

    [GeneratedRegex("^[A-Za-z0-9_]{1,40}$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NamePattern();

    [GeneratedRegex("[^A-Za-z0-9_]", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NotInName();
}
