using TeleCmi.LocalHost.LivePage;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.LocalHost;

/// <summary>
/// The webhook's addresses, as the Functions app has them. There is no function key here: without access tokens the
/// address without a secret is open to this machine alone, with tokens it is closed.
/// </summary>
internal sealed partial class WebhookHandler(
    EventReceiver receiver, StorageHealth health, AccessTokens tokens, PipelineEvents events, TimeProvider clock, ILogger<WebhookHandler> logger, LiveHub? page = null)
{
    /// <summary>The address without a secret.</summary>
    public const string EventsPath = "/api/telecmi/events";

    private const string AccessToken = "accessToken";
    private const string EventsByTokenPath = $"/api/telecmi/{{{AccessToken}}}/events";
    private const string HealthPath = "/api/telecmi/health";

    private static readonly TimeSpan HintInterval = TimeSpan.FromMinutes(1);

    private long _lastHint;

    public static void Map(WebApplication app)
    {
        var webhook = app.Services.GetRequiredService<WebhookHandler>();

        // Before routing, which would take as long as reading the event does.
        app.Use(next => context => context.Request.Path.StartsWithSegments(EventsPath, StringComparison.OrdinalIgnoreCase, out var rest) && rest.Value is "" or "/"
            ? webhook.ReceiveAsync(context, webhook.RefusalOf(context), hasToken: false)
            : next(context));
        app.UseRouting();

        // Nothing is bound to parameters here: what does that is made at start, and takes its time.
        app.Map(EventsByTokenPath, context => webhook.ReceiveAsync(context, webhook.RefusalOf((string)context.GetRouteValue(AccessToken)!), hasToken: true));
        app.MapGet(HealthPath, webhook.TellHealthAsync);
    }

    private async Task TellHealthAsync(HttpContext context)
    {
        var isHealthy = await health.IsHealthyAsync(context.RequestAborted);
        await WriteAsync(context.Response, HealthResponse.Status(isHealthy), "application/json", HealthResponse.Body(isHealthy));
    }

    private WebhookCase? RefusalOf(HttpContext context)
    {
        if (tokens.Any || !LocalRequest.Is(context))
        {
            Hint();
            return WebhookCase.NotFound;
        }

        // Any page that is open in a browser here could send events otherwise, with an image's address.
        return LocalRequest.IsFromAnotherSite(context.Request) ? WebhookCase.ForeignSite : null;
    }

    private WebhookCase? RefusalOf(string accessToken) => tokens.IsValid(accessToken) ? null : WebhookCase.NotFound;

    private async Task ReceiveAsync(HttpContext context, WebhookCase? refusal, bool hasToken)
    {
        var request = context.Request;
        var id = page?.Arrived(context, hasToken) ?? default;
        var isPost = HttpMethods.IsPost(request.Method);
        if (!isPost && !HttpMethods.IsGet(request.Method))
        {
            context.Response.Headers.Allow = "GET, POST";
            refusal = WebhookCase.MethodNotAllowed;
        }

        WebhookResponse response;
        if (refusal is null)
        {
            response = await receiver.ReceiveAsync(new WebhookRequest(
                isPost, request.QueryString.Value ?? "", request.Body, request.ContentType, request.ContentLength, request.Headers.TransferEncoding.Count > 0, id));
        }
        else
        {
            response = refusal.Respond();
            events.Publish(new RequestEnded(id, response));
        }

        context.Response.Headers.RetryAfter = response.RetryAfterSeconds;
        await WriteAsync(context.Response, response.Status, response.ContentType, response.Body);
    }

    private static async Task WriteAsync(HttpResponse response, int status, string contentType, ReadOnlyMemory<byte> body)
    {
        response.StatusCode = status;
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        await response.BodyWriter.WriteAsync(body);
    }

    // Logged once, not for each request of a stranger.
    private void Hint()
    {
        var now = clock.GetTimestamp();
        var last = Interlocked.Read(ref _lastHint);
        if ((last == 0 || clock.GetElapsedTime(last, now) > HintInterval) && Interlocked.CompareExchange(ref _lastHint, now, last) == last)
        {
            Log.Refused(logger, EventsPath);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 130, Level = LogLevel.Warning, Message = "A request to {Path} was refused: through a tunnel or proxy, or once TeleCmi__AccessTokens is set, the webhook's address is /api/telecmi/<access token>/events.")]
        public static partial void Refused(ILogger logger, string path);
    }
}
