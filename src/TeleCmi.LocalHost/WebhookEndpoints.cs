using System.Net;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LocalHost;

/// <summary>The webhook's addresses, as the Functions app has them.</summary>
internal static class WebhookEndpoints
{
    /// <summary>The address without a secret: only from this machine.</summary>
    public const string EventsPath = "/api/telecmi/events";

    private const string EventsByTokenPath = "/api/telecmi/{accessToken}/events";
    private const string HealthPath = "/api/telecmi/health";

    public static void MapWebhook(this WebApplication app)
    {
        var receiver = app.Services.GetRequiredService<EventReceiver>();
        var tokens = app.Services.GetRequiredService<AccessTokens>();
        var health = app.Services.GetRequiredService<StorageHealth>();

        app.Map(EventsPath, context => ReceiveAsync(context, receiver, isAllowed: IsLocal(context)));
        app.Map(EventsByTokenPath, context => ReceiveAsync(context, receiver, tokens.IsValid(context.GetRouteValue("accessToken") as string)));
        app.MapGet(HealthPath, async context =>
            await AnswerAsync(context, WebhookAnswer.Health(await health.IsHealthyAsync(context.RequestAborted))));
    }

    // There is no function key here, so a request that comes through a tunnel, or by another host's name, has to bring a token.
    private static bool IsLocal(HttpContext context) =>
        context.Connection.LocalIpAddress is { } address && IPAddress.IsLoopback(address)
        && (context.Request.Host.Host is "localhost" || (IPAddress.TryParse(context.Request.Host.Host, out var host) && IPAddress.IsLoopback(host)));

    private static async Task ReceiveAsync(HttpContext context, EventReceiver receiver, bool isAllowed)
    {
        var request = context.Request;
        var isPost = HttpMethods.IsPost(request.Method);
        if (!isPost && !HttpMethods.IsGet(request.Method))
        {
            context.Response.Headers.Allow = "GET, POST";
            await AnswerAsync(context, WebhookAnswer.MethodNotAllowed);
            return;
        }

        await AnswerAsync(context, isAllowed
            ? await receiver.ReceiveAsync(new WebhookRequest(
                isPost,
                request.QueryString.Value ?? "",
                request.Body,
                request.ContentType,
                request.ContentLength,
                request.Headers.TransferEncoding.Count > 0))
            : WebhookAnswer.NotFound);
    }

    private static async Task AnswerAsync(HttpContext context, WebhookAnswer answer)
    {
        var response = context.Response;
        response.StatusCode = answer.StatusCode;
        response.ContentType = answer.ContentType;
        response.ContentLength = answer.Body.Length;
        response.Headers.RetryAfter = answer.RetryAfterSeconds;
        await response.BodyWriter.WriteAsync(answer.Body);
    }
}
