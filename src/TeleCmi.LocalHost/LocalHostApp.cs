using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration.Memory;
using TeleCmi.Handlers;
using TeleCmi.LocalHost.LivePage;
using TeleCmi.Pipeline;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Azure;
using TeleCmi.Storage.Sqlite;

namespace TeleCmi.LocalHost;

/// <summary>Puts the one-machine receiver together: Kestrel in front, the pipeline, and the queues' pumps behind.</summary>
public static class LocalHostApp
{
    /// <summary>Where it listens unless told otherwise: as Core Tools does.</summary>
    public const string DefaultUrl = "http://127.0.0.1:7071";

    private const int LongestRequestLine = 64 * 1024;

    /// <summary>Makes the builder: settings from environment and command line, the pipeline, its storage, the pumps.</summary>
    /// <exception cref="StartupException">An option does not exist.</exception>
    public static WebApplicationBuilder CreateBuilder(string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ContentRootPath = AppContext.BaseDirectory,

            // Settings are read once, so nothing needs to watch files for changes; that takes its time at start.
            Args = ["--hostBuilder:reloadConfigOnChange=false"],
        });
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = [new("urls", DefaultUrl)] });
        builder.Configuration.AddCommandLine(args, CommandLine.Switches);

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestLineSize = LongestRequestLine;

            // The receiver has a deadline of its own for a slow body, and a response.
            kestrel.Limits.MinRequestBodyDataRate = null;
        });

        // Few connections, so each may hold a buffer while it is idle, and a request takes one step less.
        builder.WebHost.UseSockets(sockets => sockets.WaitForDataBeforeAllocatingBuffer = false);
        AddLogging(builder.Logging);
        AddStorage(builder.Services, builder.Configuration);
        LocalHostOptions.Register(builder.Services);
        builder.Services.AddTeleCmiPipeline();

        // An address on this machine was written by somebody who works on it.
        builder.Services.Configure<ForwardOptions>(forward => forward.AllowsThisMachine = true);
        builder.Services.AddHandlers();
        builder.Services.AddSingleton<WebhookHandler>();
        builder.Services.AddSingleton<StorageProbe>();
        builder.Services.AddHostedService(services => services.GetRequiredService<StorageProbe>());
        builder.Services.AddHostedService<QueuePumps>();
        builder.Services.AddHostedService<ReconcileTimer>();

        // Each does nothing unless the process was started by that service manager.
        builder.Services.AddSystemd();
        builder.Services.AddWindowsService(service => service.ServiceName = "TeleCmi");
        if (builder.Configuration.GetValue($"{LocalHostOptions.SectionName}:{nameof(LocalHostOptions.LivePage)}", defaultValue: true))
        {
            builder.Services.AddLivePage();
        }

        return builder;
    }

    /// <summary>Builds the app and maps its addresses.</summary>
    public static WebApplication Build(WebApplicationBuilder builder)
    {
        CheckUrls(builder.Configuration["urls"]);
        var app = builder.Build();
        app.Services.GetRequiredService<StorageProbe>().Begin();

        // A handler with a wrong name stops the start, not the work.
        _ = app.Services.GetRequiredService<EventHandlers>();
        WebhookHandler.Map(app);
        app.MapLivePage();
        return app;
    }

    /// <summary>Starts the app, and makes sure that it listens beyond this machine only with a secret.</summary>
    /// <exception cref="StartupException">It would; it is stopped again.</exception>
    /// <exception cref="StorageException">The embedded store's file cannot be used.</exception>
    public static async Task StartSafelyAsync(this WebApplication app, CancellationToken cancellation)
    {
        await app.StartAsync(cancellation);

        // What it listens on in the end: there are more ways to say so than --urls.
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        string[] beyond = [.. addresses.Where(address => !IsLoopback(new Uri(address)))];
        if (beyond.Length > 0 && !app.Services.GetRequiredService<AccessTokens>().Any)
        {
            await app.StopAsync(CancellationToken.None);
            throw new StartupException($"Listening beyond this machine ({string.Join(", ", beyond)}) needs a secret in the webhook's path: set TeleCmi__AccessTokens to at least {TeleCmiOptions.ShortestAccessToken} random characters, or listen on {DefaultUrl}.");
        }
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

        // It logs a failed start as an error with its stack, and LocalHostProgram says it in one sentence.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
    }

    // The embedded store in the data folder, unless TeleCmiStorage names something else.
    private static void AddStorage(IServiceCollection services, ConfigurationManager configuration)
    {
        if (!services.TryAddSqliteStorage(configuration, configuration[$"{LocalHostOptions.SectionName}:{nameof(LocalHostOptions.Data)}"]))
        {
            services.AddAzureStorage();
        }
    }

    private static void CheckUrls(string? urls)
    {
        foreach (var url in (urls ?? DefaultUrl).Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!Uri.TryCreate(url.Replace("//+:", "//0.0.0.0:", StringComparison.Ordinal).Replace("//*:", "//0.0.0.0:", StringComparison.Ordinal), UriKind.Absolute, out var address)
                || address.Scheme != Uri.UriSchemeHttp)
            {
                throw new StartupException($"--urls: '{url}' is not an address to listen on: write http://host:port, such as {DefaultUrl} (for https, put a proxy or a tunnel in front).");
            }
        }
    }

    private static bool IsLoopback(Uri address) => address.IsLoopback || (IPAddress.TryParse(address.DnsSafeHost, out var ip) && IPAddress.IsLoopback(ip));
}
