using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TeleCmi.Events;
using TeleCmi.Events.Samples;
using TeleCmi.Pipeline.Forwarding;

namespace TeleCmi.Pipeline.Tests.Forwarding;

/// <summary>Destinations as a host reads them from its settings, and documented events to ask them about.</summary>
internal static class DestinationsUnderTest
{
    /// <summary>Reads settings, each without <c>TeleCmi:</c>.</summary>
    /// <exception cref="OptionsValidationException">They would stop the app.</exception>
    public static ForwardDestinations Read(IEnumerable<(string Key, string Value)> settings)
    {
        using var services = new PipelineUnderTest(settings: [.. settings.Select(setting => ($"TeleCmi:{setting.Key}", setting.Value))]).Services;
        services.GetRequiredService<IStartupValidator>().Validate();
        return services.GetRequiredService<ForwardDestinations>();
    }

    public static CallEvent Event(string sample)
    {
        Notice.TryRead(DocumentedNotices.Load().Single(notice => notice.Name == sample).Utf8, out var notice, out _).ShouldBeTrue();
        return new CallEvent { Id = notice.Id, Kind = notice.Kind, ReceivedAt = default, Notice = notice, Envelope = default };
    }
}
