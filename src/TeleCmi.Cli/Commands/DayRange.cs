using System.CommandLine;

namespace TeleCmi.Cli.Commands;

/// <summary><c>--day</c>, or <c>--from</c> and <c>--to</c>.</summary>
internal sealed class DayRange(Option<DateOnly?> day, Option<DateOnly?> from, Option<DateOnly?> to)
{
    public void AddTo(Command command)
    {
        command.Add(day);
        command.Add(from);
        command.Add(to);
        command.Validators.Add(result =>
        {
            if (result.GetResult(day) is not null && (result.GetResult(from) is not null || result.GetResult(to) is not null))
            {
                result.AddError("Write --day, or --from and --to: not both.");
            }
        });
    }

    public DateOnly? FirstOf(ParseResult parsed) => parsed.GetValue(day) ?? parsed.GetValue(from);

    public DateOnly? LastOf(ParseResult parsed) => parsed.GetValue(day) ?? parsed.GetValue(to);
}
