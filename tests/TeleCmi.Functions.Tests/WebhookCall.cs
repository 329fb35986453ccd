using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Http;

namespace TeleCmi.Functions.Tests;

/// <summary>A request as the worker hands it to a trigger: the body in memory, the address with its query.</summary>
internal sealed class WebhookCall(string method, string address, byte[] body) : HttpRequestData(new Invocation())
{
    public const string Address = "https://app.example/api/telecmi/events";

    public override string Method => method;

    // As in the worker, an address that is none is found out only here.
    public override Uri Url => new(address);

    public override HttpHeadersCollection Headers { get; } = [];

    public override Stream Body { get; } = new MemoryStream(body, writable: false);

    public static WebhookCall Post(byte[] body, string? contentType = "application/json", string address = Address) =>
        Post(Encoding.UTF8.GetString(body), contentType, address);

    public static WebhookCall Post(string body, string? contentType = "application/json", string address = Address)
    {
        var call = new WebhookCall("POST", address, Encoding.UTF8.GetBytes(body));
        if (contentType is not null)
        {
            call.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        return call;
    }

    public static WebhookCall Get(string query, string address = Address) => new("GET", $"{address}?{query}", []);

    public override HttpResponseData CreateResponse() => new Response(FunctionContext);

    internal sealed class Invocation : FunctionContext
    {
        public override string InvocationId { get; } = Guid.NewGuid().ToString();
    }

    private sealed class Response(FunctionContext context) : HttpResponseData(context)
    {
        public override HttpStatusCode StatusCode { get; set; } = HttpStatusCode.OK;

        public override HttpHeadersCollection Headers { get; set; } = [];

        public override Stream Body { get; set; } = new MemoryStream();
    }
}

internal static class Responses
{
    public static string? Header(this HttpResponseData response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;

    public static string Text(this HttpResponseData response) => Encoding.UTF8.GetString(((MemoryStream)response.Body).ToArray());

    public static JsonElement Json(this HttpResponseData response) => JsonDocument.Parse(response.Text()).RootElement;

    /// <summary>RFC 9457: the media type, and a status that is the response's own.</summary>
    public static void ShouldBeProblem(this HttpResponseData response, int status, string name)
    {
        ((int)response.StatusCode).ShouldBe(status, response.Text());
        response.Header("Content-Type").ShouldBe("application/problem+json");
        response.Json().GetProperty("status").GetInt32().ShouldBe(status);
        response.Json().GetProperty("type").GetString().ShouldBe($"urn:telecmi:problem:{name}");
    }
}
