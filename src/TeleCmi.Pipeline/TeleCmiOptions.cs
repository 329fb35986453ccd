using System.Buffers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TeleCmi.Events;

namespace TeleCmi.Pipeline;

/// <summary>The settings below <c>TeleCmi</c> (as environment variables: <c>TeleCmi__*</c>).</summary>
public sealed class TeleCmiOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "TeleCmi";

    /// <summary>The most that <see cref="MaxEventBytes"/> may be: with its envelope and in Base64 an event must fit a queue message.</summary>
    public const int LargestEventBytes = 24 * 1024;

    /// <summary>The shortest access token, in characters.</summary>
    public const int ShortestAccessToken = 20;

    /// <summary>The fewest days of <see cref="Retention"/>: longer than a forward may wait.</summary>
    public const int ShortestRetention = 7;

    /// <summary>The most days of <see cref="Retention"/>.</summary>
    public const int LongestRetention = 3650;

    /// <summary>The word in <see cref="AcceptedEvents"/> for every kind.</summary>
    public const string AllKinds = "*";

    /// <summary>Secrets for the webhook's path; several, so that one can replace another. Empty: that path responds with 404.</summary>
    public IReadOnlyList<string> AccessTokens { get; set; } = [];

    /// <summary>The app ids whose events are accepted; empty: all.</summary>
    public IReadOnlyList<string> AppIds { get; set; } = [];

    /// <summary>The kinds of event to accept, or <see cref="AllKinds"/>.</summary>
    public IReadOnlyList<string> AcceptedEvents { get; set; } = [EventKind.OutgoingAnswered.Name()];

    /// <summary>The largest request body, in bytes.</summary>
    public int MaxEventBytes { get; set; } = 16 * 1024;

    /// <summary>How long storage may take to accept an event before the sender is asked to send it again.</summary>
    public TimeSpan EnqueueDeadline { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>How long one handler may take for one event.</summary>
    public TimeSpan HandlerDeadline { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>For how many days journal, deliveries, claims and dead letters are kept when <c>telecmi purge</c> runs; null: for good.</summary>
    public int? Retention { get; set; }

    /// <summary>Azure only: the share of traces that Application Insights keeps, above 0 and at most 1.</summary>
    public float TraceSamplingRatio { get; set; } = 1;

    /// <summary>Whether this kind of event is accepted.</summary>
    public bool Accepts(EventKind kind) => AcceptedEvents.Contains(kind.Name(), StringComparer.Ordinal) || AcceptedEvents.Contains(AllKinds, StringComparer.Ordinal);

    internal static string KindNames => string.Join(", ", EventKinds.All.Select(kind => kind.Name()));

    internal static void Register(IServiceCollection services)
    {
        services.AddOptions<TeleCmiOptions>()
            .BindConfiguration(SectionName)
            .Configure<IConfiguration>((options, configuration) => options.ReadLists(configuration.GetSection(SectionName)))
            .AllowOnly(
                SectionName,
                nameof(AccessTokens), nameof(AppIds), nameof(AcceptedEvents), nameof(MaxEventBytes), nameof(EnqueueDeadline), nameof(HandlerDeadline), nameof(Retention), nameof(TraceSamplingRatio), "Forward", "Reconcile")
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<TeleCmiOptions>, TeleCmiOptionsValidator>();
    }

    internal void ReadLists(IConfigurationSection section)
    {
        AccessTokens = section.ReadList(nameof(AccessTokens));
        AppIds = section.ReadList(nameof(AppIds));
        if (section.GetSection(nameof(AcceptedEvents)).Exists())
        {
            AcceptedEvents = section.ReadList(nameof(AcceptedEvents));
        }
    }
}

/// <summary>Stops the app at start when a setting is wrong, with a message that names it and says what to write.</summary>
internal sealed class TeleCmiOptionsValidator : IValidateOptions<TeleCmiOptions>
{
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

    public ValidateOptionsResult Validate(string? name, TeleCmiOptions options)
    {
        var faults = new List<string>();
        if (options.AccessTokens.Any(token => token.Length < TeleCmiOptions.ShortestAccessToken || token.AsSpan().ContainsAnyExcept(TokenCharacters)))
        {
            faults.Add($"TeleCmi__AccessTokens: each token needs at least {TeleCmiOptions.ShortestAccessToken} characters, only A-Z a-z 0-9 - . _ ~ (they stand in a URL).");
        }

        foreach (var kind in options.AcceptedEvents.Where(kind => kind != TeleCmiOptions.AllKinds && !EventKinds.TryParse(kind, out _)))
        {
            faults.Add($"TeleCmi__AcceptedEvents: '{kind}' is not a kind of event. Use * or some of: {TeleCmiOptions.KindNames}.");
        }

        if (options.AcceptedEvents.Count == 0)
        {
            faults.Add("TeleCmi__AcceptedEvents: name at least one kind of event, or * for all.");
        }

        faults.CheckRange("TeleCmi__MaxEventBytes", options.MaxEventBytes, 1024, TeleCmiOptions.LargestEventBytes, " (what fits a queue message)");
        faults.CheckRange("TeleCmi__EnqueueDeadline", options.EnqueueDeadline, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        faults.CheckRange("TeleCmi__HandlerDeadline", options.HandlerDeadline, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));
        if (options.Retention is { } days)
        {
            faults.CheckRange("TeleCmi__Retention", days, TeleCmiOptions.ShortestRetention, TeleCmiOptions.LongestRetention, " days");
        }

        if (options.TraceSamplingRatio is not (> 0 and <= 1))
        {
            faults.Add("TeleCmi__TraceSamplingRatio: write the share of traces to keep, above 0 and at most 1, such as 0.25.");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
