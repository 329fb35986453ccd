using TeleCmi.TestSupport;

namespace TeleCmi.FaultHost;

/// <summary>Azurite behind a wire that breaks.</summary>
/// <remarks>
/// Azurite is stopped through its clean shutdown, after the proxy has cut it off: it writes its queues and tables to disk
/// every 5 s (autosaveInterval in its Loki stores), so killing it would lose what it has acknowledged, which no
/// storage account does.
/// </remarks>
internal sealed class AzuriteStore : IFaultyStore
{
    private readonly TemporaryFolder _folder;
    private readonly FaultRunOptions _options;
    private readonly FaultyProxy[] _proxies;
    private Azurite _azurite;

    private AzuriteStore(Azurite azurite, TemporaryFolder folder, FaultRunOptions options, int seed)
    {
        _azurite = azurite;
        _folder = folder;
        _options = options;
        _proxies = [new(azurite.Ports.Queue, seed + 1) { FaultShare = options.WireFaults }, new(azurite.Ports.Table, seed + 2) { FaultShare = options.WireFaults }];
        Setting = Azurite.ConnectionStringFor(new AzuritePorts(azurite.Ports.Blob, _proxies[0].Port, _proxies[1].Port));
        Disturbances =
        [
            .. Enumerable.Repeat(new Disturbance("outage", (random, send) => CutOffAsync(send, () => Task.Delay(random.Next(200, 5000)))), options.Outages),
            .. Enumerable.Repeat(new Disturbance("restart", (_, send) => CutOffAsync(send, RestartAsync)), options.Restarts),
        ];
    }

    public string Setting { get; }

    public IReadOnlyList<Disturbance> Disturbances { get; }

    public IReadOnlyList<(string What, long Count)> Counts =>
    [
        ("storage refused", _options.Outages),
        ("Azurite stopped and restarted on its data", _options.Restarts),
        ("chunks to or from storage delayed", _proxies.Sum(proxy => proxy.Delays)),
        ("chunks to or from storage dropped", _proxies.Sum(proxy => proxy.Drops)),
        ("replies or requests cut", _proxies.Sum(proxy => proxy.Cuts)),
    ];

    public static async Task<AzuriteStore> StartAsync(FaultRunOptions options, int seed)
    {
        var folder = new TemporaryFolder();
        return new AzuriteStore(await StartAsync(new AzuritePorts(LoopbackPort.Free(), LoopbackPort.Free(), LoopbackPort.Free()), folder), folder, options, seed);
    }

    public StorageUnderTest Calm()
    {
        Array.ForEach(_proxies, proxy => proxy.FaultShare = 0);
        return StorageUnderTest.Open(_azurite.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var proxy in _proxies)
        {
            await proxy.DisposeAsync();
        }

        await _azurite.DisposeAsync();
        _folder.Dispose();
    }

    private static Task<Azurite> StartAsync(AzuritePorts ports, TemporaryFolder folder) =>
        Azurite.StartAsync(Repository.Find(), ports, folder.Path, _ => { }, CancellationToken.None);

    private async Task CutOffAsync(Action send, Func<Task> meanwhile)
    {
        await Task.WhenAll(_proxies.Select(proxy => proxy.RefuseAsync()));
        send();
        await meanwhile();
        Array.ForEach(_proxies, proxy => proxy.Accept());
    }

    private async Task RestartAsync()
    {
        var ports = _azurite.Ports;
        await _azurite.DisposeAsync();
        _azurite = await StartAsync(ports, _folder);
    }
}
