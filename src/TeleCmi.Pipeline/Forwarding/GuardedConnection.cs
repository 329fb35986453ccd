using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// Opens the connections of forwarding. The policy is asked about the very addresses that are then connected to, so a
/// name that resolves to one address for a check and to another for the request gains nothing.
/// </summary>
public sealed class GuardedConnection(IOptions<ForwardOptions> options, HostLookup lookup)
{
    private readonly AddressPolicy _policy = ForwardDestinations.PolicyOf(options.Value);

    /// <summary>Opens a connection to an address that may be sent to.</summary>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var permitted = await FindAsync(host, cancellation);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(permitted, port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The host's addresses that may be sent to.</summary>
    /// <exception cref="AddressRefusedException">There is none.</exception>
    public async Task<IPAddress[]> FindAsync(string host, CancellationToken cancellation)
    {
        var found = IPAddress.TryParse(host, out var literal) ? [literal] : await lookup(host, cancellation);
        var permitted = Array.FindAll(found, address => _policy.Permits(host, address));
        return permitted.Length > 0 ? permitted : throw new AddressRefusedException(host, found);
    }
}

/// <summary>Finds the addresses of a host's name.</summary>
public delegate Task<IPAddress[]> HostLookup(string host, CancellationToken cancellation);

/// <summary>A destination has no address that may be sent to.</summary>
public sealed class AddressRefusedException(string host, IReadOnlyCollection<IPAddress> addresses)
    : Exception($"{host} is {string.Join(", ", addresses)}, which is not a public address: nothing was sent.");
