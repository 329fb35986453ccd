using System.CommandLine;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Journaling;

namespace TeleCmi.Cli.Commands;

/// <summary>Which rows of the journal a command is about.</summary>
internal sealed class JournalSelector
{
    private readonly Option<DateOnly?> _day = CommonOptions.Day("--day", "Only events of this day, by the event's own time");
    private readonly Option<DateOnly?> _from = CommonOptions.Day("--from", "Events of this day or later, and those without a time");
    private readonly Option<DateOnly?> _to = CommonOptions.Day("--to", "Events of this day or earlier");
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

    public void AddRangeTo(Command command)
    {
        command.Add(_day);
        command.Add(_from);
        command.Add(_to);
        command.Validators.Add(result =>
        {
            if (result.GetResult(_day) is not null && (result.GetResult(_from) is not null || result.GetResult(_to) is not null))
            {
                result.AddError("Write --day, or --from and --to: not both.");
            }
        });
    }

    public JournalFilter FilterOf(ParseResult parsed) => RangeOf(parsed) with
    {
        Kind = parsed.GetValue(_kind),
        Conversation = parsed.GetValue(_conversation),
        Agent = parsed.GetValue(_agent),
        IsWanted = parsed.GetValue(_number) is { } number ? row => PhoneNumber.IsCustomerOf(row, number) : null,
    };

    public JournalFilter RangeOf(ParseResult parsed) => new()
    {
        From = parsed.GetValue(_day) ?? parsed.GetValue(_from),
        To = parsed.GetValue(_day) ?? parsed.GetValue(_to),
    };
}
