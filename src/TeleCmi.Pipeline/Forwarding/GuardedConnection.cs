using System.Net;
using System.Net.Sockets;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// Opens the connections of forwarding. The policy is asked about the very addresses that are then connected to, so a
/// name that answers one address to a check and another to the call gains nothing.
/// </summary>
/// <param name="policy">Which addresses may be called.</param>
/// <param name="lookup">Finds a name's addresses.</param>
internal sealed class GuardedConnection(AddressPolicy policy, HostLookup lookup)
{
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

    /// <summary>The host's addresses that may be called.</summary>
    /// <exception cref="AddressRefusedException">There is none.</exception>
    public async Task<IPAddress[]> FindAsync(string host, CancellationToken cancellation)
    {
        var found = IPAddress.TryParse(host, out var literal) ? [literal] : await lookup(host, cancellation);
        var permitted = Array.FindAll(found, policy.Permits);
        return permitted.Length > 0 ? permitted : throw new AddressRefusedException(host, found);
    }
}

/// <summary>Finds the addresses of a host's name.</summary>
public delegate Task<IPAddress[]> HostLookup(string host, CancellationToken cancellation);

/// <summary>A destination has no address that may be called.</summary>
public sealed class AddressRefusedException(string host, IReadOnlyCollection<IPAddress> addresses)
    : Exception($"{host} is {string.Join(", ", addresses)}, which is not a public address: nothing was sent. If that is meant, add its network to {ForwardOptions.AllowedNetworksSetting}.");
