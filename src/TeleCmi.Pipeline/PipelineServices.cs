using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Observing;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline;

/// <summary>Puts the pipeline together; every way to run it starts here.</summary>
public static class PipelineServices
{
    /// <summary>Adds receiving, processing, journal, forwarding and dead letters, with their settings validated at start.</summary>
    public static IServiceCollection AddTeleCmiPipeline(this IServiceCollection services)
    {
        services.AddOptions<TeleCmiOptions>().BindConfiguration(TeleCmiOptions.SectionName).ValidateOnStart();
        services.AddSingleton<IValidateOptions<TeleCmiOptions>, TeleCmiOptionsValidator>();
        services.AddOptions<StorageOptions>()
            .Configure<IConfiguration>((options, configuration) => options.ReadFrom(configuration))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<StorageOptions>, StorageOptionsValidator>();

        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<TeleCmiMetrics>();
        services.AddSingleton<StorageClients>();
        services.AddSingleton<StorageHealth>();
        services.AddSingleton<QueueStates>();
        services.AddSingleton<IEventQueue>(provider => new StorageQueue(
            provider.GetRequiredService<StorageClients>().Queue(provider.GetRequiredService<IOptions<StorageOptions>>().Value.EventsQueue)));
        services.AddSingleton<AccessTokens>();
        services.AddSingleton<EventReceiver>();
        services.AddSingleton<Journal>();
        services.AddSingleton<JournalReader>();
        services.AddSingleton<JournalErasure>();
        services.AddSingleton<DeadLetterStore>();
        services.AddSingleton<DeadLetterReplay>();
        services.AddSingleton<PoisonArchive>();
        services.AddForwarding();
        services.AddSingleton(provider => new EventProcessor(
            provider.GetRequiredService<Journal>(),
            provider.GetRequiredService<DeadLetterStore>(),
            [.. provider.GetServices<ICallEventHandler>(), .. provider.ForwardHandlers()],
            provider.GetRequiredService<IOptions<TeleCmiOptions>>(),
            provider.GetRequiredService<TeleCmiMetrics>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<EventProcessor>>(),
            provider.GetService<IPipelineObserver>()));
        return services;
    }

    /// <summary>Adds your own work on each event.</summary>
    public static IServiceCollection AddCallEventHandler<THandler>(this IServiceCollection services)
        where THandler : class, ICallEventHandler =>
        services.AddSingleton<ICallEventHandler, THandler>();
}
