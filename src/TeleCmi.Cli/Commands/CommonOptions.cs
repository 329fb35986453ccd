using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using TeleCmi.Events;

namespace TeleCmi.Cli.Commands;

/// <summary>Options that several commands have.</summary>
internal static class CommonOptions
{
    public static Option<bool> Json() => new("--json") { Description = "Write one JSON document for scripts." };

    public static Option<bool> Yes() => new("--yes", "-y") { Description = "Do not ask." };

    public static Option<DateOnly?> Day(string name, string description) => new(name)
    {
        Description = $"{description} (yyyy-MM-dd, UTC).",
        HelpName = "day",
        CustomParser = ParseDay,
    };

    public static Option<string?> Kind()
    {
        var option = new Option<string?>("--kind") { Description = "Only this kind, such as outgoing.answered.", HelpName = "kind" };
        return option.AcceptOnlyFromAmong([.. EventKinds.All.Select(kind => kind.Name())]);
    }

    public static Option<int> Limit() => new Option<int>("--limit")
    {
        Description = "The most to list.",
        DefaultValueFactory = _ => 100,
    }.Between(1, 1_000_000);

    public static Option<T> Between<T>(this Option<T> option, T least, T most)
        where T : struct, IComparable<T>
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<T>() is var value && (value.CompareTo(least) < 0 || value.CompareTo(most) > 0))
            {
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name}: {value} is outside {least} to {most}."));
            }
        });
        return option;
    }

    private static DateOnly? ParseDay(ArgumentResult result)
    {
        if (DateOnly.TryParseExact(result.Tokens[0].Value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            return day;
        }

        result.AddError("Write a day as yyyy-MM-dd, such as 2026-03-31.");
        return null;
    }
}
