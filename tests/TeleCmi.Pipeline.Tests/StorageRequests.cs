using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using Azure.Core.Diagnostics;

namespace TeleCmi.Pipeline.Tests;

/// <summary>Sees every request that the storage SDK sends, whichever client made it.</summary>
public sealed class StorageRequests : IDisposable
{
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly AzureEventSourceListener _listener;

    public StorageRequests() => _listener = new(Note, EventLevel.Informational);

    /// <summary>What was asked of one account so far, as <c>METHOD path</c>.</summary>
    public IReadOnlyList<string> Of(string storage)
    {
        var account = storage.Split(';').Single(part => part.StartsWith("AccountName=", StringComparison.Ordinal)).Split('=')[1];
        return [.. _requests.Where(request => request.Contains($"/{account}/", StringComparison.Ordinal))];
    }

    public void Dispose() => _listener.Dispose();

    private void Note(EventWrittenEventArgs e, string text)
    {
        if (e.EventName is "Request" && e.PayloadNames is { } names && e.Payload is { } payload)
        {
            var uri = new Uri((string)payload[names.IndexOf("uri")]!);
            _requests.Enqueue($"{payload[names.IndexOf("method")]} {uri.AbsolutePath}");
        }
    }
}
