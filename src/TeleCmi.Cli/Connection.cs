using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Reconciling;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Azure;
using TeleCmi.Storage.Sqlite;

namespace TeleCmi.Cli;

/// <summary>The parts of the pipeline that an operator uses, put together from the same settings as the app's.</summary>
internal sealed class Connection : IAsyncDisposable
{
    /// <summary>The setting that says where storage is; <c>--storage</c> goes before it.</summary>
    public const string StorageSetting = IStore.Setting;

    private readonly ServiceProvider _services;

    private Connection(ServiceProvider services) => _services = services;

    public DeadLetterStore DeadLetters => _services.GetRequiredService<DeadLetterStore>();

    /// <summary>Only where it was opened with the receiver's settings.</summary>
    public DeadLetterReplay Replay => _services.GetRequiredService<DeadLetterReplay>();

    /// <summary>Only where it was opened with the settings of TeleCMI's reports.</summary>
    /// <exception cref="CliException">They are not set.</exception>
    public Reconciler Reconciler => _services.GetRequiredService<IOptions<ReconcileOptions>>().Value.IsOn
        ? _services.GetRequiredService<Reconciler>()
        : throw new CliException("TeleCmi__Reconcile__AppId, TeleCmi__Reconcile__Secret: not set. Set them to the account's app id and its secret, as the receiver has them (docs/reconcile.md).", ExitCodes.Usage);

    public JournalReader Journal => _services.GetRequiredService<JournalReader>();

    public CallReader Calls => _services.GetRequiredService<CallReader>();

    public CallErasure Erasure => _services.GetRequiredService<CallErasure>();

    public DeliveryReader Deliveries => _services.GetRequiredService<DeliveryReader>();

    public DestinationStates Destinations => _services.GetRequiredService<DestinationStates>();

    public ForwardResend Resend => _services.GetRequiredService<ForwardResend>();

    public Backfill Backfill => _services.GetRequiredService<Backfill>();

    public ForwardCheck ForwardCheck => _services.GetRequiredService<ForwardCheck>();

    /// <summary>What the destinations of the settings get.</summary>
    /// <exception cref="CliException">A setting is wrong.</exception>
    public DestinationFilters DestinationFilters => Checked(_services.GetRequiredService<DestinationFilters>);

    public ForwardErasure ForwardErasure => _services.GetRequiredService<ForwardErasure>();

    public Purge Purge => _services.GetRequiredService<Purge>();

    /// <summary>Only where it was opened with the receiver's settings.</summary>
    public int? Retention => _services.GetRequiredService<IOptions<TeleCmiOptions>>().Value.Retention;

    /// <summary>The embedded store; null when storage is something else.</summary>
    public SqliteStore? EmbeddedStore => _services.GetRequiredService<IStore>() as SqliteStore;

    public PipelineQueues Queues => _services.GetRequiredService<PipelineQueues>();

    /// <summary>Checks the settings that are needed; storage itself is not asked yet.</summary>
    /// <param name="host">The tool's surroundings.</param>
    /// <param name="storage">What <c>--storage</c> says.</param>
    /// <param name="withReceiver">Whether the receiver's settings are needed too, to replay.</param>
    /// <param name="withReports">Whether those of TeleCMI's reports are needed besides, to reconcile.</param>
    /// <exception cref="CliException">A setting is wrong or missing.</exception>
    public static async Task<Connection> OpenAsync(CliHost host, string? storage, bool withReceiver, bool withReports)
    {
        var settings = SettingsOf(host, [new(StorageSetting, storage)]);
        var services = ServicesOn(host, settings);
        services.AddJournalAndDeadLetters();
        if (withReceiver || withReports)
        {
            services.AddDeadLetterReplay();
        }

        if (withReports)
        {
            services.AddReconciling();
        }

        AddStore(services, host, settings);
        var connection = new Connection(services.BuildServiceProvider());
        try
        {
            Checked(() =>
            {
                connection._services.GetRequiredService<IStartupValidator>().Validate();
                return connection;
            });
            return connection;
        }
        catch (CliException)
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Services with the host's settings, over which what the command line says goes.</summary>
    public static IServiceCollection ServicesOn(CliHost host, IEnumerable<KeyValuePair<string, string?>> commandLine) => ServicesOn(host, SettingsOf(host, commandLine));

    /// <summary>Does what reads settings, and explains what is wrong with them.</summary>
    /// <exception cref="CliException">A setting is wrong or missing.</exception>
    public static T Checked<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (FaultsOf(e) is { Length: > 0 } faults)
        {
            throw new CliException(string.Join(Environment.NewLine, faults), ExitCodes.Usage);
        }
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private static IConfiguration SettingsOf(CliHost host, IEnumerable<KeyValuePair<string, string?>> commandLine) => new ConfigurationBuilder()
        .AddConfiguration(host.Settings)
        .AddInMemoryCollection(commandLine.Where(setting => setting.Value is not null))
        .Build();

    // The tool sends on behalf of whoever works on this machine; a Functions app decides for itself.
    private static IServiceCollection ServicesOn(CliHost host, IConfiguration settings) =>
        new ServiceCollection().AddSingleton(settings).AddSingleton(host.Clock).AddLogging()
            .Configure<ForwardOptions>(forward => forward.AllowsThisMachine = true);

    // Without a setting the receiver's own store, which must be there: an empty one would only look as if all were well.
    private static void AddStore(IServiceCollection services, CliHost host, IConfiguration settings)
    {
        if (host.Store is { } store)
        {
            services.AddSingleton(store);
        }
        else if (!Checked(() => services.TryAddSqliteStorage(settings, settings["LocalHost:Data"], mustExist: true)))
        {
            services.AddAzureStorage();
        }
    }

    private static string[] FaultsOf(Exception e) => e switch
    {
        OptionsValidationException { Failures: var failures } => [.. failures.Select(WithSwitch)],
        AggregateException { InnerExceptions: var inner } => [.. inner.SelectMany(FaultsOf)],

        // A value that is not of its type, or a store that is not there.
        InvalidOperationException or StorageException => [e.Message],
        _ => [],
    };

    private static string WithSwitch(string fault) =>
        fault.StartsWith($"{StorageSetting}: not set.", StringComparison.Ordinal) ? $"{fault} Or pass --storage with the connection string." : fault;
}
