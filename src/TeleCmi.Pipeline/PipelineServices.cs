using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Reconciling;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline;

/// <summary>Puts the pipeline together; every host starts here, and adds an <see cref="IStore"/>.</summary>
public static class PipelineServices
{
    /// <summary>Adds receiving, processing, journal, forwarding and dead letters, with their settings validated at start.</summary>
    public static IServiceCollection AddTeleCmiPipeline(this IServiceCollection services)
    {
        services.AddJournalAndDeadLetters();
        services.AddDeadLetterReplay();
        services.AddForwarding();
        services.AddReconciling();
        services.AddSingleton<StorageHealth>();
        services.AddSingleton<PipelineEvents>();
        services.AddSingleton<AccessTokens>();
        services.AddSingleton<EventReceiver>();
        services.AddSingleton<EventHandlers>();
        services.AddSingleton<HandlerRunner>();
        services.AddSingleton<EventProcessor>();
        services.AddSingleton<PoisonArchive>();
        return services;
    }

    /// <summary>Adds what an operator's tool reads: queues, journal and dead letters, without the receiver and its settings.</summary>
    public static IServiceCollection AddJournalAndDeadLetters(this IServiceCollection services)
    {
        services.AddOptions<QueueOptions>()
            .Configure<IConfiguration>((options, configuration) => options.ReadFrom(configuration))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<QueueOptions>, QueueOptionsValidator>();
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<TeleCmiMetrics>();
        services.AddSingleton<PipelineQueues>();
        services.AddSingleton<Journal>();
        services.AddSingleton<JournalReader>();
        services.AddSingleton<CallErasure>();
        services.AddSingleton<CallIndex>();
        services.AddSingleton<CallReader>();
        services.AddSingleton<DeadLetterStore>();
        services.AddSingleton<DeliveryLog>();
        services.AddSingleton<DeliveryReader>();
        services.AddSingleton<ForwardQueue>();
        services.AddSingleton<ForwardResend>();
        services.AddSingleton<ForwardErasure>();
        services.AddSingleton<Purge>();
        services.AddSingleton<DestinationStates>();
        services.AddSingleton<DestinationFilters>();
        services.AddSingleton<ConversationClaim>();
        services.AddSingleton<ForwardCheck>();
        services.AddSingleton<Backfill>();
        return services;
    }

    /// <summary>Adds replay to journal and dead letters: a rejected body is read and filtered as the receiver does, so its settings are validated too.</summary>
    public static IServiceCollection AddDeadLetterReplay(this IServiceCollection services)
    {
        TeleCmiOptions.Register(services);
        services.AddSingleton<EventFilter>();
        services.AddSingleton<DeadLetterReplay>();
        return services;
    }

    /// <summary>Adds the comparison with TeleCMI's call reports to what <see cref="AddDeadLetterReplay"/> adds, whose settings it needs.</summary>
    public static IServiceCollection AddReconciling(this IServiceCollection services)
    {
        ReconcileOptions.Register(services);
        CallReports.AddClient(services);
        services.AddSingleton<CallReports>();
        services.AddSingleton<Reconciler>();
        services.AddSingleton<ReconcileRun>();
        return services;
    }

    /// <summary>Adds your own work on each event.</summary>
    public static IServiceCollection AddCallEventHandler<THandler>(this IServiceCollection services)
        where THandler : class, ICallEventHandler =>
        services.AddSingleton<ICallEventHandler, THandler>();
}
