using Microsoft.Extensions.Options;

namespace TeleCmi.LocalHost;

/// <summary>The settings below <c>LocalHost</c> (as environment variables: <c>LocalHost__*</c>); on Azure host.json has their counterparts.</summary>
public sealed class LocalHostOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "LocalHost";

    /// <summary>How long a failed message waits before the next try.</summary>
    public TimeSpan RetryPause { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a message that is being worked on is hidden from others; renewed until the work is done, so it is also how long a message waits after a crash.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The longest pause between two looks at an empty queue.</summary>
    public TimeSpan MaxPollingInterval { get; set; } = TimeSpan.FromSeconds(0.5);

    /// <summary>How long a stop may take to finish what is in flight.</summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The first of the three ports (blob, queue, table) that <c>UseDevelopmentStorage=true</c> stands for.</summary>
    public int AzuritePort { get; set; } = Azurite.DefaultPort;

    /// <summary>Where an Azurite that is started here keeps its data; empty: <c>.azurite</c> in the repository.</summary>
    public string AzuriteFolder { get; set; } = "";

    /// <summary>Whether <c>/</c> shows the live page.</summary>
    public bool LivePage { get; set; } = true;

    /// <summary>
    /// The host names other than this machine's own by which the live page may be reached, comma-separated, such as a
    /// tunnel's; it then asks for a password, which is one of <c>TeleCmi__AccessTokens</c>. Empty: this machine only.
    /// </summary>
    public string LivePageHosts { get; set; } = "";

    internal static string[] Split(string list) =>
        list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

internal sealed class LocalHostOptionsValidator : IValidateOptions<LocalHostOptions>
{
    public ValidateOptionsResult Validate(string? name, LocalHostOptions options)
    {
        var faults = new List<string>();
        Check(faults, "LocalHost__RetryPause", options.RetryPause, TimeSpan.Zero, TimeSpan.FromHours(1));
        Check(faults, "LocalHost__Lease", options.Lease, TimeSpan.FromSeconds(2), TimeSpan.FromHours(1));
        Check(faults, "LocalHost__MaxPollingInterval", options.MaxPollingInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1));
        Check(faults, "LocalHost__ShutdownTimeout", options.ShutdownTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        if (options.AzuritePort is < 1 or > 65533)
        {
            faults.Add($"LocalHost__AzuritePort: {options.AzuritePort} is outside 1 to 65533 (it and the next two are used).");
        }

        foreach (var host in LocalHostOptions.Split(options.LivePageHosts).Where(host => Uri.CheckHostName(host) is UriHostNameType.Unknown))
        {
            faults.Add($"LocalHost__LivePageHosts: '{host}' is not a host name (write the name alone, such as abc-7071.euw.devtunnels.ms, without https:// and without a path).");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static void Check(List<string> faults, string setting, TimeSpan value, TimeSpan least, TimeSpan most)
    {
        if (value < least || value > most)
        {
            faults.Add($"{setting}: {value} is outside {least} to {most} (write hours:minutes:seconds, such as 00:00:30).");
        }
    }
}
