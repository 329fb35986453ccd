using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;

namespace TeleCmi.LoadTest.Load;

/// <summary>A receiver of forwarded events in this process, so that one clock tells when an event was sent and when the receiver had it.</summary>
internal sealed class ForwardReceiver : IAsyncDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<long, long> _sent = new();
    private readonly ConcurrentDictionary<long, long> _had = new();
    private int _repeats;

    private ForwardReceiver(WebApplication app) => _app = app;

    /// <summary>Where it listens.</summary>
    public Uri Address => new(_app.Urls.Single());

    /// <summary>Events that came more than once.</summary>
    public int Repeats => Volatile.Read(ref _repeats);

    public static async Task<ForwardReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var receiver = new ForwardReceiver(builder.Build());
        receiver._app.Run(receiver.TakeAsync);
        await receiver._app.StartAsync();
        return receiver;
    }

    /// <summary>A sender that notes when each event was sent.</summary>
    public ISender Timed(ISender sender) => new TimedSender(sender, _sent);

    /// <summary>Waits for events.</summary>
    /// <returns>The times from sending to having, of those that came in time.</returns>
    public async Task<IReadOnlyList<TimeSpan>> LatenciesOfAsync(IReadOnlyCollection<long> numbers)
    {
        var began = Stopwatch.GetTimestamp();
        while (!numbers.All(_had.ContainsKey) && Stopwatch.GetElapsedTime(began) < Deadline)
        {
            await Task.Delay(Poll);
        }

        return [.. numbers.Where(_had.ContainsKey).Select(number => Stopwatch.GetElapsedTime(_sent[number], _had[number]))];
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var now = Stopwatch.GetTimestamp();
        if (!_had.TryAdd(NumberedText.NumberIn(Encoding.UTF8.GetString(body.GetBuffer(), 0, (int)body.Length)), now))
        {
            Interlocked.Increment(ref _repeats);
        }

        context.Response.ContentLength = 0;
    }

    private sealed class TimedSender(ISender sender, ConcurrentDictionary<long, long> sent) : ISender
    {
        public Task<bool> SendAsync(long number)
        {
            sent[number] = Stopwatch.GetTimestamp();
            return sender.SendAsync(number);
        }

        public void Dispose() => sender.Dispose();
    }
}
