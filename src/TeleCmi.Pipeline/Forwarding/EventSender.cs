using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>Makes one delivery attempt: the event as a CloudEvent in structured mode, signed; and says what the response means.</summary>
public sealed class EventSender(IHttpClientFactory clients, TimeProvider clock)
{
    /// <summary>The name of the HTTP client.</summary>
    public const string ClientName = "TeleCmi.Forward";

    /// <summary>The header, always <c>true</c>, of what a backfill sends.</summary>
    public const string BackfillHeader = "telecmi-backfill";

    /// <summary>As many bytes of a response's body as are read.</summary>
    public const int MostResponseBytes = 1024;

    private static readonly MediaTypeHeaderValue CloudEvent = new("application/cloudevents+json") { CharSet = "utf-8" };

    /// <summary>Sends an event to a destination.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="enveloped">The event, or a call.</param>
    /// <param name="timeout">How long the attempt may take.</param>
    /// <param name="isBackfill">Whether the request says that a backfill sends it.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <returns>How it ended; whatever the receiver or the network does is a result.</returns>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task<DeliveryResult> SendAsync(ForwardDestination destination, EnvelopedEvent enveloped, TimeSpan timeout, bool isBackfill, CancellationToken cancellation)
    {
        var started = clock.GetTimestamp();
        var result = await TrySendAsync(destination, enveloped, timeout, isBackfill, cancellation);
        return result with { Elapsed = clock.GetElapsedTime(started) };
    }

    private async Task<DeliveryResult> TrySendAsync(ForwardDestination destination, EnvelopedEvent enveloped, TimeSpan timeout, bool isBackfill, CancellationToken cancellation)
    {
        try
        {
            return await new Deadline(timeout, clock).RunAsync(token => PostAsync(destination, enveloped, isBackfill, token), cancellation);
        }
        catch (TimeoutException)
        {
            return new(DeliveryOutcome.Retry, $"No response within {timeout.TotalSeconds:0.#} s.");
        }
        catch (HttpRequestException e) when (e.InnerException is AddressRefusedException refused)
        {
            return new(DeliveryOutcome.Refused, $"{refused.Message} If that is meant, add its network to {destination.NameOf(nameof(ForwardOptions.AllowedNetworks))}.");
        }
        catch (HttpRequestException e)
        {
            return new(DeliveryOutcome.Retry, $"{Explain(e.HttpRequestError)} ({e.HttpRequestError}).") { Failure = e };
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            return new(DeliveryOutcome.Retry, "No connection in time.") { Failure = e };
        }
    }

    private async Task<DeliveryResult> PostAsync(ForwardDestination destination, EnvelopedEvent enveloped, bool isBackfill, CancellationToken cancellation)
    {
        using var request = RequestTo(destination, enveloped, isBackfill);
        var client = clients.CreateClient(ClientName);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        var responseBody = await ReadBodyAsync(response, cancellation);
        var status = (int)response.StatusCode;
        return ResultOf(status, destination) with
        {
            Status = status,
            ResponseBody = responseBody,
            RetryAfter = RetryAfterOf(response.Headers.RetryAfter),
        };
    }

    private HttpRequestMessage RequestTo(ForwardDestination destination, EnvelopedEvent enveloped, bool isBackfill)
    {
        var now = clock.GetUtcNow();
        var id = StandardWebhookSignature.HeaderId(enveloped.Id);
        var request = new HttpRequestMessage(HttpMethod.Post, destination.Url) { Content = new ReadOnlyMemoryContent(enveloped.Envelope) };
        request.Content.Headers.ContentType = CloudEvent;
        var headers = request.Headers;
        headers.Add(StandardWebhookSignature.IdHeader, id);
        headers.Add(StandardWebhookSignature.TimestampHeader, now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        headers.Add(StandardWebhookSignature.SignatureHeader, StandardWebhookSignature.Sign(id, now, enveloped.Envelope.Span, destination.Secrets));
        if (isBackfill)
        {
            headers.Add(BackfillHeader, "true");
        }

        if (Activity.Current?.Source.Name != TelemetryNames.Source && ActivityContext.TryParse(enveloped.TraceParent, traceState: null, out _))
        {
            // Nobody listens to our spans; where one does, the HTTP client sends that span's context.
            headers.Add("traceparent", enveloped.TraceParent);
        }

        return request;
    }

    // The status has decided already: a body that breaks off or does not end changes nothing.
    private static async Task<string?> ReadBodyAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var bytes = new byte[MostResponseBytes];
        var length = 0;
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellation);
            length = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return null;
        }

        return length > 0 ? Encoding.UTF8.GetString(bytes.AsSpan(0, length)) : null;
    }

    private static DeliveryResult ResultOf(int status, ForwardDestination destination) => status switch
    {
        >= 200 and < 300 => new(DeliveryOutcome.Delivered, $"The receiver responded with {status}."),
        (int)HttpStatusCode.Gone => new(DeliveryOutcome.Gone, "The receiver responded with 410: it wants no more events."),
        (int)HttpStatusCode.TooManyRequests => new(DeliveryOutcome.Retry, "The receiver responded with 429: too many requests."),
        >= 500 => new(DeliveryOutcome.Retry, $"The receiver responded with {status}."),
        >= 300 and < 400 => new(DeliveryOutcome.Refused, $"The receiver responded with {status}: redirects are not followed; write the address it points to into {destination.NameOf(nameof(destination.Url))}."),
        _ => new(DeliveryOutcome.Refused, $"The receiver responded with {status}."),
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
