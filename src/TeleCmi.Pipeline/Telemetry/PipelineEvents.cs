namespace TeleCmi.Pipeline.Telemetry;

/// <summary>Something that happened in the pipeline, for whoever shows it to a person.</summary>
public abstract record PipelineEvent;

/// <summary>Tells everyone who listens what happens, at the moment when it happens. Without a listener it costs nothing.</summary>
/// <remarks>
/// Listeners are called on the event's own way, by many threads at once: they must be quick, must not throw, and must copy
/// the bytes that they keep, because those are only lent for the call.
/// </remarks>
public sealed class PipelineEvents
{
    private Action<PipelineEvent>? _listeners;

    /// <summary>Whether anybody listens; when nobody does, an event need not be made.</summary>
    public bool IsHeard => _listeners is not null;

    /// <summary>Adds a listener, for as long as the process runs.</summary>
    public void Listen(Action<PipelineEvent> listener) => _listeners += listener;

    /// <summary>Tells the listeners.</summary>
    public void Publish(PipelineEvent pipelineEvent) => _listeners?.Invoke(pipelineEvent);
}
