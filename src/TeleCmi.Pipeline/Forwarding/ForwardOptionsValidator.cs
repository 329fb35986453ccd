using Microsoft.Extensions.Options;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>Stops the app at start when a destination's setting is wrong.</summary>
internal sealed class ForwardOptionsValidator : IValidateOptions<ForwardOptions>
{
    public ValidateOptionsResult Validate(string? name, ForwardOptions options)
    {
        List<string> faults = [.. options.Unknown.Select(setting => $"{setting}: there is no such setting.")];
        if (!AddressPolicy.TryParse(options.AllowedNetworks, out var policy, out var fault))
        {
            faults.Add($"{ForwardOptions.AllowedNetworksSetting}: '{fault}' is not a network. Write such as 10.20.0.0/16, fd00:1::/64 or {AddressPolicy.Loopback}, comma-separated.");
            return ValidateOptionsResult.Fail(faults);
        }

        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var written in options.Destinations)
        {
            if (ForwardDestination.TryCreate(written, policy, faults, out var destination) && !names.Add(destination.Name))
            {
                faults.Add($"{written.Setting}{nameof(written.Name)}: another destination is called '{destination.Name}' too; give each its own name.");
            }
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
