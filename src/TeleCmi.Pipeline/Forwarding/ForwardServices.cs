using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Observing;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>Puts forwarding together.</summary>
public static class ForwardServices
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15);

    // Long enough to be worth it, short enough to follow a name that moves.
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    /// <summary>Adds <see cref="ForwardTrial"/> alone, which needs no storage; the whole pipeline has it too.</summary>
    public static IServiceCollection AddForwardTrial(this IServiceCollection services)
    {
        services.AddOptions<ForwardOptions>()
            .Configure<IConfiguration>((options, configuration) => options.ReadFrom(configuration))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<ForwardOptions>, ForwardOptionsValidator>();

        // Its handler keeps the connections, and sees to new addresses itself. No loggers: they write the whole address.
        services.AddHttpClient(ForwardSender.ClientName, client =>
            {
                client.Timeout = Timeout.InfiniteTimeSpan;
                client.DefaultRequestHeaders.UserAgent.ParseAdd("TeleCmi.Functions");
            })
            .ConfigurePrimaryHttpMessageHandler(provider => Handler(new GuardedConnection(
                ForwardDestinations.PolicyOf(provider.GetRequiredService<IOptions<ForwardOptions>>().Value),
                provider.GetRequiredService<HostLookup>())))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .RemoveAllLoggers();

        services.TryAddSingleton<HostLookup>(Dns.GetHostAddressesAsync);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ForwardDestinations>();
        services.AddSingleton<ForwardSender>();
        services.AddSingleton<ForwardTrial>();
        return services;
    }

    internal static void AddForwarding(this IServiceCollection services)
    {
        services.AddForwardTrial();
        services.TryAddSingleton(RetrySchedule.Default);
        services.AddSingleton<StoppedDestinations>();
        services.AddSingleton<ConversationGuard>();
        services.AddSingleton<ForwardDeadLetters>();
        services.AddSingleton(provider => new ForwardQueue(
            new StorageQueue(provider.GetRequiredService<StorageClients>().Queue(provider.GetRequiredService<IOptions<StorageOptions>>().Value.ForwardsQueue)),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new ForwardProcessor(
            provider.GetRequiredService<ForwardDestinations>(),
            provider.GetRequiredService<ForwardSender>(),
            provider.GetRequiredService<ForwardQueue>(),
            provider.GetRequiredService<ForwardDeadLetters>(),
            provider.GetRequiredService<StoppedDestinations>(),
            provider.GetRequiredService<RetrySchedule>(),
            provider.GetRequiredService<TeleCmiMetrics>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<ForwardProcessor>>(),
            provider.GetService<IPipelineObserver>()));
    }

    /// <summary>A handler for each destination.</summary>
    internal static IEnumerable<ICallEventHandler> ForwardHandlers(this IServiceProvider provider) =>
        provider.GetRequiredService<ForwardDestinations>().All.Select(destination => new ForwardHandler(
            destination,
            provider.GetRequiredService<ForwardQueue>(),
            provider.GetRequiredService<ConversationGuard>(),
            provider.GetRequiredService<TeleCmiMetrics>(),
            provider.GetRequiredService<ILogger<ForwardHandler>>(),
            provider.GetService<IPipelineObserver>()));

    // A proxy would be given the name and look up the address itself, unchecked.
    private static SocketsHttpHandler Handler(GuardedConnection connection) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = ConnectTimeout,
        PooledConnectionLifetime = ConnectionLifetime,
        MaxResponseHeadersLength = 16,
        MaxResponseDrainSize = 0,
        ConnectCallback = connection.ConnectAsync,
    };
}
