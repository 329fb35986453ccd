using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// What a destination gets: events or calls, and which. Each setting that is set must match; what an event or a call does not say
/// matches none of its values. Without filters nothing is read of an event, because each one passes here while it is processed.
/// </summary>
public sealed partial class DestinationFilter
{
    private const string Both = "both";

    private static readonly string[] FinalOutcomes = [.. CallNames.Outcomes.Where(outcome => outcome is not CallOutcome.InProgress).Select(outcome => outcome.Name())];
    private static readonly string[] DirectionNames = [.. CallNames.Directions.Select(direction => direction.Name())];

    private Choice? _events;
    private Choice? _answeredBy;
    private Choice? _outcomes;
    private Choice? _agents;
    private Choice? _teams;
    private Choice? _customerNumbers;
    private Choice? _businessNumbers;
    private Choice? _appIds;
    private Choice? _directions;

    private DestinationFilter()
    {
    }

    /// <summary>The destination's name.</summary>
    public required string Destination { get; init; }

    /// <summary>Whether it gets each call when it has ended, and no events.</summary>
    public required bool SendsCalls { get; init; }

    /// <summary>Whether only the customer's first answer of a conversation is forwarded.</summary>
    public required bool OncePerConversation { get; init; }

    /// <summary>Checks a destination's settings that choose; its address and secrets are not needed.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="faults">Gets a sentence for each setting that is wrong.</param>
    /// <param name="filter">The filter, when nothing is wrong.</param>
    public static bool TryCreate(ForwardDestinationOptions options, ICollection<string> faults, [NotNullWhen(true)] out DestinationFilter? filter)
    {
        var before = faults.Count;
        var made = new DestinationFilter
        {
            Destination = ReadName(options, faults),
            SendsCalls = options.SendsCalls,
            OncePerConversation = options.OncePerConversation,
            _events = ReadEvents(options, faults),
            _answeredBy = ReadAnsweredBy(options, faults),
            _outcomes = ReadOutcomes(options, faults),
            _agents = Choice.Of(nameof(options.Agents), "agent", options.Agents, IsNamed),
            _teams = Choice.Of(nameof(options.Teams), "team", options.Teams, IsNamed),
            _customerNumbers = ReadNumbers(options.NameOf(nameof(options.CustomerNumbers)), nameof(options.CustomerNumbers), "customer's number", options.CustomerNumbers, faults),
            _businessNumbers = ReadNumbers(options.NameOf(nameof(options.BusinessNumbers)), nameof(options.BusinessNumbers), "business number", options.BusinessNumbers, faults),
            _appIds = Choice.Of(nameof(options.AppIds), "app id", options.AppIds, Choice.IsSame),
            _directions = ReadDirections(options, faults),
        };
        CheckSend(options, faults);
        made.CheckDirections(options, faults);
        filter = faults.Count > before ? null : made;
        return filter is not null;
    }

    /// <summary>Why an event is not meant for the destination.</summary>
    /// <returns>Null when it is.</returns>
    internal FilterRefusal? RefusalOf(CallEvent callEvent)
    {
        if (SendsCalls)
        {
            return new FilterRefusal(nameof(ForwardDestinationOptions.Send), "what is sent", "event", ["calls"]);
        }

        var notice = callEvent.Notice;
        return _events?.RefusalOf(callEvent.Kind.Name())
            ?? _answeredBy?.RefusalOf(notice.AnsweredBy?.Name())
            ?? _directions?.RefusalOf(EventParties.DirectionOf(callEvent.Kind)?.Name())
            ?? _agents?.RefusalOf(notice.User)
            ?? _teams?.RefusalOf(notice.Team)
            ?? _appIds?.RefusalOf(notice.AppIdText)
            ?? _customerNumbers?.RefusalOf(EventParties.CustomerOf(notice))
            ?? _businessNumbers?.RefusalOf(EventParties.BusinessOf(notice));
    }

    /// <summary>Why a call is not meant for the destination.</summary>
    /// <returns>Null when it is.</returns>
    internal FilterRefusal? RefusalOf(CallRecord call) => !SendsCalls
        ? new FilterRefusal(nameof(ForwardDestinationOptions.Send), "what is sent", "call", ["events"])
        : _outcomes?.RefusalOf(call.Outcome.Name())
            ?? _directions?.RefusalOf(call.Direction?.Name())
            ?? _agents?.RefusalOf(call.Agent)
            ?? _teams?.RefusalOf(call.Team)
            ?? _appIds?.RefusalOf(call.AppId)
            ?? _customerNumbers?.RefusalOf(call.CustomerNumber)
            ?? _businessNumbers?.RefusalOf(call.BusinessNumber);

    /// <summary>The name of the handler that forwards events to it, as the journal has it.</summary>
    internal string Handler => $"Forward_{Destination}";

    internal bool AdmitsDirectionOf(EventKind kind) => _directions?.RefusalOf(EventParties.DirectionOf(kind)?.Name()) is null;

    // 202 is 202_2222223 too: people know agents and teams without the application.
    internal static bool IsNamed(string value, string wanted) =>
        value.StartsWith(wanted, StringComparison.OrdinalIgnoreCase) && (value.Length == wanted.Length || value[wanted.Length] == '_');

    private static string ReadName(ForwardDestinationOptions options, ICollection<string> faults)
    {
        var name = options.Name.Trim() is { Length: > 0 } given ? given
            : NotInName().Replace(Uri.TryCreate(options.Url.Trim(), UriKind.Absolute, out var url) ? url.Host : "unknown", "_");
        if (!NamePattern().IsMatch(name))
        {
            faults.Add($"{options.NameOf(nameof(options.Name))}: '{name}' is invalid; use letters, digits and underscores, at most 40.");
        }

        return name;
    }

    private static Choice? ReadEvents(ForwardDestinationOptions options, ICollection<string> faults)
    {
        if (options.Events.Any(name => name == TeleCmiOptions.AllKinds))
        {
            return null;
        }

        foreach (var name in options.Events.Where(name => !EventKinds.TryParse(name, out _)))
        {
            faults.Add($"{options.NameOf(nameof(options.Events))}: '{name}' is not a kind of event. Leave it out for all that are accepted, or use some of: {TeleCmiOptions.KindNames}.");
        }

        return Choice.Of(nameof(options.Events), "kind", options.Events, Choice.IsSame);
    }

    private static Choice? ReadAnsweredBy(ForwardDestinationOptions options, ICollection<string> faults)
    {
        string[] parties = [.. Enum.GetValues<AnsweredBy>().Select(party => party.Name())];
        var (setting, wanted) = (nameof(options.AnsweredBy), options.AnsweredBy.Trim().ToLowerInvariant());
        if (wanted is not ("" or Both) && !parties.Contains(wanted, StringComparer.Ordinal))
        {
            faults.Add($"{options.NameOf(setting)}: write agent (leg a), customer (leg b) or both.");
        }

        if (options.OncePerConversation)
        {
            if (wanted == AnsweredBy.Agent.Name())
            {
                faults.Add($"{options.NameOf(nameof(options.OncePerConversation))}: it forwards the customer's first answer, so {setting} cannot be agent.");
            }

            (setting, wanted) = (nameof(options.OncePerConversation), AnsweredBy.Customer.Name());
        }

        if (wanted is "" or Both)
        {
            return null;
        }

        if (options.Events.Any(name => EventKinds.TryParse(name, out var kind) && kind is not EventKind.OutgoingAnswered))
        {
            faults.Add($"{options.NameOf(nameof(options.Events))}: who answered is known of {EventKind.OutgoingAnswered.Name()} only; make another destination, with the same Url and another Name, for the other kinds.");
        }

        return Choice.Of(setting, "party that answered", [wanted], Choice.IsSame);
    }

    private static Choice? ReadOutcomes(ForwardDestinationOptions options, ICollection<string> faults)
    {
        foreach (var name in options.Outcomes.Except(FinalOutcomes, StringComparer.OrdinalIgnoreCase))
        {
            faults.Add($"{options.NameOf(nameof(options.Outcomes))}: '{name}' is not an outcome of a call that has ended. Leave it out for all, or use some of: {string.Join(", ", FinalOutcomes)}.");
        }

        return Choice.Of(nameof(options.Outcomes), "outcome", options.Outcomes, Choice.IsSame);
    }

    private static Choice? ReadDirections(ForwardDestinationOptions options, ICollection<string> faults)
    {
        foreach (var name in options.Directions.Except(DirectionNames, StringComparer.OrdinalIgnoreCase))
        {
            faults.Add($"{options.NameOf(nameof(options.Directions))}: '{name}' is not a direction. Leave it out for both, or write {string.Join(" or ", DirectionNames)}.");
        }

        return Choice.Of(nameof(options.Directions), "direction", options.Directions, Choice.IsSame);
    }

    private static Choice? ReadNumbers(string name, string setting, string what, IReadOnlyList<string> numbers, ICollection<string> faults)
    {
        foreach (var number in numbers.Where(number => !NumberPattern().IsMatch(number)))
        {
            faults.Add($"{name}: '{number}' is invalid; write the digits that the number begins with, as TeleCMI sends it, such as 4420 or +4420.");
        }

        return Choice.Of(setting, what, [.. numbers.Select(number => number.TrimStart('+'))], PhoneNumber.BeginsWith, isNumber: true);
    }

    // A filter that can do nothing is a misunderstanding.
    private static void CheckSend(ForwardDestinationOptions options, ICollection<string> faults)
    {
        if (!options.SendsCalls && options.Send.Trim() is not "" && !string.Equals(options.Send.Trim(), "events", StringComparison.OrdinalIgnoreCase))
        {
            faults.Add($"{options.NameOf(nameof(options.Send))}: write events (each as it comes) or calls (each when it has ended).");
        }

        if (options.SendsCalls && (options.Events.Count > 0 || options.OncePerConversation || options.AnsweredBy.Trim().ToLowerInvariant() is not ("" or Both)))
        {
            faults.Add($"{options.NameOf(nameof(options.Send))}: {nameof(options.Events)}, {nameof(options.AnsweredBy)} and {nameof(options.OncePerConversation)} choose events; of calls choose by {nameof(options.Outcomes)} or another filter.");
        }

        if (!options.SendsCalls && options.Outcomes.Count > 0)
        {
            faults.Add($"{options.NameOf(nameof(options.Outcomes))}: only calls have an outcome; set {options.NameOf(nameof(options.Send))} to calls.");
        }
    }

    private void CheckDirections(ForwardDestinationOptions options, ICollection<string> faults)
    {
        var isAdmitted = SendsCalls
            ? FinalOutcomes.Any(outcome => _outcomes?.RefusalOf(outcome) is null && (DirectionOf(outcome) is not { } direction || _directions?.RefusalOf(direction.Name()) is null))
            : EventKinds.All.Any(kind => AdmitsDirectionOf(kind) && _events?.RefusalOf(kind.Name()) is null && (_answeredBy is null || kind is EventKind.OutgoingAnswered));
        if (_directions is not null && !isAdmitted && options.Directions.All(name => DirectionNames.Contains(name, StringComparer.OrdinalIgnoreCase)))
        {
            faults.Add($"{options.NameOf(nameof(options.Directions))}: nothing would be sent, because {(SendsCalls ? nameof(options.Outcomes) : $"{nameof(options.Events)} or {nameof(options.AnsweredBy)}")} leaves only calls of the other direction.");
        }
    }

    private static CallDirection? DirectionOf(string outcome) => CallNames.Outcomes.Single(known => known.Name() == outcome) switch
    {
        CallOutcome.Answered or CallOutcome.Missed => CallDirection.Incoming,
        CallOutcome.Unknown => null,
        _ => CallDirection.Outgoing,
    };

    [GeneratedRegex("^[A-Za-z0-9_]{1,40}$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NamePattern();

    [GeneratedRegex("[^A-Za-z0-9_]", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NotInName();

    [GeneratedRegex(@"^\+?[0-9]{1,20}\z", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NumberPattern();

    /// <summary>One setting: the values that it lets through.</summary>
    private sealed class Choice(string setting, string what, IReadOnlyList<string> wanted, Func<string, string, bool> matches, bool isNumber)
    {
        public static Choice? Of(string setting, string what, IReadOnlyList<string> wanted, Func<string, string, bool> matches, bool isNumber = false) =>
            wanted.Count == 0 ? null : new Choice(setting, what, wanted, matches, isNumber);

        public static bool IsSame(string value, string wanted) => value.Equals(wanted, StringComparison.OrdinalIgnoreCase);

        public FilterRefusal? RefusalOf(string? value)
        {
            if (value?.Trim() is { Length: > 0 } known)
            {
                foreach (var one in wanted)
                {
                    if (matches(known, one))
                    {
                        return null;
                    }
                }
            }

            return new FilterRefusal(setting, what, isNumber && value is not null ? LogText.OfPhoneNumber(value) : value, wanted);
        }
    }
}

/// <summary>Why a filter does not let something through.</summary>
/// <param name="Setting">The setting, without what stands before it, such as <c>Agents</c>.</param>
/// <param name="What">What it looks at, such as <c>agent</c>.</param>
/// <param name="Value">What the event or call has there; null: nothing. A phone number is masked.</param>
/// <param name="Wanted">What the setting lets through.</param>
internal readonly record struct FilterRefusal(string Setting, string What, string? Value, IReadOnlyList<string> Wanted)
{
    /// <summary>The same in a sentence.</summary>
    public string Sentence => string.IsNullOrWhiteSpace(Value)
        ? $"It has no {What}, and {Setting} is set: {string.Join(", ", Wanted)}."
        : $"{char.ToUpperInvariant(What[0])}{What[1..]} {LogText.Of(Value)} is not among {Setting}: {string.Join(", ", Wanted)}.";
}
