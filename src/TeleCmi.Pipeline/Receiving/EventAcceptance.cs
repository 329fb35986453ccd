using Microsoft.Extensions.Options;
using TeleCmi.Events;

namespace TeleCmi.Pipeline.Receiving;

/// <summary>Which notices the settings let in.</summary>
internal sealed class EventAcceptance(IOptions<TeleCmiOptions> options)
{
    private readonly HashSet<EventKind> _kinds = KindsOf(options.Value.AcceptedEvents);
    private readonly HashSet<string> _appIds = [.. TeleCmiOptions.Split(options.Value.AppIds)];

    public bool IsServed(Notice notice) => _appIds.Count == 0 || (notice.AppIdText is { } appId && _appIds.Contains(appId));

    public bool IsWanted(EventKind kind) => _kinds.Contains(kind);

    private static HashSet<EventKind> KindsOf(string setting)
    {
        var names = TeleCmiOptions.Split(setting);
        return [.. EventKinds.All.Where(kind => names.Contains("*") || names.Contains(kind.Name()))];
    }
}
