using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.TestSupport;

namespace TeleCmi.FaultHost;

/// <summary>
/// Sends events to a host of which everything is killed, whose disk is full or whose storage comes and goes, and which
/// forwards to a receiver that fails now and then; afterwards counts where every acknowledged event has ended.
/// </summary>
public sealed class FaultRun(FaultRunOptions options, Action<string> progress)
{
    private readonly int _seed = options.Seed == 0 ? Random.Shared.Next(1, int.MaxValue) : options.Seed;
    private readonly ConcurrentQueue<string> _delivered = new();
    private string[] _hostArguments = [];
    private int _ownCrashes;

    /// <summary>Runs it.</summary>
    public async Task<FaultReport> RunAsync()
    {
        progress($"seed {_seed}");
        var started = TimeProvider.System.GetTimestamp();
        using var folder = new TemporaryFolder();
        var effects = new EffectFile(folder);
        await using var crm = await CrmUnderTest.StartAsync(DeliverAsync);
        await using IFaultyStore store = options.Azurite ? await AzuriteStore.StartAsync(options, _seed) : new FileStore(options, progress);
        _hostArguments =
        [
            "--urls", $"http://127.0.0.1:{LoopbackPort.Free()}", "--storage", store.Setting,
            "--LocalHost:VisibilityTimeout=00:00:02", "--LocalHost:RetryDelay=00:00:01", "--LocalHost:MaxPollingInterval=00:00:00.2",

            // After a kill an event's handlers run again when the dead process's claim is over: as long as they may take, and 30 s.
            "--TeleCmi:HandlerDeadline=00:00:05", "--Logging:LogLevel:Default=Error", effects.Setting,
            $"--TeleCmi:Forward:0:Url={crm.Address}", "--TeleCmi:Forward:0:Name=crm",
            "--TeleCmi:Forward:0:Secrets=whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ];
        var host = HostProcess.FaultHost(_hostArguments);
        using var sender = new EventSender(await host.Address, _seed);
        var numbers = Channel.CreateUnbounded<int>();
        var random = new Random(_seed);
        Disturbance[] steps = [.. Enumerable.Repeat(new Disturbance("kill", KillAsync), options.Kills), .. store.Disturbances];
        random.Shuffle(steps);
        try
        {
            var sending = sender.SendAsync(numbers.Reader);
            for (var step = 0; step < steps.Length; step++)
            {
                // The events come in portions, so that every fault meets some on their way: half of them before, half when it has begun.
                Send(2 * step);
                await WhenMostAreSentAsync(sender, Portion((2 * step) - 1, 2 * steps.Length));
                await Task.Delay(random.Next(options.Pause / 10, options.Pause));
                await steps[step].DoAsync(random, () => Send((2 * step) + 1));
                progress($"{step + 1}/{steps.Length} {steps[step].Name}: {sender.Sent.Count} sent, {sender.Sent.Values.Count(acknowledged => acknowledged)} acknowledged");
            }

            numbers.Writer.Complete();
            await sending;
            progress("all sent; waiting for the queues to empty");
            using var storage = store.Calm();
            var emptied = await WaitAsync(async () => await storage.QueuedAsync() == 0, options.Patience);
            await StopAsync(host);
            var deadLetters = await storage.DeadLettersAsync();
            return new FaultReport
            {
                Seed = _seed,
                Elapsed = TimeProvider.System.GetElapsedTime(started),
                Sent = sender.Sent,
                Wishes = sender.Wishes,
                Disturbances =
                [
                    ("requests sent (resends included)", sender.Requests),
                    ("responses of 503 or another refusal", sender.Refusals),
                    ("requests that broke off without a response", sender.Breaks),
                    ("host killed hard, everything of it", options.Kills),
                    .. store.Counts,
                ],
                MayRepeat = options.Azurite ? null : steps.Length,
                MayMissNotes = options.Azurite || options.FullDisks > 0,
                OwnCrashes = _ownCrashes,
                LeftInQueues = emptied ? 0 : await storage.QueuedAsync(),
                Journal = await storage.JournalAsync(),
                DeadLetters = [.. deadLetters.Where(row => row.Text("Reason") != "forward")],
                DeadForwards = [.. deadLetters.Where(row => row.Text("Reason") == "forward").Select(row => row.Text("EventId")!)],
                Delivered = [.. _delivered],
                Deliveries = await new DeliveryReader(storage.Store, TimeProvider.System).NewestAsync(new DeliveryFilter(), CancellationToken.None).ToListAsync(),
                Begun = effects.Begun,
                Effects = effects.Done,
            };
        }
        finally
        {
            await host.DisposeAsync();
        }

        void Send(int portion)
        {
            for (var number = Portion(portion, 2 * steps.Length); number < Portion(portion + 1, 2 * steps.Length); number++)
            {
                numbers.Writer.TryWrite(number);
            }
        }

        async Task KillAsync(Random dice, Action send)
        {
            send();
            await Task.Delay(dice.Next(100));
            NoteCrash(host);
            await host.DisposeAsync();
            host = HostProcess.FaultHost(_hostArguments);
            await host.Address;
        }
    }

    // One in ten deliveries fails at first, and one in twenty is slow.
    private async Task DeliverAsync(HttpContext context, int number)
    {
        if (number % 10 == 3)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        if (number % 20 == 7)
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
        }

        _delivered.Enqueue(context.Request.Headers["webhook-id"].ToString());
    }

    // In order where there are signals: what is in flight is finished.
    private async Task StopAsync(HostProcess host)
    {
        NoteCrash(host);
        if (!OperatingSystem.IsWindows() && !host.HasExited)
        {
            host.Signal(PosixSignal.SIGTERM);
            await host.ExitAsync();
        }
    }

    private void NoteCrash(HostProcess host)
    {
        if (host.HasExited)
        {
            _ownCrashes++;
            progress($"the host ended by itself, with exit code {host.ExitCode}: {host.Output}\n{host.Errors}");
        }
    }

    // Faults that come faster than events would leave most events undisturbed; but a host that is slow to come back waits for nobody.
    private static Task<bool> WhenMostAreSentAsync(EventSender sender, int events) => WaitAsync(() => Task.FromResult(sender.Finished >= events), seconds: 10);

    private static async Task<bool> WaitAsync(Func<Task<bool>> condition, int seconds)
    {
        try
        {
            await Eventually.HoldsAsync(condition, TimeSpan.FromSeconds(seconds));
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private int Portion(int step, int steps) => (int)((long)options.Events * step / steps);
}
