using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Http;
using TeleCmi.Pipeline.Receiving;

namespace TeleCmi.Functions;

/// <summary>The webhook's address with the secret in the path, for senders that put their own question mark behind any address.</summary>
public sealed class ReceiveEventByToken(EventReceiver receiver, AccessTokens tokens)
{
    /// <summary>Responds when the event is durable; 404 without a valid token.</summary>
    [Function(nameof(ReceiveEventByToken))]
    public async Task<HttpResponseData> RunAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "post", Route = "telecmi/{accessToken}/events")] HttpRequestData request,
        string accessToken) =>
        await request.RespondAsync(tokens.IsValid(accessToken)
            ? await receiver.ReceiveAsync(request.ToWebhookRequest())
            : WebhookCase.NotFound.Respond());
}
