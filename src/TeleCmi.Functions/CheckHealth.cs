using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Http;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Functions;

/// <summary>For monitors: 200 when the app could do its work now, else 503.</summary>
public sealed class CheckHealth(StorageHealth health)
{
    /// <summary>Asks storage.</summary>
    [Function(nameof(CheckHealth))]
    public async Task<HttpResponseData> RunAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "telecmi/health")] HttpRequestData request,
        CancellationToken cancellation)
    {
        var isHealthy = await health.IsHealthyAsync(cancellation);
        return await request.RespondAsync(HealthResponse.Status(isHealthy), "application/json", HealthResponse.Body(isHealthy));
    }
}
