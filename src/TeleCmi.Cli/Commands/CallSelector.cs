using System.CommandLine;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Cli.Commands;

/// <summary>Which calls a command is about; without a day, today's (UTC).</summary>
internal sealed class CallSelector(TimeProvider clock)
{
    private readonly DayRange _days = Days(clock);

    private readonly Option<string> _agent = CommonOptions.Text("--agent", "Only this agent, with the app id (202_2222223) or without (202).");
    private readonly Option<string> _outcome = CommonOptions.OneOf("--outcome", "Only calls that ended like this.", [.. CallNames.Outcomes.Select(outcome => outcome.Name())]);
    private readonly Option<string> _number = CommonOptions.Customer("Only this customer, by the number's last digits");

    /// <summary>The options for the days on which calls began.</summary>
    public static DayRange Days(TimeProvider clock) => new(
        Day("--day", "Only calls that began on this day", clock),
        Day("--from", "Calls that began on this day or later", clock),
        Day("--to", "Calls that began on this day or earlier", clock));

    public void AddTo(Command command)
    {
        AddDaysTo(command);
        command.Add(_number);
        command.Add(_outcome);
    }

    public void AddDaysTo(Command command)
    {
        _days.AddTo(command);
        command.Add(_agent);
    }

    public CallFilter FilterOf(ParseResult parsed)
    {
        var to = _days.LastOf(parsed) ?? clock.Today();
        return new CallFilter
        {
            From = _days.FirstOf(parsed) ?? to,
            To = to,
            Agent = parsed.GetValue(_agent),
            Number = parsed.GetValue(_number),
            Outcome = parsed.GetValue(_outcome) is { } name ? CallNames.Outcomes.Single(outcome => outcome.Name() == name) : null,
        };
    }

    private static Option<DateOnly?> Day(string name, string description, TimeProvider clock) => CommonOptions.Parsed<DateOnly?>(
        name,
        $"{description} (today, yesterday or yyyy-MM-dd, UTC).",
        text => text switch
        {
            "today" => clock.Today(),
            "yesterday" => clock.Today().AddDays(-1),
            _ => UtcDay.TryParse(text, out var day) ? day : throw new FormatException("write today, yesterday or a day as yyyy-MM-dd, such as 2026-03-31."),
        });
}
