using System.Diagnostics.CodeAnalysis;
using System.Net;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>A place that events are forwarded to, with settings that have been checked.</summary>
public sealed class ForwardDestination
{
    /// <summary>The most secrets: an old and a new one.</summary>
    public const int MostSecrets = 2;

    private static readonly TimeSpan LeastTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MostTimeout = TimeSpan.FromMinutes(2);

    private ForwardDestination()
    {
    }

    /// <summary>What it gets.</summary>
    public required DestinationFilter Filter { get; init; }

    /// <summary>Its name.</summary>
    public string Name => Filter.Destination;

    /// <summary>Its address, which may hold a secret of the receiver's: not for logs.</summary>
    public required Uri Url { get; init; }

    /// <summary>The secrets that sign.</summary>
    public required IReadOnlyList<WebhookSecret> Secrets { get; init; }

    /// <summary>Whether it gets each call when it has ended, and no events.</summary>
    public bool SendsCalls => Filter.SendsCalls;

    /// <summary>How long an attempt may take.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Whether only the customer's first answer of a conversation is forwarded.</summary>
    public bool OncePerConversation => Filter.OncePerConversation;

    /// <summary>How many attempts may run at once, on each instance of the app.</summary>
    public required int MaxConcurrency { get; init; }

    /// <summary>How messages name its settings.</summary>
    public required ForwardSettingName NameOf { get; init; }

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
        var secrets = ReadSecrets(options, faults);
        _ = DestinationFilter.TryCreate(options, faults, out var filter);
        CheckRanges(options, faults);
        destination = faults.Count > before ? null : new ForwardDestination
        {
            Filter = filter!,
            Url = url!,
            Secrets = secrets,
            Timeout = options.Timeout,
            MaxConcurrency = options.MaxConcurrency,
            NameOf = options.NameOf,
        };
        return destination is not null;
    }

    /// <summary>Whether an event is meant for this destination.</summary>
    public bool Accepts(CallEvent callEvent) => Filter.RefusalOf(callEvent) is null;

    /// <summary>Whether a call is meant for this destination.</summary>
    public bool Accepts(CallRecord call) => Filter.RefusalOf(call) is null;

    private static Uri? ReadUrl(ForwardDestinationOptions options, AddressPolicy policy, ICollection<string> faults)
    {
        var setting = options.NameOf(nameof(options.Url));
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
            faults.Add($"{setting}: write https, or let whoever is on the way read the calls with {options.NameOf(nameof(options.AllowHttp), "true")}.");
        }

        if (RefusedLiteral(url, policy) is { } address)
        {
            var network = IPAddress.IsLoopback(address) ? AddressPolicy.Loopback : $"{address}/{(address.GetAddressBytes().Length * 8)}";
            faults.Add($"{setting}: {address} is not a public address. If that is meant, add its network to {options.NameOf(nameof(ForwardOptions.AllowedNetworks))}, such as {network}.");
        }

        return url;
    }

    // A name's addresses are checked with each connection; what the setting spells out can be checked now.
    private static IPAddress? RefusedLiteral(Uri url, AddressPolicy policy)
    {
        var address = url.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6 ? IPAddress.Parse(url.DnsSafeHost)
            : url.IsLoopback ? IPAddress.Loopback
            : null;
        return address is not null && !policy.Permits(url.DnsSafeHost, address) ? address : null;
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
            faults.Add($"{options.NameOf(nameof(options.Secrets))}: write one secret, or two while one replaces the other, comma-separated; each is {WebhookSecret.Prefix} and {WebhookSecret.ShortestKey} to {WebhookSecret.LongestKey} random bytes in Base64.");
        }

        return secrets;
    }

    private static void CheckRanges(ForwardDestinationOptions options, ICollection<string> faults)
    {
        faults.CheckRange(options.NameOf(nameof(options.Timeout)), options.Timeout, LeastTimeout, MostTimeout);
        faults.CheckRange(options.NameOf(nameof(options.MaxConcurrency)), options.MaxConcurrency, 1, 100);
    }
}
