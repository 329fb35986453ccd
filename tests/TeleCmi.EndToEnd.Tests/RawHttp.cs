using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace TeleCmi.EndToEnd.Tests;

/// <summary>Requests as no client library would send them.</summary>
internal static class RawHttp
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Sends bytes in pieces, and reads what comes back until the other side closes.</summary>
    /// <exception cref="TimeoutException">The other side hangs.</exception>
    public static async Task<string> SendAsync(Uri host, TimeSpan deadline, params byte[][] pieces)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(host.Host, host.Port);
        await using var stream = client.GetStream();
        var reading = ReadAsync(stream);
        try
        {
            foreach (var piece in pieces)
            {
                await stream.WriteAsync(piece);
            }

            // Of a request that is not whole, the end makes the other side give up.
            if (await Task.WhenAny(reading, Task.Delay(Patience)) != reading)
            {
                client.Client.Shutdown(SocketShutdown.Send);
            }
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // It may respond and close before it has read everything.
        }

        return await reading.WaitAsync(deadline);
    }

    /// <summary>A POST with these headers.</summary>
    public static byte[] Post(string headers, ReadOnlySpan<byte> body = default) =>
        [.. Encoding.Latin1.GetBytes($"POST /api/telecmi/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"), .. body];

    /// <summary>A GET with this query.</summary>
    public static byte[] Get(string query) =>
        Encoding.Latin1.GetBytes($"GET /api/telecmi/events?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

    /// <summary>The status of a response; 0 when there is none.</summary>
    public static int StatusOf(string response) =>
        response.StartsWith("HTTP/1.", StringComparison.Ordinal) && int.TryParse(response.AsSpan(9, 3), CultureInfo.InvariantCulture, out var status) ? status : 0;

    private static async Task<string> ReadAsync(NetworkStream stream)
    {
        var response = new MemoryStream();
        try
        {
            await stream.CopyToAsync(response);
        }
        catch (IOException)
        {
            // Reset: what came before it counts.
        }

        return Encoding.Latin1.GetString(response.ToArray());
    }
}
