using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Azure.Storage.Queues;

namespace TeleCmi.StorageCost.Tests;

/// <summary>An Azurite that writes down every request: what it counts is what an account would be billed for.</summary>
public sealed partial class LoggedAzurite : IAsyncLifetime
{
    private const string SentinelPrefix = "sentinel-";

    private readonly ConcurrentQueue<string> _lines = new();
    private Azurite? _azurite;
    private int _sentinels;

    public string Storage => _azurite!.ConnectionString;

    public async ValueTask InitializeAsync() => _azurite = await Azurite.StartAsync(
        Repository.Find(), AzuritePorts.Any, dataFolder: null, Console.WriteLine, CancellationToken.None, requests: _lines.Enqueue);

    /// <summary>The requests since the last time, whatever their method, as method and queue or table, such as <c>POST telecmi-events/messages</c>.</summary>
    public async Task<IReadOnlyList<string>> TakeRequestsAsync()
    {
        // The log is in order: once it has this request, it has all before it.
        var sentinel = $"{SentinelPrefix}{Interlocked.Increment(ref _sentinels)}";
        await new QueueClient(Storage, sentinel).ExistsAsync();
        await Eventually.HoldsAsync(() => Task.FromResult(_lines.Any(line => line.Contains($"/{sentinel}?", StringComparison.Ordinal))));
        var requests = new List<string>();
        while (_lines.TryDequeue(out var line))
        {
            if (Request().Match(line) is { Success: true } match && !line.Contains(SentinelPrefix, StringComparison.Ordinal))
            {
                requests.Add($"{match.Groups["method"].Value} {match.Groups["what"].Value}");
            }
        }

        return requests;
    }

    public ValueTask DisposeAsync() => _azurite?.DisposeAsync() ?? ValueTask.CompletedTask;

    [GeneratedRegex(@"""(?<method>[A-Z]+) /devstoreaccount1/(?<what>[A-Za-z0-9-]+(/messages)?)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Request();
}
