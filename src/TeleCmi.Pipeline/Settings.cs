using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace TeleCmi.Pipeline;

/// <summary>Settings: lists, ranges, and names that do not exist.</summary>
public static class Settings
{
    /// <summary>Reads a list: comma-separated, or one value per index (<c>AppIds__0</c>), or both.</summary>
    public static IReadOnlyList<string> ReadList(this IConfiguration section, string name) =>
    [
        .. section.GetSection(name).GetChildren().Select(item => item.Value)
            .Prepend(section[name])
            .SelectMany(text => (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)),
    ];

    /// <summary>Stops the app when a setting stands in the section that it does not have.</summary>
    /// <param name="options">The options that are read from the section.</param>
    /// <param name="section">The section, such as <c>TeleCmi</c>.</param>
    /// <param name="known">The names that exist.</param>
    public static OptionsBuilder<TOptions> AllowOnly<TOptions>(this OptionsBuilder<TOptions> options, string section, params IReadOnlyCollection<string> known)
        where TOptions : class
    {
        options.Services.AddSingleton<IValidateOptions<TOptions>>(provider => new KnownSettings<TOptions>(
            provider.GetRequiredService<IConfiguration>().GetSection(section), known));
        return options;
    }

    /// <summary>A sentence for each setting of a section that does not exist, with the nearest one that does.</summary>
    public static IEnumerable<string> UnknownIn(IConfigurationSection section, IReadOnlyCollection<string> known) =>
        section.GetChildren()
            .Where(setting => !known.Contains(setting.Key, StringComparer.OrdinalIgnoreCase))
            .Select(setting => $"{Name(section.Path)}__{setting.Key}: there is no such setting. Did you mean {Name(section.Path)}__{Nearest(setting.Key, known)}?");

    /// <summary>The known name that a misspelt one was probably meant to be.</summary>
    public static string? Nearest(string name, IReadOnlyCollection<string> known) => known.MinBy(candidate => Distance(name, candidate));

    /// <summary>Adds a fault when a time span is outside its range.</summary>
    public static void CheckRange(this ICollection<string> faults, string setting, TimeSpan value, TimeSpan least, TimeSpan most)
    {
        if (value < least || value > most)
        {
            faults.Add($"{setting}: {value} is outside {least} to {most} (write hours:minutes:seconds, such as 00:00:08).");
        }
    }

    /// <summary>Adds a fault when a number is outside its range.</summary>
    public static void CheckRange(this ICollection<string> faults, string setting, int value, int least, int most, string why = "")
    {
        if (value < least || value > most)
        {
            faults.Add($"{setting}: {value} is outside {least} to {most}{why}.");
        }
    }

    // As environment variables are written.
    private static string Name(string path) => path.Replace(":", "__", StringComparison.Ordinal);

    // Levenshtein's distance, in any case.
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var same = char.ToUpperInvariant(left[i - 1]) == char.ToUpperInvariant(right[j - 1]);
                (diagonal, row[j]) = (row[j], Math.Min(diagonal + (same ? 0 : 1), 1 + Math.Min(row[j], row[j - 1])));
            }
        }

        return row[^1];
    }

    private sealed class KnownSettings<TOptions>(IConfigurationSection section, IReadOnlyCollection<string> known) : IValidateOptions<TOptions>
        where TOptions : class
    {
        public ValidateOptionsResult Validate(string? name, TOptions options) =>
            UnknownIn(section, known).ToArray() is { Length: > 0 } faults ? ValidateOptionsResult.Fail(faults) : ValidateOptionsResult.Success;
    }
}
