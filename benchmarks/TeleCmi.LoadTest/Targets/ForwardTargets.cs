using TeleCmi.Events;
using TeleCmi.LocalHost;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Sqlite;

namespace TeleCmi.LoadTest.Targets;

/// <summary>What is measured when events are forwarded: the least programs that can do it, and the LocalHost.</summary>
internal static class ForwardTargets
{
    public const string Direct = "Kestrel, POST after the 200, nothing stored";
    public const string Least = "least program: queue of the embedded store, POST, delete";
    public const string Embedded = "LocalHost, embedded store";
    public const string EmbeddedQueued = "LocalHost, embedded store, through telecmi-forwards";
    public const string OnAzurite = "LocalHost, Azurite";
    public const string OnAzuriteQueued = "LocalHost, Azurite, through telecmi-forwards";

    private const string Destination = "crm";

    /// <summary>Builds one.</summary>
    /// <param name="name">Which.</param>
    /// <param name="storage">Its storage setting.</param>
    /// <param name="receiver">Where it forwards to.</param>
    /// <param name="url">Where it listens.</param>
    public static WebApplication Build(string name, string storage, Uri receiver, string url) => name switch
    {
        Direct => BuildDirect(receiver, url),
        Least => BuildLeast(storage, receiver, url),
        _ => BuildLocalHost(storage, receiver, url, isQueued: name is EmbeddedQueued or OnAzuriteQueued),
    };

    private static WebApplication BuildDirect(Uri receiver, string url)
    {
        var client = new HttpClient();
        var app = Bare(url).Build();
        app.Run(async context =>
        {
            var body = await BodyOfAsync(context);
            context.Response.ContentLength = 0;
            await context.Response.CompleteAsync();
            using var response = await client.PostAsync(receiver, new ByteArrayContent(body));
            response.EnsureSuccessStatusCode();
        });
        return app;
    }

    private static WebApplication BuildLeast(string storage, Uri receiver, string url)
    {
        var builder = Bare(url);
        var store = SqliteStore.TryParse(storage, out var file, out var fault) ? new SqliteStore(file, TimeProvider.System) : throw new ArgumentException(fault, nameof(storage));
        var queue = store.Queue("events");
        builder.Services.AddSingleton<IHostedService>(new LeastForwarder(queue, receiver));
        var app = builder.Build();
        app.Run(async context =>
        {
            await queue.SendAsync(await BodyOfAsync(context), TimeSpan.Zero, context.RequestAborted);
            context.Response.ContentLength = 0;
        });
        return app;
    }

    private static WebApplication BuildLocalHost(string storage, Uri receiver, string url, bool isQueued)
    {
        var builder = LocalHostApp.CreateBuilder(
        [
            "--storage", storage, "--urls", url, $"--TeleCmi:Forward:0:Url={receiver}", $"--TeleCmi:Forward:0:Name={Destination}",
            $"--TeleCmi:Forward:0:Secrets={WebhookSecret.Generate()}",

            // A kind that is not accepted: then nothing is forwarded at once.
            .. isQueued ? [$"--TeleCmi:Forward:0:Events={EventKind.IncomingAnswered.Name()}"] : Array.Empty<string>(),
        ]);
        if (isQueued)
        {
            builder.Services.AddSingleton<ICallEventHandler, ThroughQueue>();
        }

        return LocalHostApp.Build(builder);
    }

    private static WebApplicationBuilder Bare(string url)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(url);
        builder.Logging.ClearProviders();
        return builder;
    }

    private static async Task<byte[]> BodyOfAsync(HttpContext context)
    {
        var body = new byte[(int)(context.Request.ContentLength ?? 0)];
        await context.Request.Body.ReadExactlyAsync(body);
        return body;
    }

    // Takes what comes, posts it, deletes it; no journal, no signature, no deadline, no second attempt.
    private sealed class LeastForwarder(IMessageQueue queue, Uri receiver) : BackgroundService
    {
        private static readonly TimeSpan Visibility = TimeSpan.FromMinutes(1);
        private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

        private readonly HttpClient _client = new();

        public override void Dispose()
        {
            _client.Dispose();
            base.Dispose();
        }

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                var messages = await queue.ReceiveAsync(PipelineQueues.BatchSize, Visibility, CancellationToken.None);
                foreach (var message in messages)
                {
                    _ = ForwardAsync(message);
                }

                if (messages.Count == 0)
                {
                    await ((IMessageSignal)queue).WaitForMessageAsync(Poll, stoppingToken);
                }
            }
        }

        private async Task ForwardAsync(ReceivedMessage message)
        {
            await Task.Yield();
            using var response = await _client.PostAsync(receiver, new ReadOnlyMemoryContent(message.Body));
            response.EnsureSuccessStatusCode();
            await queue.DeleteAsync(message, CancellationToken.None);
        }
    }

    // As the product did it before the first attempt was made at once: journal, then the queue of forwards, then the attempt.
    private sealed class ThroughQueue(PipelineQueues queues, TimeProvider clock) : ICallEventHandler
    {
        public string Name => "through_queue";

        public Task HandleAsync(CallEvent callEvent, CancellationToken cancellation)
        {
            var forward = new ForwardMessage { Destination = Destination, QueuedAt = clock.GetUtcNow(), Event = EnvelopedEvent.Of(callEvent) };
            return queues.Forwards.SendAsync(forward.ToUtf8(), TimeSpan.Zero, cancellation);
        }
    }
}
