using System.Collections.Concurrent;
using System.Globalization;
using System.Net;

namespace TeleCmi.TestSupport;

/// <summary>Sends events, each of a call of its own, until it is stopped, and notes which were acknowledged.</summary>
public sealed class EventStream(string name) : IDisposable
{
    private const int Senders = 8;

    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly ConcurrentQueue<string> _acknowledged = new();
    private int _sent;

    /// <summary>The ids that were acknowledged.</summary>
    public IReadOnlyCollection<string> Acknowledged => _acknowledged;

    /// <summary>The id of an event of a call.</summary>
    public static string IdOf(string call, string leg = "a") => $"2223343:event:{call}:{leg}:answered";

    /// <summary>Sends one event.</summary>
    /// <param name="webhook">Where to.</param>
    /// <param name="custom">What the FaultHost's handler is to do.</param>
    /// <returns>The status; null when there was no response.</returns>
    public async Task<HttpStatusCode?> SendAsync(Uri webhook, string custom = "none")
    {
        var call = string.Create(CultureInfo.InvariantCulture, $"{name}-{Interlocked.Increment(ref _sent)}");
        using var body = new ByteArrayContent(SampleNotices.AnsweredWith(("cmiuuid", call), ("conversation_uuid", call), ("custom", custom)));
        try
        {
            using var response = await _client.PostAsync(webhook, body);
            if (response.IsSuccessStatusCode)
            {
                _acknowledged.Enqueue(IdOf(call));
            }

            return response.StatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Sends until the token ends it, or the receiver is gone.</summary>
    public Task RunAsync(Uri webhook, CancellationToken stop, string custom = "none") => Task.WhenAll(Enumerable.Range(0, Senders).Select(_ => Task.Run(
        async () =>
        {
            while (!stop.IsCancellationRequested && await SendAsync(webhook, custom) is not null)
            {
            }
        },
        CancellationToken.None)));

    public void Dispose() => _client.Dispose();
}
