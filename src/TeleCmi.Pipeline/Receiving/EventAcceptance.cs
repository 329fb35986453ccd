using Microsoft.Extensions.Options;
using TeleCmi.Events;

namespace TeleCmi.Pipeline.Receiving;

/// <summary>Which notices the settings let in.</summary>
internal sealed class EventAcceptance(IOptions<TeleCmiOptions> options)
{
    private readonly bool[] _isWanted = WantedKinds(options.Value.AcceptedEvents);
    private readonly HashSet<string> _appIds = [.. TeleCmiOptions.Split(options.Value.AppIds)];

    public bool IsServed(Notice notice) => _appIds.Count == 0 || (notice.AppIdText is { } appId && _appIds.Contains(appId));

    public bool IsWanted(EventKind kind) => _isWanted[(int)kind];

    private static bool[] WantedKinds(string setting)
    {
        var names = TeleCmiOptions.Split(setting);
        var isWanted = new bool[EventKinds.All.Count];
        foreach (var kind in EventKinds.All)
        {
            isWanted[(int)kind] = names.Contains("*") || names.Contains(kind.Name());
        }

        return isWanted;
    }
}
