using TeleCmi.Events;
using TeleCmi.Pipeline.Processing;

namespace TeleCmi.EndToEnd.Tests;

internal sealed class TestHandler(Func<CallEvent, CancellationToken, Task> work) : ICallEventHandler
{
    public string Name => "test";

    public Task HandleAsync(CallEvent callEvent, CancellationToken cancellation) => work(callEvent, cancellation);
}
