using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// Which addresses may be sent to: the public ones, and the networks that the operator allows. Everything that the
/// registries of special addresses (RFC 6890 and its successors at IANA) set apart is refused: loopback, private and
/// link-local networks, the clouds' metadata services, documentation and multicast.
/// </summary>
public sealed class AddressPolicy
{
    /// <summary>A word for this machine's own addresses.</summary>
    public const string Loopback = "loopback";

    private static readonly IPNetwork[] LoopbackNetworks = [IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("::1/128")];

    private static readonly IPNetwork[] Refused =
    [
        IPNetwork.Parse("0.0.0.0/8"),
        IPNetwork.Parse("10.0.0.0/8"),
        IPNetwork.Parse("100.64.0.0/10"),
        IPNetwork.Parse("127.0.0.0/8"),
        IPNetwork.Parse("168.63.129.16/32"), // Azure's own services inside a virtual network.
        IPNetwork.Parse("169.254.0.0/16"), // Link-local, with 169.254.169.254: the clouds' metadata.
        IPNetwork.Parse("172.16.0.0/12"),
        IPNetwork.Parse("192.0.0.0/24"),
        IPNetwork.Parse("192.0.2.0/24"),
        IPNetwork.Parse("192.88.99.0/24"),
        IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("198.18.0.0/15"),
        IPNetwork.Parse("198.51.100.0/24"),
        IPNetwork.Parse("203.0.113.0/24"),
        IPNetwork.Parse("224.0.0.0/4"),
        IPNetwork.Parse("240.0.0.0/4"),
        IPNetwork.Parse("2001::/23"),
        IPNetwork.Parse("2001:db8::/32"),
        IPNetwork.Parse("2002::/16"), // 6to4 carries an IPv4 address, and nobody needs it any more.
        IPNetwork.Parse("3fff::/20"),
    ];

    // All that is public in IPv6 lies here.
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    // Where a network translates, an IPv4 address stands in the last four bytes.
    private static readonly IPNetwork Translated = IPNetwork.Parse("64:ff9b::/96");

    private readonly IPNetwork[] _allowed;
    private readonly bool _allowsThisMachine;

    private AddressPolicy(IPNetwork[] allowed, bool allowsThisMachine)
    {
        _allowed = allowed;
        _allowsThisMachine = allowsThisMachine;
    }

    /// <summary>Reads the networks that are allowed beyond the public ones.</summary>
    /// <param name="networks">Networks such as <c>10.20.0.0/16</c>, or <see cref="Loopback"/>.</param>
    /// <param name="policy">The policy.</param>
    /// <param name="fault">Otherwise what is wrong, in a sentence.</param>
    /// <param name="allowsThisMachine">Whether a host that spells out this machine may be sent to besides.</param>
    public static bool TryParse(
        IEnumerable<string> networks, [NotNullWhen(true)] out AddressPolicy? policy, [NotNullWhen(false)] out string? fault, bool allowsThisMachine = false)
    {
        var allowed = new List<IPNetwork>();
        foreach (var part in networks)
        {
            if (part.Equals(Loopback, StringComparison.OrdinalIgnoreCase))
            {
                allowed.AddRange(LoopbackNetworks);
            }
            else if (IPNetwork.TryParse(part, out var network))
            {
                allowed.Add(network);
            }
            else
            {
                policy = null;
                fault = $"'{part}' is not a network. Write such as 10.20.0.0/16, fd00:1::/64 or {Loopback}, comma-separated.";
                return false;
            }
        }

        policy = new AddressPolicy([.. allowed], allowsThisMachine);
        fault = null;
        return true;
    }

    /// <summary>Whether an address of a host may be sent to.</summary>
    /// <param name="host">How the host is written: what spells out this machine is meant, what a name resolves to may not be.</param>
    /// <param name="address">One of its addresses.</param>
    public bool Permits(string host, IPAddress address) =>
        (_allowsThisMachine && IPAddress.IsLoopback(address) && SpellsOutThisMachine(host)) || Permits(address);

    /// <summary>Whether this address may be sent to, whatever the host's name.</summary>
    public bool Permits(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        if (Array.Exists(_allowed, network => network.Contains(address)))
        {
            return true;
        }

        if (Translated.Contains(address))
        {
            return Permits(new IPAddress(address.GetAddressBytes().AsSpan(12)));
        }

        return (address.AddressFamily is AddressFamily.InterNetwork || GlobalUnicast.Contains(address))
            && !Array.Exists(Refused, network => network.Contains(address));
    }

    private static bool SpellsOutThisMachine(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var literal) && IPAddress.IsLoopback(literal));
}
