using System.Reflection;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LivePage.Tests;

/// <summary>A store that reads, and says of itself that its disk is full.</summary>
public class FullStore : DispatchProxy
{
    public const string Word = "The disk is full: free some space.";

    private IStore? _store;

    public static IStore Around(IStore store)
    {
        var full = Create<IStore, FullStore>();
        ((FullStore)full)._store = store;
        return full;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod?.Name == nameof(IStore.CheckAsync) ? throw new StorageException(Word) : targetMethod?.Invoke(_store, args);
}
