using System.Globalization;
using Azure.Data.Tables;
using Azure.Storage.Queues;
using Microsoft.Extensions.DependencyInjection.Extensions;
using TeleCmi.LocalHost;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LoadTest.Targets;

/// <summary>
/// This program as a target. It says on stdout where it listens, answers the commands that come on stdin, and ends with
/// stdin. What the target itself logs is formatted and written as ever, but to the null device.
/// </summary>
internal static class TargetHost
{
    public const string Verb = "target";
    public const string AllocatedCommand = "allocated";
    public const string DrainCommand = "drain";

    public const string Kestrel = "kestrel";
    public const string Counting = "counting";
    public const string Quiet = "counting-quiet";
    public const string Forwarding = "forwarding";
    public const string Receiving = "receiving";
    public const string Whole = "whole";
    public const string BareLoop = "bare-loop";

    private const string WebhookPath = "/api/telecmi/events";
    private const string AnyPort = "http://127.0.0.1:0";

    /// <summary>Runs one.</summary>
    /// <param name="kind">One of the names above.</param>
    /// <param name="storage">A connection string.</param>
    /// <param name="queue">The queue that a target without the pipeline uses.</param>
    public static async Task<int> RunAsync(string kind, string storage, string queue)
    {
        await using var answers = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        await using var nowhere = new StreamWriter(OperatingSystem.IsWindows() ? Stream.Null : new FileStream("/dev/null", FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
        Console.SetOut(TextWriter.Synchronized(nowhere));

        var (app, drain) = Build(kind, storage, queue);
        await using var running = app;
        await app.StartAsync();
        await answers.WriteLineAsync($"ready {app.Urls.First()}{WebhookPath}");
        while (await Console.In.ReadLineAsync() is { } command)
        {
            await answers.WriteLineAsync(command.Split(' ') switch
            {
                [AllocatedCommand] => GC.GetTotalAllocatedBytes(precise: true).ToString(CultureInfo.InvariantCulture),
                [DrainCommand, var count] when drain is not null => (await drain(int.Parse(count, CultureInfo.InvariantCulture))).ToString(),
                _ => throw new InvalidOperationException($"The target {kind} has no command {command}."),
            });
        }

        await app.StopAsync();
        return 0;
    }

    private static (WebApplication App, Func<int, Task<Drained>>? Drain) Build(string kind, string storage, string queue)
    {
        switch (kind)
        {
            case Kestrel:
                return (BuildBare(Answer), null);
            case Forwarding:
                var client = QueueOf(storage, queue);
                return (BuildBare(context => ForwardAsync(context, client)), null);
            case BareLoop:
                var loop = new BareLoop(QueueOf(storage, queue), new TableClient(storage, "BareLoop"));
                return (BuildBare(Answer), loop.RunAsync);
            case Counting or Quiet:
                var counting = BuilderOfLocalHost(storage, kind == Quiet ? ["--Logging:LogLevel:Default=Warning", "--LocalHost:LivePage=false"] : []);
                counting.Services.RemoveAll<IEventQueue>().AddSingleton<IEventQueue, CountingQueue>();
                _ = new HeldPumps(counting.Services);
                return (LocalHostApp.Build(counting), null);
            case Receiving:
                var receiving = BuilderOfLocalHost(storage);
                var pumps = new HeldPumps(receiving.Services);
                var app = LocalHostApp.Build(receiving);
                return (app, count => pumps.RunAsync(app.Services, count));
            case Whole:
                return (LocalHostApp.Build(BuilderOfLocalHost(storage)), null);
            default:
                throw new ArgumentException($"No target is called {kind}.", nameof(kind));
        }
    }

    private static WebApplicationBuilder BuilderOfLocalHost(string storage, params string[] arguments) =>
        LocalHostApp.CreateBuilder(["--storage", storage, "--urls", AnyPort, .. arguments]);

    private static WebApplication BuildBare(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(AnyPort);
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Run(answer);
        return app;
    }

    private static Task Answer(HttpContext context)
    {
        context.Response.ContentLength = 0;
        return Task.CompletedTask;
    }

    private static async Task ForwardAsync(HttpContext context, QueueClient queue)
    {
        var body = new byte[(int)(context.Request.ContentLength ?? 0)];
        await context.Request.Body.ReadExactlyAsync(body);
        await queue.SendMessageAsync(BinaryData.FromBytes(body), timeToLive: TimeSpan.FromSeconds(-1));
        context.Response.ContentLength = 0;
    }

    private static QueueClient QueueOf(string storage, string queue) =>
        new(storage, queue, new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 });

    private sealed class CountingQueue : IEventQueue
    {
        private long _count;

        public Task EnqueueAsync(ReadOnlyMemory<byte> envelope, CancellationToken cancellation)
        {
            Interlocked.Increment(ref _count);
            return Task.CompletedTask;
        }
    }
}
