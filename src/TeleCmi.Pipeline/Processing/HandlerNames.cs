using System.Text.RegularExpressions;

namespace TeleCmi.Pipeline.Processing;

/// <summary>A handler's name is part of a column's name in the journal.</summary>
internal static partial class HandlerNames
{
    public static void Check(IReadOnlyCollection<ICallEventHandler> handlers)
    {
        string[] names = [.. handlers.Select(handler => handler.Name)];
        foreach (var name in names)
        {
            if (!Name().IsMatch(name))
            {
                throw new InvalidOperationException($"The handler name '{name}' will not do: use a letter and then letters, digits or underscores, at most 64.");
            }
        }

        if (names.Distinct(StringComparer.OrdinalIgnoreCase).Count() < names.Length)
        {
            throw new InvalidOperationException($"Two handlers have the same name: {string.Join(", ", names)}.");
        }
    }

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_]{0,63}$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Name();
}
