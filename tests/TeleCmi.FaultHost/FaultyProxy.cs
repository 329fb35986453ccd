using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using TeleCmi.TestSupport;

namespace TeleCmi.FaultHost;

/// <summary>A TCP proxy that delays, drops and cuts what it relays, and refuses altogether when told to.</summary>
internal sealed class FaultyProxy : IAsyncDisposable
{
    private readonly int _target;
    private readonly int _seed;
    private readonly ConcurrentDictionary<Socket, bool> _sockets = new();
    private readonly Lock _dice = new();
    private readonly Random _random;
    private TcpListener _listener;
    private Task _accepting;
    private long _delays;
    private long _drops;
    private long _cuts;

    public FaultyProxy(int target, int seed)
    {
        _target = target;
        _seed = seed;
        _random = new Random(_seed);
        Port = LoopbackPort.Free();
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Start();
        _accepting = AcceptAsync(_listener);
    }

    public int Port { get; }

    /// <summary>The share of chunks that meet a fault.</summary>
    public double FaultShare { get; set; }

    public long Delays => Interlocked.Read(ref _delays);

    public long Drops => Interlocked.Read(ref _drops);

    public long Cuts => Interlocked.Read(ref _cuts);

    /// <summary>Refuses new connections and resets those that there are.</summary>
    public async Task RefuseAsync()
    {
        _listener.Stop();
        await _accepting;
        foreach (var socket in _sockets.Keys)
        {
            Reset(socket);
        }
    }

    /// <summary>Relays again.</summary>
    public void Accept()
    {
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Start();
        _accepting = AcceptAsync(_listener);
    }

    public async ValueTask DisposeAsync()
    {
        await RefuseAsync();
        _listener.Dispose();
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptSocketAsync();
                _ = RelayAsync(client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private async Task RelayAsync(Socket client)
    {
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        _sockets.TryAdd(client, true);
        _sockets.TryAdd(server, true);
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, _target);
            await await Task.WhenAny(PumpAsync(client, server), PumpAsync(server, client));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // One side is gone, so the other goes too.
        }
        finally
        {
            Reset(client);
            Reset(server);
            _sockets.TryRemove(client, out _);
            _sockets.TryRemove(server, out _);
        }
    }

    private async Task PumpAsync(Socket source, Socket destination)
    {
        var buffer = new byte[16 * 1024];
        while (await source.ReceiveAsync(buffer) is > 0 and var read)
        {
            var (fault, delay) = Roll();
            switch (fault)
            {
                case Fault.Delay:
                    Interlocked.Increment(ref _delays);
                    await Task.Delay(delay);
                    break;
                case Fault.Drop:
                    Interlocked.Increment(ref _drops);
                    await SwallowAsync(source, buffer);
                    return;
                case Fault.Cut:
                    Interlocked.Increment(ref _cuts);
                    await SendAsync(destination, buffer.AsMemory(0, read / 2));
                    return;
                default:
                    break;
            }

            await SendAsync(destination, buffer.AsMemory(0, read));
        }
    }

    // The sender waits for an answer until it loses patience.
    private static async Task SwallowAsync(Socket source, byte[] buffer)
    {
        while (await source.ReceiveAsync(buffer) > 0)
        {
        }
    }

    private static async Task SendAsync(Socket destination, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await destination.SendAsync(bytes)..];
        }
    }

    private (Fault Fault, TimeSpan Delay) Roll()
    {
        lock (_dice)
        {
            return _random.NextDouble() >= FaultShare
                ? (Fault.None, TimeSpan.Zero)
                : ((Fault)_random.Next((int)Fault.Delay, (int)Fault.Cut + 1), TimeSpan.FromMilliseconds(_random.Next(50, 2500)));
        }
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }

        socket.Close();
    }

    private enum Fault
    {
        None,
        Delay,
        Drop,
        Cut,
    }
}
