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

    /// <summary>Makes the builder: settings from environment and command line, the pipeline, the pumps.</summary>
    public static WebApplicationBuilder CreateBuilder(string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
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
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Azure", LogLevel.Warning);

        // It logs a failed start as an error with its stack, and Program.cs says it in one sentence.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
    }

    private static void AddPumps(IServiceCollection services)
    {
        services.AddSingleton<IHostedService>(provider =>
        {
            var storage = provider.GetRequiredService<IOptions<StorageOptions>>().Value;
            var processor = provider.GetRequiredService<EventProcessor>();
            return Pump(
                provider,
                storage.EventsQueue,
                (message, cancellation) => processor.ProcessAsync(message.Body.ToMemory(), cancellation),
                new StorageQueue(provider.GetRequiredService<StorageClients>().Queue(storage.PoisonQueue)));
        });
        services.AddSingleton<IHostedService>(provider =>
        {
            var storage = provider.GetRequiredService<IOptions<StorageOptions>>().Value;
            var archive = provider.GetRequiredService<PoisonArchive>();
            return Pump(
                provider,
                storage.PoisonQueue,
                (message, cancellation) => archive.ArchiveAsync(message.Body.ToMemory(), message.InsertedOn, cancellation),
                poison: null);
        });
        services.AddSingleton<IHostedService>(provider =>
        {
            var storage = provider.GetRequiredService<IOptions<StorageOptions>>().Value;
            var forwards = provider.GetRequiredService<ForwardProcessor>();
            return Pump(
                provider,
                storage.ForwardsQueue,
                (message, cancellation) => forwards.ProcessAsync(message.Body.ToMemory(), cancellation),
                new StorageQueue(provider.GetRequiredService<StorageClients>().Queue(storage.ForwardsPoisonQueue)));
        });
        services.AddSingleton<IHostedService>(provider =>
        {
            var forwards = provider.GetRequiredService<ForwardProcessor>();
            return Pump(
                provider,
                provider.GetRequiredService<IOptions<StorageOptions>>().Value.ForwardsPoisonQueue,
                (message, cancellation) => forwards.ArchiveAsync(message.Body.ToMemory(), cancellation),
                poison: null);
        });
    }

    private static QueuePump Pump(
        IServiceProvider provider,
        string queue,
        Func<Azure.Storage.Queues.Models.QueueMessage, CancellationToken, Task> process,
        StorageQueue? poison) => new(
            provider.GetRequiredService<StorageClients>().Queue(queue),
            process,
            poison,
            provider.GetRequiredService<IOptions<LocalHostOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<QueuePump>>());

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
