using Microsoft.Extensions.Hosting;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Functions;

/// <summary>
/// Asks storage once while the host still connects: what the first event needs (the storage client's code, a connection,
/// the identity's token) is then there. When storage does not respond, the log says so before an event is refused.
/// </summary>
internal sealed class WarmUp(StorageHealth health, IHostApplicationLifetime lifetime) : IHostedLifecycleService
{
    private Task _asked = Task.CompletedTask;

    /// <summary>Begins before the worker connects, and does not hold it up.</summary>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        _asked = Task.Run(() => health.IsHealthyAsync(lifetime.ApplicationStopping), CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>Waits for the request to end, which the stop has cancelled.</summary>
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _asked;
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // The app stops before storage has responded.
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
