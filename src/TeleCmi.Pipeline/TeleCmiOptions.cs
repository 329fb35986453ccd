namespace TeleCmi.Pipeline;

/// <summary>The settings below <c>TeleCmi</c> (as environment variables: <c>TeleCmi__*</c>).</summary>
public sealed class TeleCmiOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "TeleCmi";

    /// <summary>The most that <see cref="MaxEventBytes"/> may be: with its envelope and in Base64 it must fit a queue message.</summary>
    public const int LargestEventBytes = 24 * 1024;

    /// <summary>The shortest access token, in characters.</summary>
    public const int ShortestAccessToken = 20;

    /// <summary>Secrets that may stand in the webhook's path, comma-separated, so that two can overlap while one replaces the other; empty: that path answers 404.</summary>
    public string AccessTokens { get; set; } = "";

    /// <summary>The app ids whose events are taken, comma-separated; empty: all.</summary>
    public string AppIds { get; set; } = "";

    /// <summary>The kinds of event to take, comma-separated; <c>*</c>: all.</summary>
    public string AcceptedEvents { get; set; } = "outgoing.answered";

    /// <summary>The largest request body, in bytes.</summary>
    public int MaxEventBytes { get; set; } = 16 * 1024;

    /// <summary>How long storage may take to accept an event before the sender is told to try again.</summary>
    public TimeSpan EnqueueDeadline { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>How long one handler may take for one event.</summary>
    public TimeSpan HandlerDeadline { get; set; } = TimeSpan.FromMinutes(1);

    internal static string[] Split(string list) =>
        list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
