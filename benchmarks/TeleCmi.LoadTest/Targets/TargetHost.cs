using System.Globalization;
using Microsoft.Extensions.DependencyInjection.Extensions;
using TeleCmi.LoadTest.Runs;
using TeleCmi.LocalHost;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Sqlite;

namespace TeleCmi.LoadTest.Targets;

/// <summary>
/// This program as a target. It says on stdout where it listens, carries out the commands that come on stdin, and ends with
/// stdin. What the target itself logs is formatted and written as ever, but to the null device.
/// </summary>
internal static class TargetHost
{
    public const string Verb = "target";
    public const string AllocatedCommand = "allocated";
    public const string DrainCommand = "drain";

    private const string WebhookPath = "/api/telecmi/events";
    private const string AnyPort = "http://127.0.0.1:0";

    /// <summary>Runs one.</summary>
    /// <param name="name">The contestant's name.</param>
    /// <param name="storage">The LocalHost's storage setting.</param>
    /// <param name="file">Where a target without the pipeline writes.</param>
    /// <param name="forward">Where events are forwarded to, when that is measured.</param>
    public static async Task<int> RunAsync(string name, string storage, string file, string? forward)
    {
        await using var replies = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        await using var nowhere = new StreamWriter(OperatingSystem.IsWindows() ? Stream.Null : new FileStream("/dev/null", FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
        Console.SetOut(TextWriter.Synchronized(nowhere));

        await using var appender = name is Contestants.Grouped or Contestants.Flushed ? new FileAppender(file, isGrouped: name is Contestants.Grouped) : null;
        var (app, drain) = forward is null ? Build(name, storage, appender) : (ForwardTargets.Build(name, storage, new Uri(forward), AnyPort), null);
        await using var running = app;
        await app.StartAsync();
        await replies.WriteLineAsync($"ready {app.Urls.First()}{WebhookPath}");
        while (await Console.In.ReadLineAsync() is { } command)
        {
            await replies.WriteLineAsync(command.Split(' ') switch
            {
                [AllocatedCommand] => GC.GetTotalAllocatedBytes(precise: true).ToString(CultureInfo.InvariantCulture),
                [DrainCommand, var count] when drain is not null => (await drain(int.Parse(count, CultureInfo.InvariantCulture))).ToString(),
                _ => throw new InvalidOperationException($"The target {name} has no command {command}."),
            });
        }

        await app.StopAsync();
        return 0;
    }

    private static (WebApplication App, Func<int, Task<Drained>>? Drain) Build(string name, string storage, FileAppender? appender)
    {
        if (appender is not null || name is Contestants.Kestrel)
        {
            return (BuildBare(appender), null);
        }

        var builder = LocalHostApp.CreateBuilder(["--storage", storage, "--urls", AnyPort]);
        var pumps = new HeldPumps(builder.Services);
        if (name is Contestants.Counting)
        {
            builder.Services.RemoveAll<IStore>().AddSingleton<IStore, CountingStore>();
        }

        var app = LocalHostApp.Build(builder);
        return (app, count => pumps.RunAsync(app.Services, count));
    }

    private static WebApplication BuildBare(FileAppender? appender)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(AnyPort);
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Run(async context =>
        {
            if (appender is not null)
            {
                var body = new byte[(int)(context.Request.ContentLength ?? 0)];
                await context.Request.Body.ReadExactlyAsync(body);
                await appender.AppendAsync(body);
            }

            context.Response.ContentLength = 0;
        });
        return app;
    }

    // What receiving costs when storage costs nothing.
    private sealed class CountingStore(TimeProvider clock) : IStore, IDisposable
    {
        private readonly SqliteStore _unused = SqliteStore.InMemory(clock);

        public IMessageQueue Queue(string name) => new CountingQueue(name);

        public ITable Table(string name) => _unused.Table(name);

        public Task CheckAsync(CancellationToken cancellation) => Task.CompletedTask;

        public void Dispose() => _unused.Dispose();
    }

    private sealed class CountingQueue(string name) : IMessageQueue
    {
        private int _count;

        public string Name => name;

        public Task SendAsync(ReadOnlyMemory<byte> body, TimeSpan delay, CancellationToken cancellation)
        {
            Interlocked.Increment(ref _count);
            return Task.CompletedTask;
        }

        public Task<IReadOnlyList<ReceivedMessage>> ReceiveAsync(int count, TimeSpan visibilityTimeout, CancellationToken cancellation) => Task.FromResult<IReadOnlyList<ReceivedMessage>>([]);

        public Task<ReceivedMessage?> ExtendAsync(ReceivedMessage message, TimeSpan visibilityTimeout, CancellationToken cancellation) => Task.FromResult<ReceivedMessage?>(null);

        public Task<bool> DeleteAsync(ReceivedMessage message, CancellationToken cancellation) => Task.FromResult(false);

        public Task<IReadOnlyList<PeekedMessage>> PeekAsync(int count, CancellationToken cancellation) => Task.FromResult<IReadOnlyList<PeekedMessage>>([]);

        public Task<int> CountAsync(CancellationToken cancellation) => Task.FromResult(_count);
    }
}
