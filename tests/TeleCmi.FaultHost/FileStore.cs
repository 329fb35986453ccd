using System.Net;
using TeleCmi.Storage.Sqlite;
using TeleCmi.TestSupport;

namespace TeleCmi.FaultHost;

/// <summary>The embedded store, on a small disk that is full at times where that is possible.</summary>
internal sealed class FileStore : IFaultyStore
{
    private const int DiskMegabytes = 512;

    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly Uri _health;
    private readonly SmallDisk? _disk;
    private readonly TemporaryFolder _folder = new();

    public FileStore(FaultRunOptions options, Uri host, Action<string> progress)
    {
        _health = new Uri(host, "/api/telecmi/health");
        if (options.FullDisks > 0 && SmallDisk.WhyNot is { } whyNot)
        {
            progress($"no full disks: {whyNot}");
        }
        else if (options.FullDisks > 0)
        {
            _disk = SmallDisk.Mount(DiskMegabytes);
        }

        Setting = $"{SqliteStore.Scheme}{DataFolder.FileIn(_disk?.Path ?? _folder.Path)}";
        Disturbances = [.. Enumerable.Repeat(new Disturbance("full disk", FillAsync), _disk is null ? 0 : options.FullDisks)];
    }

    public string Setting { get; }

    public IReadOnlyList<Disturbance> Disturbances { get; }

    public IReadOnlyList<(string What, long Count)> Counts => [("disk full for a while", Disturbances.Count)];

    public StorageUnderTest Calm() => StorageUnderTest.Open(Setting);

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        _disk?.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task FillAsync(Random random)
    {
        _disk!.Fill();
        try
        {
            // The files have room inside; the check of the store's health uses it up.
            await Eventually.HoldsAsync(async () => await IsRefusedAsync(), interval: TimeSpan.Zero);
            await Task.Delay(random.Next(200, 2000));
        }
        finally
        {
            _disk.Free();
        }
    }

    private async Task<bool> IsRefusedAsync()
    {
        using var response = await _client.GetAsync(_health);
        return response.StatusCode is HttpStatusCode.ServiceUnavailable;
    }
}
