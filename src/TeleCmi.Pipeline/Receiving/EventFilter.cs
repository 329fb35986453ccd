using Microsoft.Extensions.Options;
using TeleCmi.Events;

namespace TeleCmi.Pipeline.Receiving;

/// <summary>Which notices the settings accept.</summary>
public sealed class EventFilter(IOptions<TeleCmiOptions> options)
{
    private readonly TeleCmiOptions _options = options.Value;
    private readonly HashSet<string> _appIds = new(options.Value.AppIds, StringComparer.OrdinalIgnoreCase);

    /// <summary>Why a notice is not accepted.</summary>
    /// <returns><see cref="WebhookCase.UnknownApp"/>, <see cref="WebhookCase.Ignored"/>, or null: it is accepted.</returns>
    public WebhookCase? RefusalOf(Notice notice) =>
        _appIds.Count > 0 && !(notice.AppIdText is { } appId && _appIds.Contains(appId)) ? WebhookCase.UnknownApp
        : _options.Accepts(notice.Kind) ? null
        : WebhookCase.Ignored;
}
