using TeleCmi.Events;
using TeleCmi.Pipeline.Processing;

namespace TeleCmi.LivePage.Tests;

/// <summary>A handler that fails until the test lets it succeed.</summary>
public sealed class StubbornHandler : ICallEventHandler
{
    private volatile bool _isFixed;

    public string Name => "stubborn";

    public void Fix() => _isFixed = true;

    public Task HandleAsync(CallEvent callEvent, CancellationToken cancellation) => _isFixed
        ? Task.CompletedTask
        : throw new InvalidOperationException("The CRM is away <b>today</b>.");
}
