using System.Globalization;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Sqlite;
using TeleCmi.TestSupport;

namespace TeleCmi.FaultHost;

/// <summary>The embedded store, on a small disk that is full at times where that is possible.</summary>
internal sealed class FileStore : IFaultyStore
{
    private const int DiskMegabytes = 512;

    private readonly SmallDisk? _disk;
    private readonly TemporaryFolder _folder = new();

    public FileStore(FaultRunOptions options, Action<string> progress)
    {
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
        _disk?.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task FillAsync(Random random, Action send)
    {
        _disk!.Fill();
        using var storage = StorageUnderTest.Open(Setting);
        var table = storage.Store.Table("Filler");
        var filled = 0;
        try
        {
            // The files have room inside, which would last for thousands of events.
            for (var bytes = 40_000; bytes > 0; bytes /= 100)
            {
                while (await TryInsertAsync(table, filled, bytes))
                {
                    filled++;
                }
            }

            send();
            await Task.Delay(random.Next(200, 2000));
        }
        finally
        {
            _disk.Free();
        }

        for (var number = 0; number < filled; number++)
        {
            await table.DeleteAsync(KeyOf(number), version: null, CancellationToken.None);
        }
    }

    private static async Task<bool> TryInsertAsync(ITable table, int number, int bytes)
    {
        try
        {
            await table.UpsertAsync(new TableRow(KeyOf(number)) { ["Filling"] = new byte[bytes] }, CancellationToken.None);
            return true;
        }
        catch (StorageException)
        {
            return false;
        }
    }

    private static RowKey KeyOf(int number) => new("filler", number.ToString(CultureInfo.InvariantCulture));
}
