using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace TeleCmi.Pipeline.Storage;

/// <summary>
/// The names of the queues. They are flat settings because the queue triggers use them, and nested ones never wake a
/// Functions app from zero (Azure/azure-functions-host issue 8261).
/// </summary>
public sealed class QueueOptions
{
    /// <summary>The setting that names the events queue.</summary>
    public const string EventsSetting = "TeleCmiEventsQueue";

    /// <summary>The setting that names the forwards queue.</summary>
    public const string ForwardsSetting = "TeleCmiForwardsQueue";

    /// <summary>What the platform appends to a queue's name for messages that failed too often.</summary>
    public const string PoisonSuffix = "-poison";

    /// <summary>The queue of accepted events.</summary>
    public string Events { get; set; } = "telecmi-events";

    /// <summary>The queue of events on their way to destinations.</summary>
    public string Forwards { get; set; } = "telecmi-forwards";

    internal void ReadFrom(IConfiguration configuration)
    {
        Events = Given(configuration[EventsSetting]) ?? Events;
        Forwards = Given(configuration[ForwardsSetting]) ?? Forwards;
    }

    private static string? Given(string? value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();
}

internal sealed class QueueOptionsValidator : IValidateOptions<QueueOptions>
{
    // A queue's name is at most 63 characters, the poison queue's suffix included.
    private const int LongestName = 63 - 7;

    public ValidateOptionsResult Validate(string? name, QueueOptions options)
    {
        var faults = new List<string>();
        Check(faults, QueueOptions.EventsSetting, options.Events);
        Check(faults, QueueOptions.ForwardsSetting, options.Forwards);
        if (options.Forwards == options.Events)
        {
            faults.Add($"{QueueOptions.ForwardsSetting}: must be another queue than {QueueOptions.EventsSetting}.");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static void Check(List<string> faults, string setting, string queue)
    {
        if (queue is not { Length: >= 3 and <= LongestName } || !queue.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character == '-')
            || queue.StartsWith('-') || queue.EndsWith('-') || queue.Contains("--", StringComparison.Ordinal))
        {
            faults.Add($"{setting}: '{queue}' is not a queue name (3 to {LongestName} of a-z 0-9 -, beginning and ending with a letter or digit, no two hyphens together).");
        }
    }
}
