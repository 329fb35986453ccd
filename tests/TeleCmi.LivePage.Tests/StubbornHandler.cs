using TeleCmi.Events;
using TeleCmi.Pipeline.Processing;

namespace TeleCmi.LivePage.Tests;

/// <summary>Work that fails until it is told not to.</summary>
public sealed class StubbornHandler : ICallEventHandler
{
    private volatile bool _isMended;

    public string Name => "stubborn";

    public void Mend() => _isMended = true;

    public Task HandleAsync(CallEvent callEvent, CancellationToken cancellation) => _isMended
        ? Task.CompletedTask
        : throw new InvalidOperationException("The CRM is away <b>today</b>.");
}
