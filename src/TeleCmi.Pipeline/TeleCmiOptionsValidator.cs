using System.Buffers;
using Microsoft.Extensions.Options;
using TeleCmi.Events;

namespace TeleCmi.Pipeline;

/// <summary>Stops the app at start when a setting is wrong, with a message that names it and says what to write.</summary>
internal sealed class TeleCmiOptionsValidator : IValidateOptions<TeleCmiOptions>
{
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

    public ValidateOptionsResult Validate(string? name, TeleCmiOptions options)
    {
        var faults = new List<string>();
        foreach (var token in TeleCmiOptions.Split(options.AccessTokens))
        {
            if (token.Length < TeleCmiOptions.ShortestAccessToken || token.AsSpan().ContainsAnyExcept(TokenCharacters))
            {
                faults.Add($"TeleCmi__AccessTokens: each token needs at least {TeleCmiOptions.ShortestAccessToken} characters, only A-Z a-z 0-9 - . _ ~ (they stand in a URL).");
                break;
            }
        }

        foreach (var kind in TeleCmiOptions.Split(options.AcceptedEvents))
        {
            if (kind != "*" && !EventKinds.TryParse(kind, out _))
            {
                faults.Add($"TeleCmi__AcceptedEvents: '{kind}' is not a kind of event. Use * or some of: {string.Join(", ", EventKinds.All.Select(known => known.Name()))}.");
            }
        }

        if (TeleCmiOptions.Split(options.AcceptedEvents).Length == 0)
        {
            faults.Add("TeleCmi__AcceptedEvents: name at least one kind of event, or * for all.");
        }

        if (options.MaxEventBytes is < 1024 or > TeleCmiOptions.LargestEventBytes)
        {
            faults.Add($"TeleCmi__MaxEventBytes: {options.MaxEventBytes} is outside 1024 to {TeleCmiOptions.LargestEventBytes} (what fits a queue message).");
        }

        CheckSpan(faults, "TeleCmi__EnqueueDeadline", options.EnqueueDeadline, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        CheckSpan(faults, "TeleCmi__HandlerDeadline", options.HandlerDeadline, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static void CheckSpan(List<string> faults, string setting, TimeSpan value, TimeSpan least, TimeSpan most)
    {
        if (value < least || value > most)
        {
            faults.Add($"{setting}: {value} is outside {least} to {most} (write hours:minutes:seconds, such as 00:00:08).");
        }
    }
}
