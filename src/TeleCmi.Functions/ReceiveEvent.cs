using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Http;
using TeleCmi.Pipeline.Receiving;

namespace TeleCmi.Functions;

/// <summary>The webhook's address with a function key, in <c>?code=</c> or the <c>x-functions-key</c> header.</summary>
public sealed class ReceiveEvent(EventReceiver receiver)
{
    /// <summary>Responds when the event is durable.</summary>
    [Function(nameof(ReceiveEvent))]
    public async Task<HttpResponseData> RunAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "post", Route = "telecmi/events")] HttpRequestData request) =>
        await request.RespondAsync(await receiver.ReceiveAsync(request.ToWebhookRequest()));
}
