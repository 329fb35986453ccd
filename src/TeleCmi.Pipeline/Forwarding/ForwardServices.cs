using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>Puts forwarding together.</summary>
public static class ForwardServices
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15);

    // Long enough to be worth it, short enough to follow a name that moves.
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    /// <summary>Adds <see cref="ForwardTest"/> alone, which needs no storage; the whole pipeline has it too.</summary>
    public static IServiceCollection AddForwardTest(this IServiceCollection services)
    {
        services.AddOptions<ForwardOptions>()
            .Configure<IConfiguration>((options, configuration) => options.ReadFrom(configuration))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<ForwardOptions>, ForwardOptionsValidator>();

        // Its handler keeps the connections, and follows new addresses itself. No loggers: they write the whole address.
        services.AddHttpClient(EventSender.ClientName, client =>
            {
                client.Timeout = Timeout.InfiniteTimeSpan;
                client.DefaultRequestHeaders.UserAgent.ParseAdd("TeleCmi.Functions");
            })
            .ConfigurePrimaryHttpMessageHandler(provider => Handler(provider.GetRequiredService<GuardedConnection>()))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .RemoveAllLoggers();

        services.TryAddSingleton<HostLookup>(Dns.GetHostAddressesAsync);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<GuardedConnection>();
        services.AddSingleton<ForwardDestinations>();
        services.AddSingleton<EventSender>();
        services.AddSingleton<ForwardTest>();
        return services;
    }

    internal static void AddForwarding(this IServiceCollection services)
    {
        services.AddForwardTest();
        services.TryAddSingleton(static _ => RetrySchedule.Default);
        services.AddSingleton<ForwardDeadLetters>();
        services.AddSingleton<Forwarder>();
        services.AddSingleton<CompletedCalls>();
        services.AddSingleton<IValidateOptions<ForwardOptions>, AcceptedForwardsValidator>();
        services.AddSingleton<ForwardProcessor>();
    }

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
