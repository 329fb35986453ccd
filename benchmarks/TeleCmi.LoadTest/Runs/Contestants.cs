using System.Globalization;
using Azure.Storage.Queues;
using TeleCmi.LoadTest.Load;
using TeleCmi.LoadTest.Targets;
using TeleCmi.LocalHost;

namespace TeleCmi.LoadTest.Runs;

/// <summary>Everything that is measured side by side, with one Azurite behind it all.</summary>
internal sealed class Contestants : IAsyncDisposable
{
    public const string Kestrel = "Kestrel, 200 to everything";
    public const string Counting = "LocalHost, counting queue";
    public const string Quiet = "LocalHost, counting queue, no log, no page";
    public const string Raw = "QueueClient alone";
    public const string Forwarding = "Kestrel and QueueClient";
    public const string Receiving = "LocalHost, Azurite";
    public const string Flask = "Flask, as documented";
    public const string Express = "Express";

    private const string RawQueue = "raw";
    private const string ForwardingQueue = "forwarding";

    private readonly List<TargetProcess> _processes = [];

    private Contestants(Azurite azurite) => Azurite = azurite;

    /// <summary>The emulator.</summary>
    public Azurite Azurite { get; }

    /// <summary>In the order of the first round.</summary>
    public List<Contestant> All { get; } = [];

    /// <summary>Starts them.</summary>
    /// <param name="withScripts">Whether Flask and Express take part, where they are installed.</param>
    /// <param name="say">Hears what is skipped.</param>
    public static async Task<Contestants> StartAsync(bool withScripts, Action<string> say)
    {
        var azurite = await Azurite.StartAsync(Repository.Find(), AzuritePorts.Any, dataFolder: null, say, CancellationToken.None);
        var contestants = new Contestants(azurite);
        try
        {
            await contestants.AddAsync(say, withScripts);
            return contestants;
        }
        catch
        {
            await contestants.DisposeAsync();
            throw;
        }
    }

    public Contestant this[string name] => All.Single(contestant => contestant.Name == name);

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            await process.DisposeAsync();
        }

        await Azurite.DisposeAsync();
    }

    private async Task AddAsync(Action<string> say, bool withScripts)
    {
        var storage = Azurite.ConnectionString;
        All.Add(Served(Kestrel, await StartAsync(TargetHost.Kestrel)) with { IsSaturated = true });
        All.Add(Served(Counting, await StartAsync(TargetHost.Counting)) with { IsSaturated = true });
        All.Add(Served(Quiet, await StartAsync(TargetHost.Quiet)) with { IsSaturated = true });

        var loop = await StartAsync(TargetHost.BareLoop, "--queue", RawQueue);
        var raw = await QueueAsync(storage, RawQueue);
        All.Add(new Contestant(Raw, () => new QueueSender(raw), () => Environment.CpuUsage.TotalTime)
        {
            AllocatedBytes = () => Task.FromResult(GC.GetTotalAllocatedBytes()),
            Drain = count => DrainAsync(loop, count),
        });

        var forwarded = await QueueAsync(storage, ForwardingQueue);
        All.Add(Served(Forwarding, await StartAsync(TargetHost.Forwarding, "--queue", ForwardingQueue), NumberedText.Envelope) with
        {
            Drain = async _ =>
            {
                await forwarded.ClearMessagesAsync();
                return new Drained(0, 0, TimeSpan.Zero);
            },
        });

        var receiving = await StartAsync(TargetHost.Receiving);
        All.Add(Served(Receiving, receiving) with { Drain = count => DrainAsync(receiving, count) });
        if (withScripts)
        {
            await AddScriptAsync(Flask, "python3", "flask_target.py", say);
            await AddScriptAsync(Express, "node", "express_target.cjs", say);
        }
    }

    private async Task AddScriptAsync(string name, string interpreter, string script, Action<string> say)
    {
        try
        {
            var process = await TargetProcess.StartScriptAsync(interpreter, script);
            _processes.Add(process);
            All.Add(new Contestant(name, () => new HttpSender(process.Address, NumberedText.Body), () => process.ProcessorTime));
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            say($"Skipped: {name} (install Debian's python3-flask or node-express to have it measured).");
        }
    }

    private async Task<TargetProcess> StartAsync(string kind, params string[] arguments)
    {
        var process = await TargetProcess.StartOwnAsync(kind, ["--storage", Azurite.ConnectionString, .. arguments]);
        _processes.Add(process);
        return process;
    }

    private static Contestant Served(string name, TargetProcess process, NumberedText? text = null) =>
        new(name, () => new HttpSender(process.Address, text ?? NumberedText.Body), () => process.ProcessorTime)
        {
            AllocatedBytes = process.AllocatedBytesAsync,
        };

    private static async Task<QueueClient> QueueAsync(string storage, string name)
    {
        var queue = new QueueClient(storage, name, new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 });
        await queue.CreateIfNotExistsAsync();
        return queue;
    }

    private static async Task<Drained> DrainAsync(TargetProcess process, int count) =>
        Drained.Parse(await process.AskAsync(string.Create(CultureInfo.InvariantCulture, $"{TargetHost.DrainCommand} {count}")));
}
