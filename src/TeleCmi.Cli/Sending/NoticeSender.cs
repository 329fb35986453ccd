using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using TeleCmi.Events.Samples;

namespace TeleCmi.Cli.Sending;

/// <summary>How a notice travels.</summary>
internal enum SendMethod
{
    /// <summary>POST with the JSON as the body.</summary>
    Post,

    /// <summary>GET with the fields in the query.</summary>
    Get,

    /// <summary>POST with the fields as a form.</summary>
    Form,
}

/// <summary>One response, or the lack of it.</summary>
/// <param name="Label">The status and what the response says of itself, such as <c>200 accepted</c>.</param>
/// <param name="IsAcknowledged">Whether the receiver has the notice.</param>
/// <param name="Latency">From sending to the end of the response.</param>
internal sealed record NoticeResponse(string Label, bool IsAcknowledged, TimeSpan Latency);

/// <summary>Sends notices as TeleCMI does, each request with its own deadline.</summary>
internal sealed class NoticeSender : IDisposable
{
    private const int LargestResponse = 64 * 1024;
    private const int LongestWord = 40;

    private readonly HttpClient _client;
    private readonly Uri _url;
    private readonly SendMethod _method;
    private readonly TimeProvider _clock;

    public NoticeSender(Uri url, SendMethod method, TimeSpan timeout, int concurrency, TimeProvider clock)
    {
        _url = url;
        _method = method;
        _clock = clock;

        // A redirect would carry the secret in the address somewhere else.
        _client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, MaxConnectionsPerServer = concurrency, ConnectTimeout = timeout })
        {
            Timeout = timeout,
            MaxResponseContentBufferSize = LargestResponse,
        };
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("telecmi-cli", null));
    }

    public async Task<NoticeResponse> SendAsync(DocumentedNotice notice, CancellationToken cancellation)
    {
        using var request = RequestOf(notice);
        var started = _clock.GetTimestamp();
        try
        {
            using var response = await _client.SendAsync(request, cancellation);
            var body = await response.Content.ReadAsByteArrayAsync(cancellation);
            return new NoticeResponse(LabelOf((int)response.StatusCode, body), response.IsSuccessStatusCode, _clock.GetElapsedTime(started));
        }
        catch (HttpRequestException e)
        {
            return new NoticeResponse($"no response: {e.HttpRequestError}", IsAcknowledged: false, _clock.GetElapsedTime(started));
        }
        catch (TaskCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new NoticeResponse("no response: time-out", IsAcknowledged: false, _clock.GetElapsedTime(started));
        }
    }

    public void Dispose() => _client.Dispose();

    private HttpRequestMessage RequestOf(DocumentedNotice notice) => _method switch
    {
        SendMethod.Get => new HttpRequestMessage(HttpMethod.Get, WithFields(notice)),
        SendMethod.Form => new HttpRequestMessage(HttpMethod.Post, _url)
        {
            Content = new StringContent(notice.ToQuery(), new MediaTypeHeaderValue("application/x-www-form-urlencoded")),
        },
        _ => new HttpRequestMessage(HttpMethod.Post, _url)
        {
            Content = new ByteArrayContent(notice.Utf8) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        },
    };

    private Uri WithFields(DocumentedNotice notice) =>
        new UriBuilder(_url) { Query = _url.Query is ['?', .. { Length: > 0 } query] ? $"{query}&{notice.ToQuery()}" : notice.ToQuery() }.Uri;

    private static string LabelOf(int status, byte[] body)
    {
        var word = WordOf(body);
        return word is null
            ? string.Create(CultureInfo.InvariantCulture, $"{status}")
            : string.Create(CultureInfo.InvariantCulture, $"{status} {word}");
    }

    // The response's own word: accepted, ignored, or the last part of a problem's type. Only if it looks like one.
    private static string? WordOf(byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            if (json.RootElement.ValueKind is not JsonValueKind.Object)
            {
                return null;
            }

            var text = json.RootElement.TryGetProperty("type", out var type) && type.ValueKind is JsonValueKind.String ? type.GetString()!.Split(':')[^1]
                : json.RootElement.TryGetProperty("status", out var status) && status.ValueKind is JsonValueKind.String ? status.GetString()!
                : "";
            return text.Length is > 0 and <= LongestWord && text.All(letter => char.IsAsciiLetterLower(letter) || letter is '-') ? text : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
