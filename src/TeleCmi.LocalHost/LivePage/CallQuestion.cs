using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>Which calls the page asks for, as it writes it; empty means any.</summary>
internal sealed class CallQuestion
{
    private const int MostDays = 31;

    /// <summary>The last UTC day; empty: today.</summary>
    public string? Day { get; init; }

    /// <summary>How many days up to it; empty: one.</summary>
    public string? Days { get; init; }

    /// <inheritdoc cref="CallFilter.Agent"/>
    public string? Agent { get; init; }

    /// <inheritdoc cref="CallFilter.Number"/>
    public string? Number { get; init; }

    /// <inheritdoc cref="CallFilter.Outcome"/>
    public string? Outcome { get; init; }

    /// <inheritdoc cref="CallFilter.Kind"/>
    public string? Kind { get; init; }

    /// <inheritdoc cref="CallFilter.Conversation"/>
    public string? Conversation { get; init; }

    /// <summary>Reads it.</summary>
    /// <param name="today">The day of now.</param>
    /// <param name="filter">Which calls.</param>
    /// <param name="fault">What is wrong with it.</param>
    public bool TryRead(DateOnly today, [NotNullWhen(true)] out CallFilter? filter, [NotNullWhen(false)] out string? fault)
    {
        var to = today;
        var days = 1;
        EventKind kind = default;
        CallOutcome[] outcomes = [.. CallNames.Outcomes.Where(known => known.Name() == Outcome)];
        fault = !string.IsNullOrEmpty(Day) && !UtcDay.TryParse(Day, out to) ? "That is no day: write it as yyyy-MM-dd."
            : !string.IsNullOrEmpty(Days) && !(int.TryParse(Days, NumberStyles.None, CultureInfo.InvariantCulture, out days) && days is >= 1 and <= MostDays && days <= to.DayNumber) ? $"Write 1 to {MostDays} days."
            : !string.IsNullOrEmpty(Outcome) && outcomes.Length == 0 ? "There is no such outcome."
            : !string.IsNullOrEmpty(Kind) && !EventKinds.TryParse(Kind, out kind) ? "There is no such kind of event."
            : !string.IsNullOrWhiteSpace(Number) && PhoneNumber.Digits(Number).Length < CallFilter.FewestDigits ? $"Write at least the last {CallFilter.FewestDigits} digits of the number."
            : null;
        filter = fault is not null ? null : new CallFilter
        {
            From = to.AddDays(1 - days),
            To = to,
            Agent = string.IsNullOrWhiteSpace(Agent) ? null : Agent.Trim(),
            Number = string.IsNullOrWhiteSpace(Number) ? null : Number,
            Outcome = string.IsNullOrEmpty(Outcome) ? null : outcomes[0],
            Kind = string.IsNullOrEmpty(Kind) ? null : kind,
            Conversation = string.IsNullOrWhiteSpace(Conversation) ? null : Conversation.Trim(),
        };
        return filter is not null;
    }
}
