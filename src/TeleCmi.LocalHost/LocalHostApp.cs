using Microsoft.Extensions.Options;
using TeleCmi.LocalHost.LivePage;
using TeleCmi.Pipeline;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LocalHost;

/// <summary>Puts the one-machine receiver together: Kestrel in front, the pipeline, and a pump for each queue behind.</summary>
public static class LocalHostApp
{
    /// <summary>Where it listens unless told otherwise: as Core Tools does.</summary>
    public const string DefaultUrl = "http://127.0.0.1:7071";

    private const int LongestRequestLine = 64 * 1024;

    // The other queues fill from events; while the host starts, TeleCMI's own come first.
    private static readonly TimeSpan AfterTheFirstEvents = TimeSpan.FromMilliseconds(500);

    /// <summary>Makes the builder: settings from environment and command line, the pipeline, the pumps.</summary>
    public static WebApplicationBuilder CreateBuilder(string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ContentRootPath = AppContext.BaseDirectory,

            // Settings are read once, so nothing needs to watch files for changes; that takes its time at start.
            Args = ["--hostBuilder:reloadConfigOnChange=false"],
        });
        builder.Configuration.Sources.Insert(0, new Microsoft.Extensions.Configuration.Memory.MemoryConfigurationSource
        {
            InitialData = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
            {
                [StorageOptions.ConnectionName] = "UseDevelopmentStorage=true",
                ["urls"] = DefaultUrl,
            },
        });
        builder.Configuration.AddCommandLine(args, new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["--storage"] = StorageOptions.ConnectionName,
        });

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestLineSize = LongestRequestLine;

            // The receiver has a deadline of its own for a slow body, and an answer.
            kestrel.Limits.MinRequestBodyDataRate = null;
        });

        // Few connections, so each may hold a buffer while it is idle, and a request takes one step less.
        builder.WebHost.UseSockets(sockets => sockets.WaitForDataBeforeAllocatingBuffer = false);
        AddLogging(builder.Logging);
        builder.Services.AddTeleCmiPipeline();
        builder.Services.AddOptions<LocalHostOptions>().BindConfiguration(LocalHostOptions.SectionName).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<LocalHostOptions>, LocalHostOptionsValidator>();
        builder.Services.AddOptions<HostOptions>().Configure<IOptions<LocalHostOptions>>((host, options) => host.ShutdownTimeout = options.Value.ShutdownTimeout);
        AddPumps(builder.Services);
        if (builder.Configuration.GetValue($"{LocalHostOptions.SectionName}:{nameof(LocalHostOptions.LivePage)}", defaultValue: true))
        {
            builder.Services.AddLivePage();
        }

        return builder;
    }

    /// <summary>Builds the app and maps its addresses.</summary>
    /// <exception cref="StartupException">It would listen beyond this machine without a token.</exception>
    public static WebApplication Build(WebApplicationBuilder builder)
    {
        RefuseOpenDoor(builder.Configuration);
        var app = builder.Build();

        // A handler with a wrong name stops the start, not the work.
        _ = app.Services.GetRequiredService<EventProcessor>();
        app.MapWebhook();
        app.MapLivePage();
        return app;
    }

    private static void AddLogging(ILoggingBuilder logging)
    {
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
        });
        // A line shows no scopes, so none is gathered.
        logging.Services.Configure<LoggerFilterOptions>(filters => filters.CaptureScopes = false);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Azure", LogLevel.Warning);

        // It logs a failed start as an error with its stack, and Program.cs says it in one sentence.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
    }

    private static void AddPumps(IServiceCollection services)
    {
        AddPump<EventProcessor>(
            services,
            TimeSpan.Zero,
            storage => storage.EventsQueue,
            storage => storage.PoisonQueue,
            (processor, body, _, cancellation) => processor.ProcessAsync(body, cancellation));
        AddPump<PoisonArchive>(
            services,
            AfterTheFirstEvents,
            storage => storage.PoisonQueue,
            poisonQueue: null,
            (archive, body, insertedOn, cancellation) => archive.ArchiveAsync(body, insertedOn, cancellation));
        AddPump<ForwardProcessor>(
            services,
            AfterTheFirstEvents,
            storage => storage.ForwardsQueue,
            storage => storage.ForwardsPoisonQueue,
            (forwards, body, _, cancellation) => forwards.ProcessAsync(body, cancellation));
        AddPump<ForwardProcessor>(
            services,
            AfterTheFirstEvents,
            storage => storage.ForwardsPoisonQueue,
            poisonQueue: null,
            (forwards, body, _, cancellation) => forwards.ArchiveAsync(body, cancellation));
    }

    private static void AddPump<TWorker>(
        IServiceCollection services,
        TimeSpan startAfter,
        Func<StorageOptions, string> queue,
        Func<StorageOptions, string>? poisonQueue,
        Func<TWorker, ReadOnlyMemory<byte>, DateTimeOffset?, CancellationToken, Task> process)
        where TWorker : notnull =>
        services.AddSingleton<IHostedService>(provider =>
        {
            var clients = provider.GetRequiredService<StorageClients>();
            var storage = provider.GetRequiredService<IOptions<StorageOptions>>().Value;
            var worker = new Lazy<TWorker>(provider.GetRequiredService<TWorker>);
            return new QueuePump(
                clients.UndecodedQueue(queue(storage)),
                (body, insertedOn, cancellation) => process(worker.Value, body, insertedOn, cancellation),
                poisonQueue is null ? null : new StorageQueue(clients.Queue(poisonQueue(storage))),
                provider.GetRequiredService<IOptions<LocalHostOptions>>().Value,
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<QueuePump>>())
            {
                StartAfter = startAfter,
            };
        });

    // Like Core Tools it checks no function key, so beyond this machine only the address with a token may be open.
    private static void RefuseOpenDoor(ConfigurationManager configuration)
    {
        var urls = (configuration["urls"] ?? DefaultUrl).Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var beyond = urls.Where(url => !IsLoopback(url)).ToArray();
        var tokens = configuration[$"{TeleCmiOptions.SectionName}:{nameof(TeleCmiOptions.AccessTokens)}"] ?? "";
        if (beyond.Length == 0 || tokens.Split(',').Any(token => !string.IsNullOrWhiteSpace(token)))
        {
            return;
        }

        throw new StartupException($"Listening beyond this machine ({string.Join(", ", beyond)}) needs a secret in the webhook's path: set TeleCmi__AccessTokens to at least {TeleCmiOptions.ShortestAccessToken} random characters, or listen on {DefaultUrl}.");
    }

    private static bool IsLoopback(string url)
    {
        var anyHost = url.Replace("//+:", "//0.0.0.0:", StringComparison.Ordinal).Replace("//*:", "//0.0.0.0:", StringComparison.Ordinal);
        return Uri.TryCreate(anyHost, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttp
            ? address.IsLoopback
            : throw new StartupException($"--urls: '{url}' is not an address to listen on: write http://host:port, such as {DefaultUrl} (for https, put a proxy or a tunnel in front).");
    }
}
