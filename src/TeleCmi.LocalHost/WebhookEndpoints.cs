using TeleCmi.LocalHost.LivePage;
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
        var door = new Door(
            app.Services.GetRequiredService<EventReceiver>(),
            app.Services.GetService<LiveHub>(),
            app.Services.GetRequiredService<TimeProvider>());
        var tokens = app.Services.GetRequiredService<AccessTokens>();
        var health = app.Services.GetRequiredService<StorageHealth>();

        // Before routing, which would take as long as reading the event does. There is no function key here, so a request
        // that comes through a tunnel, or by another host's name, has to bring a token.
        app.Use(next => context => context.Request.Path.StartsWithSegments(EventsPath, StringComparison.OrdinalIgnoreCase, out var rest) && rest.Value is "" or "/"
            ? door.ReceiveAsync(context, hasToken: false, isAllowed: LocalRequest.Is(context))
            : next(context));
        app.UseRouting();
        app.Map(EventsByTokenPath, context => door.ReceiveAsync(context, hasToken: true, tokens.IsValid(context.GetRouteValue("accessToken") as string)));
        app.MapGet(HealthPath, async context =>
            await AnswerAsync(context, WebhookAnswer.Health(await health.IsHealthyAsync(context.RequestAborted))));
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

    /// <param name="receiver">Takes what is let in.</param>
    /// <param name="live">The live page, when there is one.</param>
    /// <param name="clock">The time.</param>
    private sealed class Door(EventReceiver receiver, LiveHub? live, TimeProvider clock)
    {
        public async Task ReceiveAsync(HttpContext context, bool hasToken, bool isAllowed)
        {
            var shown = live is null ? null : LiveRequest.Of(context, hasToken, clock);
            if (!HttpMethods.IsPost(context.Request.Method) && !HttpMethods.IsGet(context.Request.Method))
            {
                context.Response.Headers.Allow = "GET, POST";
                await RefuseAsync(context, shown, WebhookAnswer.MethodNotAllowed);
                return;
            }

            if (!isAllowed)
            {
                await RefuseAsync(context, shown, WebhookAnswer.NotFound);
                return;
            }

            var request = context.Request;
            await AnswerAsync(context, await receiver.ReceiveAsync(new WebhookRequest(
                HttpMethods.IsPost(request.Method),
                request.QueryString.Value ?? "",
                request.Body,
                request.ContentType,
                request.ContentLength,
                request.Headers.TransferEncoding.Count > 0)
            {
                Tag = shown,
            }));
        }

        private Task RefuseAsync(HttpContext context, LiveRequest? shown, WebhookAnswer answer)
        {
            if (shown is not null)
            {
                live?.Answered(shown, "refused", answer);
            }

            return AnswerAsync(context, answer);
        }
    }
}
