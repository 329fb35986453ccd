using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>Makes one call: the event as a CloudEvent in structured mode, signed; and says what the answer means.</summary>
public sealed class ForwardSender(IHttpClientFactory clients, TimeProvider clock)
{
    /// <summary>The name of the HTTP client.</summary>
    public const string ClientName = "TeleCmi.Forward";

    /// <summary>As much of an answer as is read.</summary>
    public const int AnswerBytes = 1024;

    private static readonly MediaTypeHeaderValue CloudEvent = new("application/cloudevents+json") { CharSet = "utf-8" };

    /// <summary>Calls a destination.</summary>
    /// <returns>How it ended; whatever the receiver or the network does is a result.</returns>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task<ForwardAttempt> SendAsync(ForwardDestination destination, CallEvent callEvent, CancellationToken cancellation)
    {
        var started = clock.GetTimestamp();
        var attempt = await TrySendAsync(destination, callEvent, cancellation);
        return attempt with { Elapsed = clock.GetElapsedTime(started) };
    }

    private async Task<ForwardAttempt> TrySendAsync(ForwardDestination destination, CallEvent callEvent, CancellationToken cancellation)
    {
        try
        {
            return await Deadline.RunAsync(deadline => CallAsync(destination, callEvent, deadline), destination.Timeout, clock, cancellation);
        }
        catch (TimeoutException)
        {
            return new(ForwardVerdict.Retry, $"No answer within {destination.Timeout.TotalSeconds:0.#} s.");
        }
        catch (HttpRequestException e) when (e.InnerException is AddressRefusedException refused)
        {
            return new(ForwardVerdict.Refused, refused.Message);
        }
        catch (HttpRequestException e)
        {
            return new(ForwardVerdict.Retry, $"{Explain(e.HttpRequestError)} ({e.HttpRequestError}).") { Failure = e };
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            return new(ForwardVerdict.Retry, "No connection in time.") { Failure = e };
        }
    }

    private async Task<ForwardAttempt> CallAsync(ForwardDestination destination, CallEvent callEvent, CancellationToken cancellation)
    {
        using var request = RequestTo(destination, callEvent);
        var client = clients.CreateClient(ClientName);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        var answer = await ReadAnswerAsync(response, cancellation);
        var status = (int)response.StatusCode;
        return JudgeStatus(status) with
        {
            Status = status,
            Answer = answer,
            RetryAfter = RetryAfterOf(response.Headers.RetryAfter),
        };
    }

    private HttpRequestMessage RequestTo(ForwardDestination destination, CallEvent callEvent)
    {
        var now = clock.GetUtcNow();
        var id = StandardWebhookSignature.HeaderId(callEvent.Id);
        var request = new HttpRequestMessage(HttpMethod.Post, destination.Url) { Content = new ReadOnlyMemoryContent(callEvent.Envelope) };
        request.Content.Headers.ContentType = CloudEvent;
        var headers = request.Headers;
        headers.Add(StandardWebhookSignature.IdHeader, id);
        headers.Add(StandardWebhookSignature.TimestampHeader, now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        headers.Add(StandardWebhookSignature.SignatureHeader, StandardWebhookSignature.Sign(id, now, callEvent.Envelope.Span, destination.Secrets));
        if (Activity.Current?.Source.Name != TelemetryNames.Source && ActivityContext.TryParse(callEvent.TraceParent, traceState: null, out _))
        {
            // Nobody listens to our spans; where one does, the HTTP client sends that span's context.
            headers.Add("traceparent", callEvent.TraceParent);
        }

        return request;
    }

    // The status has decided already: an answer that breaks off or does not end changes nothing.
    private static async Task<string?> ReadAnswerAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var answer = new byte[AnswerBytes];
        var length = 0;
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellation);
            length = await body.ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false, cancellation);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return null;
        }

        return length > 0 ? Encoding.UTF8.GetString(answer.AsSpan(0, length)) : null;
    }

    private static ForwardAttempt JudgeStatus(int status) => status switch
    {
        >= 200 and < 300 => new(ForwardVerdict.Delivered, $"The receiver answered {status}."),
        (int)HttpStatusCode.Gone => new(ForwardVerdict.Gone, "The receiver answered 410: it wants no more events."),
        (int)HttpStatusCode.TooManyRequests => new(ForwardVerdict.Retry, "The receiver answered 429: too many calls."),
        >= 500 => new(ForwardVerdict.Retry, $"The receiver answered {status}."),
        >= 300 and < 400 => new(ForwardVerdict.Refused, $"The receiver answered {status}: redirects are not followed; write the address it points to into Url."),
        _ => new(ForwardVerdict.Refused, $"The receiver answered {status}."),
    };

    private TimeSpan? RetryAfterOf(RetryConditionHeaderValue? header)
    {
        var wait = header?.Delta ?? (header?.Date - clock.GetUtcNow());
        return wait > TimeSpan.Zero ? wait : null;
    }

    private static string Explain(HttpRequestError error) => error switch
    {
        HttpRequestError.NameResolutionError => "The host's name was not found",
        HttpRequestError.ConnectionError => "The host did not take the connection",
        HttpRequestError.SecureConnectionError => "The secure connection failed: the certificate is not valid for this host, or not trusted",
        _ => "The connection failed",
    };
}
