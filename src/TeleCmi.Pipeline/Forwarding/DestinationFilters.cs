using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>What each destination of the settings gets. Their addresses and secrets are not needed, and not checked: an operator's tool has no use for them.</summary>
public sealed class DestinationFilters
{
    /// <summary>Reads them.</summary>
    /// <exception cref="OptionsValidationException">A setting is wrong.</exception>
    public DestinationFilters(IConfiguration configuration)
    {
        var options = new ForwardOptions();
        options.ReadFrom(configuration);
        List<string> faults = [.. options.Faults];
        var filters = new List<DestinationFilter>();
        foreach (var written in options.Written.Where(written => !written.IsBlank || !string.IsNullOrWhiteSpace(written.Name)))
        {
            if (DestinationFilter.TryCreate(written, faults, out var filter))
            {
                filters.Add(filter);
            }
        }

        All = faults.Count == 0 ? filters : throw new OptionsValidationException(nameof(ForwardOptions), typeof(ForwardOptions), faults);
    }

    /// <summary>All of them, in the order of the settings.</summary>
    public IReadOnlyList<DestinationFilter> All { get; }

    /// <summary>The filter of the destination with that name, or null.</summary>
    public DestinationFilter? Find(string name) => All.FirstOrDefault(filter => filter.Destination.Equals(name, StringComparison.OrdinalIgnoreCase));
}
