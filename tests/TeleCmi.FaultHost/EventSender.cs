using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Threading.Channels;
using TeleCmi.TestSupport;

namespace TeleCmi.FaultHost;

/// <summary>Plays TeleCMI, with patience: sends each event until it is acknowledged, and writes down each acknowledgement.</summary>
internal sealed class EventSender(Uri webhook, int seed) : IDisposable
{
    private const int Workers = 16;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly ConcurrentDictionary<string, bool> _acknowledged = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _wishes = new(StringComparer.Ordinal);
    private long _requests;
    private long _refusals;
    private long _breaks;
    private long _finished;

    /// <summary>Every id that was sent, and whether it was acknowledged.</summary>
    public IReadOnlyDictionary<string, bool> Sent => _acknowledged;

    /// <summary>What each event asks the handler to do.</summary>
    public IReadOnlyDictionary<string, string> Wishes => _wishes;

    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>Responses that were no acknowledgement.</summary>
    public long Refusals => Interlocked.Read(ref _refusals);

    /// <summary>Requests that got no response at all.</summary>
    public long Breaks => Interlocked.Read(ref _breaks);

    /// <summary>How many events it is done with.</summary>
    public long Finished => Interlocked.Read(ref _finished);

    /// <summary>Sends the events whose numbers come through the channel.</summary>
    public Task SendAsync(ChannelReader<int> numbers) => Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => WorkAsync(numbers)));

    public void Dispose() => _client.Dispose();

    private async Task WorkAsync(ChannelReader<int> numbers)
    {
        await foreach (var number in numbers.ReadAllAsync())
        {
            var random = new Random(seed + number);
            var call = string.Create(CultureInfo.InvariantCulture, $"call-{number}");
            var wish = WishOf(random);
            var notice = SampleNotices.AnsweredWith(("cmiuuid", call), ("conversation_uuid", call), ("custom", wish));
            var id = $"2223343:event:{call}:a:answered";
            _wishes.TryAdd(id, wish);
            _acknowledged.TryAdd(id, false);

            // One in twenty gives up at the first refusal, so that there are events without an acknowledgement too.
            var patient = random.Next(20) > 0;
            while (!await IsAcknowledgedAsync(notice, random.Next(3) == 0) && patient)
            {
                await Task.Delay(Pause);
            }

            // And one in twenty is sent again, as TeleCMI may.
            if (random.Next(20) == 0)
            {
                await IsAcknowledgedAsync(notice, byGet: true);
            }

            Interlocked.Increment(ref _finished);
        }
    }

    private async Task<bool> IsAcknowledgedAsync(byte[] notice, bool byGet)
    {
        Interlocked.Increment(ref _requests);
        using var request = byGet
            ? new HttpRequestMessage(HttpMethod.Get, new Uri(webhook, $"?{SampleNotices.QueryOf(notice)}"))
            : new HttpRequestMessage(HttpMethod.Post, webhook) { Content = new ByteArrayContent(notice) };
        try
        {
            using var response = await _client.SendAsync(request);
            var body = await response.Content.ReadAsStringAsync();
            if (response.StatusCode is HttpStatusCode.OK)
            {
                using var json = System.Text.Json.JsonDocument.Parse(body);
                _acknowledged[json.RootElement.GetProperty("id").GetString()!] = true;
                return true;
            }

            Interlocked.Increment(ref _refusals);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
        {
            Interlocked.Increment(ref _breaks);
        }

        return false;
    }

    private static string WishOf(Random random) => random.Next(100) switch
    {
        0 => "fail:always",
        < 6 => "fail:2",
        < 16 => string.Create(CultureInfo.InvariantCulture, $"slow:{random.Next(50, 3000)}"),
        _ => "none",
    };
}
