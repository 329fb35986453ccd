using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace TeleCmi.LoadTest.Load;

/// <summary>
/// One HTTP/1.1 connection that posts one request after the other. The client shares the machine with what it measures,
/// so it does no more than it must.
/// </summary>
internal sealed class HttpConnection(Uri address) : IDisposable
{
    private readonly IPEndPoint _server = new(IPAddress.Loopback, address.Port);
    private readonly byte[] _head = Encoding.ASCII.GetBytes(
        $"POST {address.AbsolutePath} HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Type: application/json\r\nContent-Length: ");

    private readonly byte[] _answer = new byte[16 * 1024];
    private byte[] _request = new byte[4 * 1024];
    private Socket? _socket;

    /// <summary>Connects, without an exception where nobody listens: many of them would take the processor from a program that is starting.</summary>
    /// <returns>Whether there is a connection now.</returns>
    public async ValueTask<bool> TryConnectAsync()
    {
        if (_socket is not null)
        {
            return true;
        }

        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var attempt = new SocketAsyncEventArgs { RemoteEndPoint = _server };
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        attempt.Completed += (_, _) => ended.SetResult();
        if (socket.ConnectAsync(attempt))
        {
            await ended.Task;
        }

        if (attempt.SocketError is not SocketError.Success)
        {
            socket.Dispose();
            return false;
        }

        _socket = socket;
        return true;
    }

    /// <summary>Posts a body, and reads the whole response.</summary>
    /// <returns>The status.</returns>
    /// <exception cref="IOException">The connection broke.</exception>
    public async ValueTask<int> PostAsync(ReadOnlyMemory<byte> body)
    {
        try
        {
            if (!await TryConnectAsync())
            {
                throw new IOException($"Nobody listens at {_server}.");
            }

            await _socket!.SendAsync(Compose(body));
            return await ReadAnswerAsync(_socket);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            Dispose();
            throw e as IOException ?? new IOException(e.Message, e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket?.Dispose();
        _socket = null;
    }

    private ReadOnlyMemory<byte> Compose(ReadOnlyMemory<byte> body)
    {
        const int LongestNumber = 16;
        if (_request.Length < _head.Length + LongestNumber + body.Length)
        {
            _request = new byte[_head.Length + LongestNumber + body.Length];
        }

        _head.CopyTo(_request, 0);
        Utf8Formatter.TryFormat(body.Length, _request.AsSpan(_head.Length), out var digits);
        var length = _head.Length + digits;
        "\r\n\r\n"u8.CopyTo(_request.AsSpan(length));
        body.Span.CopyTo(_request.AsSpan(length + 4));
        return _request.AsMemory(0, length + 4 + body.Length);
    }

    private async ValueTask<int> ReadAnswerAsync(Socket socket)
    {
        var received = 0;
        Answer answer;
        while (!Answer.TryRead(_answer.AsSpan(0, received), out answer) || received < answer.Length)
        {
            var count = await socket.ReceiveAsync(_answer.AsMemory(received));
            received += count > 0 ? count : throw new IOException("The server closed the connection.");
        }

        if (answer.Closes)
        {
            Dispose();
        }

        return answer.Status;
    }

    private readonly record struct Answer(int Status, int Length, bool Closes)
    {
        public static bool TryRead(ReadOnlySpan<byte> bytes, out Answer answer)
        {
            answer = default;
            var end = bytes.IndexOf("\r\n\r\n"u8);
            if (end < 0)
            {
                return false;
            }

            var head = bytes[..(end + 2)];
            if (!Utf8Parser.TryParse(bytes[9..12], out int status, out _)
                || !Utf8Parser.TryParse(Field(head, "content-length: "u8), out int length, out _))
            {
                throw new IOException("The answer has no status, or does not say how long it is.");
            }

            answer = new(status, end + 4 + length, Ascii.EqualsIgnoreCase(Field(head, "connection: "u8), "close"u8));
            return true;
        }

        private static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name)
        {
            while (head.IndexOf("\r\n"u8) is >= 0 and var end)
            {
                var line = head[..end];
                if (line.Length >= name.Length && Ascii.EqualsIgnoreCase(line[..name.Length], name))
                {
                    return line[name.Length..];
                }

                head = head[(end + 2)..];
            }

            return [];
        }
    }
}
