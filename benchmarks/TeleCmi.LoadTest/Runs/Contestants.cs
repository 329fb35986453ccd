using System.Globalization;
using TeleCmi.LoadTest.Load;
using TeleCmi.LoadTest.Targets;
using TeleCmi.TestSupport;

namespace TeleCmi.LoadTest.Runs;

/// <summary>One of those that are measured side by side.</summary>
/// <param name="Name">Its name in tables and legends.</param>
/// <param name="Process">Where it runs.</param>
internal sealed record Contestant(string Name, TargetProcess Process)
{
    /// <summary>Where its events are kept, when it is the LocalHost: a storage setting.</summary>
    public string? Storage { get; init; }

    /// <summary>Whether its latency at a fixed rate is measured.</summary>
    public bool IsRated { get; init; } = true;

    public ISender NewSender() => new HttpSender(Process.Address);

    /// <summary>Processes so many of its events.</summary>
    public async Task<Drained> DrainAsync(int count) =>
        Drained.Parse(await Process.AskAsync(string.Create(CultureInfo.InvariantCulture, $"{TargetHost.DrainCommand} {count}")));
}

/// <summary>Everything that is measured side by side.</summary>
internal sealed class Contestants : IAsyncDisposable
{
    public const string Kestrel = "Kestrel, 200 to everything";
    public const string Counting = "LocalHost, counting queue";
    public const string Grouped = "Kestrel, append and flush, grouped";
    public const string Flushed = "Kestrel, append and flush";
    public const string Embedded = "LocalHost, embedded store";
    public const string OnAzurite = "LocalHost, Azurite";
    public const string Flask = "Flask, as documented";

    private readonly Azurite _azurite;
    private readonly string _folder;

    private Contestants(Azurite azurite, string folder) => (_azurite, _folder) = (azurite, folder);

    /// <summary>In the order of the first round.</summary>
    public List<Contestant> All { get; } = [];

    /// <summary>Starts them.</summary>
    /// <param name="folder">Where files are written; on the disk that is to be measured.</param>
    /// <param name="withFlask">Whether Flask takes part, where it is installed.</param>
    /// <param name="say">Hears what is skipped.</param>
    public static async Task<Contestants> StartAsync(string folder, bool withFlask, Action<string> say)
    {
        var azurite = await Azurite.StartAsync(Repository.Find(), AzuritePorts.Any, Path.Combine(folder, "azurite"), say, CancellationToken.None);
        var contestants = new Contestants(azurite, folder);
        try
        {
            await contestants.AddAsync(Kestrel);
            await contestants.AddAsync(Counting);
            await contestants.AddAsync(Grouped);
            await contestants.AddAsync(Flushed);
            await contestants.AddAsync(Embedded, $"sqlite:{Path.Combine(folder, "store", "telecmi.db")}");
            await contestants.AddAsync(OnAzurite, azurite.ConnectionString);
            if (withFlask)
            {
                await contestants.AddFlaskAsync(say);
            }

            return contestants;
        }
        catch
        {
            await contestants.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var contestant in All)
        {
            await contestant.Process.DisposeAsync();
        }

        await _azurite.DisposeAsync();
    }

    private async Task AddAsync(string name, string? storage = null)
    {
        var file = Path.Combine(_folder, $"{All.Count}.log");
        var process = await TargetProcess.StartOwnAsync(name, "--file", file, "--storage", storage ?? $"sqlite:{Path.Combine(_folder, "unused", "telecmi.db")}");
        All.Add(new Contestant(name, process) { Storage = storage, IsRated = name is not (Kestrel or Counting) });
    }

    private async Task AddFlaskAsync(Action<string> say)
    {
        try
        {
            All.Add(new Contestant(Flask, await TargetProcess.StartScriptAsync("python3", "flask_target.py")));
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            say($"Skipped: {Flask} (install Debian's python3-flask to have it measured).");
        }
    }
}
