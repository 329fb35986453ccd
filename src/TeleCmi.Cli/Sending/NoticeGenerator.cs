using System.Globalization;
using System.Security.Cryptography;
using TeleCmi.Events.Samples;

namespace TeleCmi.Cli.Sending;

/// <summary>
/// Says what to send: the chosen notices in turn. Each round through them is a call of its own: its ids are new, those that
/// the samples share (both legs, the same conversation) stay shared, and the time is now.
/// </summary>
internal sealed class NoticeGenerator(IReadOnlyList<DocumentedNotice> notices, bool verbatim, TimeProvider clock)
{
    private readonly string _run = RandomNumberGenerator.GetHexString(32);

    /// <summary>The notice to send as number so-and-so, from 0.</summary>
    public DocumentedNotice NoticeOf(int number)
    {
        var (round, place) = Math.DivRem(number, notices.Count);
        return verbatim ? notices[place] : notices[place].Fresh(string.Create(CultureInfo.InvariantCulture, $"{_run}/{round}"), clock.GetUtcNow());
    }
}
