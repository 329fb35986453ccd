using System.CommandLine;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Journaling;

namespace TeleCmi.Cli.Commands;

/// <summary>Which rows of the journal a command is about.</summary>
internal sealed class JournalSelector
{
    private readonly DayRange _days = new(
        CommonOptions.Day("--day", "Only events of this day, by the event's own time"),
        CommonOptions.Day("--from", "Events of this day or later, and those without a time"),
        CommonOptions.Day("--to", "Events of this day or earlier"));

    private readonly Option<string> _kind = CommonOptions.Kind();
    private readonly Option<string> _conversation = CommonOptions.Text("--conversation", "Only this call: its conversation_uuid, or the cmiuuid of events without one.");
    private readonly Option<string> _agent = CommonOptions.Text("--agent", "Only this agent, with the app id (202_2222223) or without (202).");
    private readonly Option<string> _number = CommonOptions.Customer("Only events that name this customer, by the number's last digits");

    public Option<string> Conversation => _conversation;

    public void AddTo(Command command)
    {
        AddRangeTo(command);
        command.Add(_kind);
        command.Add(_conversation);
        command.Add(_agent);
        command.Add(_number);
    }

    public void AddRangeTo(Command command) => _days.AddTo(command);

    public JournalFilter FilterOf(ParseResult parsed) => RangeOf(parsed) with
    {
        Kind = parsed.GetValue(_kind),
        Conversation = parsed.GetValue(_conversation),
        Agent = parsed.GetValue(_agent),
        IsWanted = parsed.GetValue(_number) is { } number ? row => PhoneNumber.IsCustomerOf(row, number) : null,
    };

    public JournalFilter RangeOf(ParseResult parsed) => new()
    {
        From = _days.FirstOf(parsed),
        To = _days.LastOf(parsed),
    };
}
