using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Calls;

/// <summary>
/// Notices of one call that stand together in the journal, by the names that calls are put together with. The notices themselves
/// are spooled, packed, and read again when the call's turn comes: a day has more of them than memory should hold.
/// </summary>
internal sealed class CallPart
{
    private readonly CompactId _subject;
    private readonly CallSubject _kind;

    private CallPart(List<CallNotice> notices, string? appId, Spool spool)
    {
        var first = notices.Find(notice => notice.ConversationId is not null) ?? notices[0];
        _kind = first.ConversationId is not null ? CallSubject.Conversation : first.CmiUuid is not null ? CallSubject.Leg : CallSubject.Notice;
        _subject = new CompactId(first.ConversationId ?? first.CmiUuid ?? first.Id);
        AppId = appId;
        Legs = _kind is CallSubject.Conversation ? LegsOf(notices) : [];
        FirstReceivedAt = notices.Min(notice => notice.ReceivedAt);
        Place = spool.Add(PackedNotices.Pack(notices));
    }

    private enum CallSubject
    {
        Conversation,
        Leg,
        Notice,
    }

    /// <summary>The application.</summary>
    public string? AppId { get; }

    /// <summary>The conversation; null when none of the notices names it.</summary>
    public CompactId? ConversationId => _kind is CallSubject.Conversation ? _subject : null;

    /// <summary>The legs that the notices of a conversation are of.</summary>
    public CompactId[] Legs { get; }

    /// <summary>The one leg that notices without a conversation are of, if they name one.</summary>
    public CompactId? Leg => _kind is CallSubject.Leg ? _subject : null;

    /// <summary>The leg, or without one the first notice.</summary>
    public CompactId LegOrNotice => _subject;

    /// <summary>When the first of the notices was received.</summary>
    public DateTimeOffset FirstReceivedAt { get; }

    /// <summary>Where the notices are in the spool, packed.</summary>
    public long Place { get; }

    /// <summary>Spools notices, best in the order of their rows: what follows each other and is one call becomes one part.</summary>
    public static async IAsyncEnumerable<CallPart> SpoolAsync(IAsyncEnumerable<CallNotice> notices, Spool spool)
    {
        var together = new List<CallNotice>();

        // There are few, and each is in many notices.
        string? app = null;
        await foreach (var notice in notices)
        {
            if (together.Count > 0 && !(app == notice.AppId && SubjectOf(together[0]) is { } subject && subject == SubjectOf(notice)))
            {
                foreach (var part in Split(together, app, spool))
                {
                    yield return part;
                }

                together.Clear();
            }

            app = app == notice.AppId ? app : notice.AppId;
            together.Add(notice);
        }

        foreach (var part in Split(together, app, spool))
        {
            yield return part;
        }
    }

    // What stands together is one call but for a leg that has the name of a conversation and is none of its legs.
    private static IEnumerable<CallPart> Split(List<CallNotice> together, string? app, Spool spool)
    {
        var named = together.FindAll(notice => notice.ConversationId is not null);
        if (named.Count == together.Count || named.Count == 0 || named.Exists(notice => notice.CmiUuid == notice.ConversationId))
        {
            return together.Count == 0 ? [] : [new CallPart(together, app, spool)];
        }

        return [new CallPart(named, app, spool), new CallPart(together.FindAll(notice => notice.ConversationId is null), app, spool)];
    }

    private static string? SubjectOf(CallNotice notice) => notice.ConversationId ?? notice.CmiUuid;

    private static CompactId[] LegsOf(List<CallNotice> notices) =>
        [.. notices.Select(notice => notice.CmiUuid).OfType<string>().Distinct(StringComparer.Ordinal).Select(leg => new CompactId(leg))];
}
