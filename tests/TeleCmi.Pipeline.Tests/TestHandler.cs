using System.Collections.Concurrent;
using TeleCmi.Events;
using TeleCmi.Pipeline.Processing;

namespace TeleCmi.Pipeline.Tests;

/// <summary>Which handler ran on which event, in order.</summary>
internal sealed class Runs : ConcurrentQueue<(string Handler, CallEvent Event)>
{
    public IEnumerable<string> Handlers => this.Select(run => run.Handler);
}

internal sealed class TestHandler(string name, Runs runs, Func<CallEvent, CancellationToken, Task>? work = null) : ICallEventHandler
{
    public string Name => name;

    public Task HandleAsync(CallEvent callEvent, CancellationToken cancellation)
    {
        runs.Enqueue((name, callEvent));
        return work?.Invoke(callEvent, cancellation) ?? Task.CompletedTask;
    }
}
