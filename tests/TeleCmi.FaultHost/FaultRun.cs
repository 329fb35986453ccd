using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using TeleCmi.LocalHost;
using TeleCmi.TestSupport;

namespace TeleCmi.FaultHost;

/// <summary>
/// Sends events to a host that is killed, over a wire that breaks, into a storage that comes and goes; then counts where
/// every acknowledged event has ended.
/// </summary>
/// <remarks>
/// Azurite is stopped through its clean shutdown, after the proxy has cut it off: it writes its queues and tables to disk
/// every 5 s (autosaveInterval in its Loki stores), so killing it would lose what it has acknowledged, which no
/// storage account does.
/// </remarks>
public sealed class FaultRun(FaultRunOptions options, Action<string> progress)
{
    private readonly int _seed = options.Seed == 0 ? Random.Shared.Next(1, int.MaxValue) : options.Seed;
    private int _killsDone;
    private int _ownCrashes;

    /// <summary>Runs it.</summary>
    public async Task<FaultReport> RunAsync()
    {
        progress($"seed {_seed}");
        var started = TimeProvider.System.GetTimestamp();
        using var folder = new TemporaryFolder();
        var effects = new EffectFile(folder);
        var data = Path.Combine(folder.Path, "azurite");
        var azurite = await StartAzuriteAsync(AzuritePorts.Any, data);
        var ports = azurite.Ports;
        await using var queueProxy = new FaultyProxy(ports.Queue, _seed + 1) { FaultShare = options.WireFaults };
        await using var tableProxy = new FaultyProxy(ports.Table, _seed + 2) { FaultShare = options.WireFaults };
        string[] hostArguments =
        [
            "--urls", $"http://127.0.0.1:{FreePort()}",
            "--storage", Azurite.ConnectionStringFor(new AzuritePorts(ports.Blob, queueProxy.Port, tableProxy.Port)),
            "--LocalHost:Lease=00:00:02", "--LocalHost:RetryPause=00:00:01", "--LocalHost:MaxPollingInterval=00:00:00.2",
            "--Logging:LogLevel:Default=Error", effects.Setting,
        ];
        var host = HostProcess.FaultHost(hostArguments);
        using var sender = new EventSender(await host.Address, _seed);
        try
        {
            var random = new Random(_seed);
            var numbers = Channel.CreateUnbounded<int>();
            var sending = sender.SendAsync(numbers.Reader);
            var steps = Steps(random);
            for (var step = 0; step < steps.Length; step++)
            {
                // The events come in portions, so that every fault meets some on their way.
                for (var number = Portion(step, steps.Length); number < Portion(step + 1, steps.Length); number++)
                {
                    numbers.Writer.TryWrite(number);
                }

                await WhenMostAreSentAsync(sender, Portion(step, steps.Length));
                await Task.Delay(random.Next(options.Pause / 10, options.Pause));
                switch (steps[step])
                {
                    case Step.Kill:
                        host = await KillAsync(host, hostArguments);
                        break;
                    case Step.Outage:
                        await Task.WhenAll(queueProxy.RefuseAsync(), tableProxy.RefuseAsync());
                        await Task.Delay(random.Next(200, 5000));
                        queueProxy.Accept();
                        tableProxy.Accept();
                        break;
                    default:
                        await Task.WhenAll(queueProxy.RefuseAsync(), tableProxy.RefuseAsync());
                        await azurite.DisposeAsync();
                        azurite = await StartAzuriteAsync(ports, data);
                        queueProxy.Accept();
                        tableProxy.Accept();
                        break;
                }

                progress($"{step + 1}/{steps.Length} {steps[step]}: {sender.Sent.Count} sent, {sender.Sent.Values.Count(acknowledged => acknowledged)} acknowledged");
            }

            numbers.Writer.Complete();
            await sending;
            queueProxy.FaultShare = 0;
            tableProxy.FaultShare = 0;
            progress("all sent; waiting for the queues to empty");
            var storage = new StorageUnderTest(azurite.ConnectionString);
            var emptied = await WaitAsync(storage);
            if (host.HasExited)
            {
                _ownCrashes++;
            }

            return new FaultReport
            {
                Seed = _seed,
                Elapsed = TimeProvider.System.GetElapsedTime(started),
                Sent = sender.Sent,
                Wishes = sender.Wishes,
                Requests = sender.Requests,
                Refusals = sender.Refusals,
                Breaks = sender.Breaks,
                Kills = _killsDone,
                Outages = options.Outages,
                Restarts = options.Restarts,
                Delays = queueProxy.Delays + tableProxy.Delays,
                Drops = queueProxy.Drops + tableProxy.Drops,
                Cuts = queueProxy.Cuts + tableProxy.Cuts,
                OwnCrashes = _ownCrashes,
                LeftInQueues = emptied ? 0 : await storage.QueuedAsync(),
                Journal = await storage.JournalAsync(),
                DeadLetters = await storage.DeadLettersAsync(),
                Begun = effects.Begun,
                Effects = effects.Done,
            };
        }
        finally
        {
            await host.DisposeAsync();
            await azurite.DisposeAsync();
        }
    }

    private async Task<HostProcess> KillAsync(HostProcess host, string[] arguments)
    {
        if (host.HasExited)
        {
            _ownCrashes++;
            progress($"the host crashed by itself: {host.Errors}");
        }

        await host.DisposeAsync();
        _killsDone++;
        var next = HostProcess.FaultHost(arguments);
        await next.Address;
        return next;
    }

    private async Task<bool> WaitAsync(StorageUnderTest storage)
    {
        try
        {
            // Hidden messages are counted too, so empty means that no work is in flight.
            await Eventually.HoldsAsync(async () => await storage.QueuedAsync() == 0, TimeSpan.FromSeconds(options.Patience));
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    // Faults that come faster than events would leave most events undisturbed.
    private static async Task WhenMostAreSentAsync(EventSender sender, int events)
    {
        try
        {
            await Eventually.HoldsAsync(() => Task.FromResult(sender.Finished >= events), TimeSpan.FromSeconds(10));
        }
        catch (TimeoutException)
        {
            // Storage or host are slow to come back: the next fault comes all the same.
        }
    }

    private Step[] Steps(Random random)
    {
        Step[] steps =
        [
            .. Enumerable.Repeat(Step.Kill, options.Kills),
            .. Enumerable.Repeat(Step.Outage, options.Outages),
            .. Enumerable.Repeat(Step.Restart, options.Restarts),
        ];
        random.Shuffle(steps);
        return steps;
    }

    private int Portion(int step, int steps) => (int)((long)options.Events * step / steps);

    private static Task<Azurite> StartAzuriteAsync(AzuritePorts ports, string data) =>
        Azurite.StartAsync(Repository.Find(), ports, data, _ => { }, CancellationToken.None);

    private static string FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
    }

    private enum Step
    {
        Kill,
        Outage,
        Restart,
    }
}
