using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TeleCmi.Events;

namespace TeleCmi.Pipeline.Reconciling;

/// <summary>The settings below <c>TeleCmi:Reconcile</c>; without an app id and its secret nothing is reconciled.</summary>
public sealed class ReconcileOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = $"{TeleCmiOptions.SectionName}:Reconcile";

    internal const string SettingPrefix = "TeleCmi__Reconcile__";

    /// <summary>The settings that exist.</summary>
    public static IReadOnlyList<string> Known { get; } = [nameof(AppId), nameof(Secret), nameof(Url), nameof(Timeout), nameof(Settle), nameof(Tolerance), nameof(Backfill)];

    /// <summary>The account's application, whose calls the reports list.</summary>
    public string AppId { get; set; } = "";

    /// <summary>The application's secret for TeleCMI's REST interface.</summary>
    public string Secret { get; set; } = "";

    /// <summary>Where the reports are.</summary>
    public string Url { get; set; } = "https://rest.telecmi.com/v2/";

    /// <summary>How long one request for a page may take.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How old a call must be before it is looked for: until then its notices may still be on the way.</summary>
    public TimeSpan Settle { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>How far the times of a report and of the journal may differ where a call is found by its numbers.</summary>
    public TimeSpan Tolerance { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Whether the run by itself also queues what is missing; the command line decides for itself.</summary>
    public bool Backfill { get; set; }

    /// <summary>Whether it is set up.</summary>
    public bool IsOn => AppId.Length > 0 && Secret.Length > 0;

    /// <summary>The reports' address, to which a report's name is appended.</summary>
    internal Uri Address => new(Url.EndsWith('/') ? Url : Url + "/");

    internal static void Register(IServiceCollection services)
    {
        services.AddOptions<ReconcileOptions>()
            .Configure<IConfiguration>((options, configuration) => options.ReadFrom(configuration.GetSection(SectionName)))
            .AllowOnly(SectionName, Known)
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<ReconcileOptions>, ReconcileOptionsValidator>();
    }

    private void ReadFrom(IConfigurationSection section)
    {
        AppId = section[nameof(AppId)]?.Trim() ?? AppId;
        Secret = section[nameof(Secret)]?.Trim() ?? Secret;
        Url = section[nameof(Url)] is { } url && !string.IsNullOrWhiteSpace(url) ? url.Trim() : Url;
        Timeout = section.GetValue(nameof(Timeout), Timeout);
        Settle = section.GetValue(nameof(Settle), Settle);
        Tolerance = section.GetValue(nameof(Tolerance), Tolerance);
        Backfill = section.GetValue(nameof(Backfill), Backfill);
    }
}

/// <summary>Stops the app at start when a setting is wrong.</summary>
internal sealed class ReconcileOptionsValidator(IOptions<TeleCmiOptions> receiver) : IValidateOptions<ReconcileOptions>
{
    public ValidateOptionsResult Validate(string? name, ReconcileOptions options)
    {
        var faults = new List<string>();
        if ((options.AppId.Length > 0) != (options.Secret.Length > 0))
        {
            faults.Add($"{ReconcileOptions.SettingPrefix}{(options.Secret.Length > 0 ? nameof(options.AppId) : nameof(options.Secret))}: not set, and TeleCMI's reports need both the app id and its secret.");
        }

        if (options.AppId.Any(digit => !char.IsAsciiDigit(digit)) || options.AppId.Length > 18)
        {
            faults.Add($"{ReconcileOptions.SettingPrefix}{nameof(options.AppId)}: write one app id, a number such as 2222223.");
        }

        // The secret is in the body of every request.
        if (!Uri.TryCreate(options.Url, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttps && !(url.Scheme == Uri.UriSchemeHttp && url.IsLoopback)) || url.Query.Length > 0)
        {
            faults.Add($"{ReconcileOptions.SettingPrefix}{nameof(options.Url)}: write the https address below which the reports are, such as {new ReconcileOptions().Url}.");
        }

        faults.CheckRange($"{ReconcileOptions.SettingPrefix}{nameof(options.Timeout)}", options.Timeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(2));
        faults.CheckRange($"{ReconcileOptions.SettingPrefix}{nameof(options.Settle)}", options.Settle, TimeSpan.FromMinutes(1), TimeSpan.FromHours(12));
        faults.CheckRange($"{ReconcileOptions.SettingPrefix}{nameof(options.Tolerance)}", options.Tolerance, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(30));
        if (options.IsOn)
        {
            CheckReceiver(options, faults);
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    // What is missing comes back as detail records, on the receiver's own way.
    private void CheckReceiver(ReconcileOptions options, List<string> faults)
    {
        if (!CallReport.All.Any(report => receiver.Value.Accepts(report.Kind)))
        {
            faults.Add($"TeleCmi__AcceptedEvents: reconciling compares detail records; write * or add {string.Join(", ", CallReport.All.Select(report => report.Kind.Name()))}.");
        }

        if (receiver.Value.AppIds is { Count: > 0 } appIds && !appIds.Contains(options.AppId, StringComparer.Ordinal))
        {
            faults.Add($"{ReconcileOptions.SettingPrefix}{nameof(options.AppId)}: '{options.AppId}' is not in TeleCmi__AppIds, so none of its calls is accepted.");
        }
    }
}
