using TeleCmi.Events;
using TeleCmi.Pipeline.Processing;

namespace OwnHost;

/// <summary>Your own work on an event: this one writes a line.</summary>
public sealed class TellWhoAnswered(ILogger<TellWhoAnswered> logger) : ICallEventHandler
{
    public string Name => "TellWhoAnswered";

    public Task HandleAsync(CallEvent callEvent, CancellationToken cancellation)
    {
        logger.LogInformation("{Kind} at {Time:u}, event {Id}", callEvent.Kind, callEvent.ReceivedAt, callEvent.Id);
        return Task.CompletedTask;
    }
}
