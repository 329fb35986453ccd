using TeleCmi.TestSupport;

namespace TeleCmi.FaultHost;

/// <summary>A store that can be disturbed.</summary>
internal interface IFaultyStore : IAsyncDisposable
{
    /// <summary>The storage setting of the host.</summary>
    string Setting { get; }

    /// <summary>What can be done to it, as often as it is to be done.</summary>
    IReadOnlyList<Disturbance> Disturbances { get; }

    /// <summary>What was done to it, for the report.</summary>
    IReadOnlyList<(string What, long Count)> Counts { get; }

    /// <summary>Lets it work undisturbed from now on, and looks at it.</summary>
    StorageUnderTest Calm();
}

/// <summary>One thing that is done to the host or to its store.</summary>
/// <param name="Name">Its name.</param>
/// <param name="DoAsync">Does it, and calls the action when events should meet it.</param>
internal sealed record Disturbance(string Name, Func<Random, Action, Task> DoAsync);
