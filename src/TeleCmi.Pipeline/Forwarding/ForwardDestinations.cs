using Microsoft.Extensions.Options;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>The destinations that the settings name.</summary>
public sealed class ForwardDestinations
{
    private readonly Dictionary<string, ForwardDestination> _byName;

    /// <summary>Makes them of the settings.</summary>
    /// <exception cref="OptionsValidationException">A setting is wrong.</exception>
    public ForwardDestinations(IOptions<ForwardOptions> options)
    {
        var policy = PolicyOf(options.Value);
        var faults = new List<string>();
        var destinations = new List<ForwardDestination>();
        foreach (var written in options.Value.Destinations)
        {
            if (ForwardDestination.TryCreate(written, policy, faults, out var destination))
            {
                destinations.Add(destination);
            }
        }

        // The validator has seen them all before.
        All = faults.Count == 0 ? destinations : throw new OptionsValidationException(nameof(ForwardOptions), typeof(ForwardOptions), faults);
        _byName = destinations.ToDictionary(destination => destination.Name, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>All of them, in the order of the settings.</summary>
    public IReadOnlyList<ForwardDestination> All { get; }

    /// <summary>The destination with that name, or null.</summary>
    public ForwardDestination? Find(string name) => _byName.GetValueOrDefault(name);

    internal static AddressPolicy PolicyOf(ForwardOptions options) =>
        AddressPolicy.TryParse(options.AllowedNetworks, out var policy, out var fault, options.AllowsThisMachine) ? policy : throw new ArgumentException(fault, nameof(options));
}
