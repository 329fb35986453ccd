using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using TeleCmi.Events;
using TeleCmi.Pipeline;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Cli.Commands;

/// <summary>
/// Options that several commands have, and the ways to read a value. Each reads and checks its value in one step: the library's
/// own conversion names .NET types, and a validator that runs after a failed one throws (dotnet/command-line-api issue 2645).
/// </summary>
internal static class CommonOptions
{
    public static Option<bool> Json() => new("--json") { Description = "Write one JSON document for scripts." };

    public static Option<bool> Yes() => new("--yes", "-y") { Description = "Do not ask." };

    public static Option<int> Limit() => Number("--limit", "The most to list.", 1, 1_000_000, 100);

    public static Option<string> Kind(string description = "Only this kind, such as outgoing.answered.") =>
        OneOf("--kind", description, [.. EventKinds.All.Select(kind => kind.Name())]);

    public static Option<DateOnly?> Day(string name, string description) => Parsed<DateOnly?>(
        name,
        $"{description} (yyyy-MM-dd, UTC).",
        text => UtcDay.TryParse(text, out var day) ? day : throw new FormatException("write a day as yyyy-MM-dd, such as 2026-03-31."));

    public static Option<TimeSpan?> Duration(string name, string description) => Parsed<TimeSpan?>(
        name,
        description,
        text => text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var time) && time >= TimeSpan.Zero
            ? time
            : throw new FormatException("write hours:minutes:seconds, such as 00:05:00."));

    /// <summary>A customer's phone number, compared by its end.</summary>
    public static Option<string> Customer(string description) => Parsed(
        "--number",
        $"{description} (at least {CallFilter.FewestDigits}).",
        text => PhoneNumber.Digits(text).Length >= CallFilter.FewestDigits ? text : throw new FormatException($"write at least {CallFilter.FewestDigits} digits."));

    public static Option<T> Number<T>(string name, string description, T least, T most, T usual)
        where T : INumber<T>
    {
        var option = Parsed(name, description, text => NumberOf(text, least, most));
        option.DefaultValueFactory = _ => usual;
        return option;
    }

    public static T NumberOf<T>(string text, T least, T most)
        where T : INumber<T> =>
        T.TryParse(text, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"write a number from {least} to {most}."));

    /// <summary>A text; an empty one, which an unset variable of a script makes, would match everything.</summary>
    public static Option<string> Text(string name, string description) => Parsed(name, description, NotEmpty);

    public static Option<string> OneOf(string name, string description, IReadOnlyList<string> values)
    {
        var option = Parsed(name, description, text => values.Contains(text, StringComparer.Ordinal) ? text : throw new FormatException(
            $"there is no '{text}'. Did you mean {Settings.Nearest(text, values)}? Write one of: {string.Join(", ", values)}."));
        option.HelpName = name.TrimStart('-');
        option.CompletionSources.Add([.. values]);
        return option;
    }

    /// <summary>An option that reads its value itself.</summary>
    /// <param name="name">The option's name.</param>
    /// <param name="description">For the help.</param>
    /// <param name="parse">Reads the value; a <see cref="FormatException"/> says what to write instead.</param>
    public static Option<T> Parsed<T>(string name, string description, Func<string, T> parse) =>
        new(name) { Description = description, CustomParser = result => Parse(result, name, parse) };

    public static Argument<T> ParsedArgument<T>(string name, string description, Func<string, T> parse) =>
        new(name) { Description = description, CustomParser = result => Parse(result, name, parse) };

    public static string NotEmpty(string text) => string.IsNullOrWhiteSpace(text) ? throw new FormatException("the value is empty.") : text;

    private static T? Parse<T>(ArgumentResult result, string name, Func<string, T> parse)
    {
        try
        {
            // None or several: the library says so.
            return result.Tokens is [var token] ? parse(token.Value) : default;
        }
        catch (FormatException e)
        {
            result.AddError($"{name}: {e.Message}");
            return default;
        }
    }
}
