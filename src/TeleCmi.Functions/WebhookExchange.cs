using System.Net;
using Microsoft.Azure.Functions.Worker.Http;
using TeleCmi.Pipeline.Receiving;

namespace TeleCmi.Functions;

/// <summary>The platform's request as the pipeline's, and the pipeline's response as the platform's.</summary>
internal static class WebhookExchange
{
    public static WebhookRequest ToWebhookRequest(this HttpRequestData request) => new(
        IsPost: string.Equals(request.Method, "POST", StringComparison.OrdinalIgnoreCase),
        Query: QueryOf(request),
        Body: request.Body,
        ContentType: FirstHeader(request, "Content-Type"),
        ContentLength: null, // The body is in memory already; its own length counts, not the sender's word.
        HasTransferEncoding: request.Headers.Contains("Transfer-Encoding"));

    public static async Task<HttpResponseData> RespondAsync(this HttpRequestData request, WebhookResponse webhook)
    {
        var response = await request.RespondAsync(webhook.Status, webhook.ContentType, webhook.Body);
        if (webhook.RetryAfterSeconds is { } seconds)
        {
            response.Headers.Add("Retry-After", seconds);
        }

        return response;
    }

    public static async Task<HttpResponseData> RespondAsync(this HttpRequestData request, int status, string contentType, ReadOnlyMemory<byte> body)
    {
        var response = request.CreateResponse();
        response.StatusCode = (HttpStatusCode)status;
        response.Headers.Add("Content-Type", contentType);
        await response.Body.WriteAsync(body);
        return response;
    }

    // When the sender names no host, the platform makes an address that is none, and only here is it found out.
    private static string QueryOf(HttpRequestData request)
    {
        try
        {
            return request.Url.Query;
        }
        catch (UriFormatException)
        {
            return "";
        }
    }

    private static string? FirstHeader(HttpRequestData request, string name) =>
        request.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}
