using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Azure.Storage.Queues;
using TeleCmi.LocalHost;
using TeleCmi.TestSupport;

namespace TeleCmi.StorageCost.Tests;

/// <summary>An Azurite that writes down every request: what it counts is what an account would be billed for.</summary>
internal sealed partial class LoggedAzurite : IAsyncDisposable
{
    private const string SentinelPrefix = "sentinel-";

    private readonly ConcurrentQueue<string> _lines = new();
    private Azurite? _azurite;
    private int _sentinels;

    public string Storage => _azurite!.ConnectionString;

    public static async Task<LoggedAzurite> StartAsync()
    {
        var logged = new LoggedAzurite();
        logged._azurite = await Azurite.StartAsync(
            Repository.Find(), AzuritePorts.Any, dataFolder: null, Console.WriteLine, CancellationToken.None, requests: logged._lines.Enqueue);
        return logged;
    }

    /// <summary>The requests since the last time, as method and path without account and query, such as <c>POST /telecmi-events/messages</c>.</summary>
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
                requests.Add($"{match.Groups["method"].Value} {match.Groups["path"].Value}");
            }
        }

        return requests;
    }

    public async ValueTask DisposeAsync()
    {
        if (_azurite is not null)
        {
            await _azurite.DisposeAsync();
        }
    }

    [GeneratedRegex(@"""(?<method>[A-Z]+) /devstoreaccount1(?<path>/[^?"" ]*)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Request();
}
