using Microsoft.Extensions.Options;
using TeleCmi.Pipeline;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LocalHost;

/// <summary>The settings below <c>LocalHost</c> (as environment variables: <c>LocalHost__*</c>); on Azure host.json has their counterparts.</summary>
public sealed class LocalHostOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "LocalHost";

    /// <summary>How long a failed message waits before the next try.</summary>
    public TimeSpan RetryDelay { get; set; } = PipelineQueues.RetryDelay;

    /// <summary>How long a message that is being worked on is hidden from others; extended until the work is done, so it is also how long a message waits after a crash.</summary>
    public TimeSpan VisibilityTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The longest interval between two polls of an empty queue.</summary>
    public TimeSpan MaxPollingInterval { get; set; } = TimeSpan.FromSeconds(0.5);

    /// <summary>How long a stop may take to finish what is in flight.</summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The folder of the embedded store; empty: <c>.telecmi</c> in a clone, otherwise the user's data folder.</summary>
    public string Data { get; set; } = "";

    /// <summary>Whether <c>/</c> shows the live page.</summary>
    public bool LivePage { get; set; } = true;

    /// <summary>
    /// The host names other than this machine's own by which the live page may be reached, such as a tunnel's; it then asks
    /// for a password, which is one of <c>TeleCmi__AccessTokens</c>. Empty: this machine only.
    /// </summary>
    public IReadOnlyList<string> LivePageHosts { get; set; } = [];

    /// <summary>How often calls are compared with TeleCMI's reports, where the settings of the reports are there (Azure: <c>TeleCmiReconcileSchedule</c>).</summary>
    public TimeSpan ReconcileInterval { get; set; } = TimeSpan.FromHours(1);

    internal static void Register(IServiceCollection services)
    {
        services.AddOptions<LocalHostOptions>()
            .BindConfiguration(SectionName)
            .Configure<IConfiguration>((options, configuration) => options.LivePageHosts = configuration.GetSection(SectionName).ReadList(nameof(LivePageHosts)))
            .AllowOnly(
                SectionName,
                nameof(RetryDelay), nameof(VisibilityTimeout), nameof(MaxPollingInterval), nameof(ShutdownTimeout), nameof(Data), nameof(LivePage), nameof(LivePageHosts), nameof(ReconcileInterval))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<LocalHostOptions>, LocalHostOptionsValidator>();
        services.AddOptions<HostOptions>().Configure<IOptions<LocalHostOptions>>((host, options) => host.ShutdownTimeout = options.Value.ShutdownTimeout);
    }
}

internal sealed class LocalHostOptionsValidator : IValidateOptions<LocalHostOptions>
{
    public ValidateOptionsResult Validate(string? name, LocalHostOptions options)
    {
        var faults = new List<string>();
        faults.CheckRange("LocalHost__RetryDelay", options.RetryDelay, TimeSpan.Zero, TimeSpan.FromHours(1));
        faults.CheckRange("LocalHost__VisibilityTimeout", options.VisibilityTimeout, TimeSpan.FromSeconds(2), TimeSpan.FromHours(1));
        faults.CheckRange("LocalHost__MaxPollingInterval", options.MaxPollingInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1));
        faults.CheckRange("LocalHost__ShutdownTimeout", options.ShutdownTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        faults.CheckRange("LocalHost__ReconcileInterval", options.ReconcileInterval, TimeSpan.FromMinutes(1), TimeSpan.FromDays(1));
        foreach (var host in options.LivePageHosts.Where(host => Uri.CheckHostName(host) is UriHostNameType.Unknown))
        {
            faults.Add($"LocalHost__LivePageHosts: '{host}' is not a host name (write the name alone, such as abc-7071.euw.devtunnels.ms, without https:// and without a path).");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
