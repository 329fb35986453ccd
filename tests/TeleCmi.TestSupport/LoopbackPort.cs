using System.Net;
using System.Net.Sockets;

namespace TeleCmi.TestSupport;

/// <summary>
/// Ports of the loopback interface for what stops listening and comes back, or never listens. They are outside of the ranges from which Linux,
/// Windows and macOS take a port for whoever does not care: nobody gets one meanwhile, and no connection to one is made with itself.
/// </summary>
public static class LoopbackPort
{
    private const int First = 20_000;
    private const int AfterLast = 30_000;

    /// <summary>A port that nobody listens on.</summary>
    public static int Free()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, AfterLast);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ExclusiveAddressUse = true };
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
            {
                // Another one, then.
            }
        }
    }
}
