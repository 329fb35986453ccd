using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Cli;

/// <summary>The parts of the pipeline that an operator uses, put together from the same settings as the app's.</summary>
internal sealed class Connection : IAsyncDisposable
{
    private const string NotSet = $"{StorageOptions.ConnectionName}: not set.";

    private readonly ServiceProvider _services;

    private Connection(ServiceProvider services)
    {
        _services = services;
        DeadLetters = services.GetRequiredService<DeadLetterStore>();
        Replay = services.GetRequiredService<DeadLetterReplay>();
        Journal = services.GetRequiredService<JournalReader>();
        Erasure = services.GetRequiredService<JournalErasure>();
        Queues = services.GetRequiredService<QueueStates>();
    }

    public DeadLetterStore DeadLetters { get; }

    public DeadLetterReplay Replay { get; }

    public JournalReader Journal { get; }

    public JournalErasure Erasure { get; }

    public QueueStates Queues { get; }

    /// <summary>Checks the settings; storage itself is not asked yet.</summary>
    /// <exception cref="CliException">A setting is wrong or missing.</exception>
    public static async Task<Connection> OpenAsync(CliHost host, string? storage)
    {
        var settings = new ConfigurationBuilder().AddConfiguration(host.Settings);
        if (storage is not null)
        {
            settings.AddInMemoryCollection([new(StorageOptions.ConnectionName, storage)]);
        }

        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(settings.Build());
        services.AddSingleton(host.Clock);
        services.AddLogging();
        services.AddTeleCmiPipeline();
        var provider = services.BuildServiceProvider();
        try
        {
            provider.GetRequiredService<IStartupValidator>().Validate();
            return new Connection(provider);
        }
        catch (Exception e) when (FaultsOf(e) is { Length: > 0 } faults)
        {
            await provider.DisposeAsync();
            throw new CliException(string.Join(Environment.NewLine, faults), ExitCodes.Usage);
        }
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private static string[] FaultsOf(Exception e) => e switch
    {
        OptionsValidationException { Failures: var failures } => [.. failures.Select(WithSwitch)],
        AggregateException { InnerExceptions: var inner } => [.. inner.SelectMany(FaultsOf)],
        InvalidOperationException => [e.Message],
        _ => [],
    };

    private static string WithSwitch(string fault) =>
        fault.StartsWith(NotSet, StringComparison.Ordinal) ? $"{fault} Or pass --storage with the connection string." : fault;
}
