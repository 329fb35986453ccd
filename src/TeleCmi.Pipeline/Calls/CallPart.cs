namespace TeleCmi.Pipeline.Calls;

/// <summary>
/// Notices of one call that stand together in the journal, packed: a day's are held while calls are put together, and a call's
/// notices say mostly the same. What one notice says is written once, and read again when the call's turn comes.
/// </summary>
internal sealed class CallPart
{
    private readonly byte[] _packed;

    private CallPart(IReadOnlyList<CallNotice> notices, string? appId)
    {
        AppId = appId;
        ConversationId = notices.Select(notice => notice.ConversationId).FirstOrDefault(conversation => conversation is not null) is { } id ? new CompactId(id) : null;
        Legs = NamesOf(notices, notice => notice.CmiUuid);
        Requests = NamesOf(notices, notice => notice.RequestId);
        FirstId = Legs.Length == 0 && Requests.Length == 0 ? new CompactId(notices[0].Id) : null;
        FirstReceivedAt = notices.Min(notice => notice.ReceivedAt);
        _packed = PackedNotices.Pack(notices);
    }

    /// <summary>The application.</summary>
    public string? AppId { get; }

    /// <summary>The conversation; null when none of the notices names it.</summary>
    public CompactId? ConversationId { get; }

    /// <summary>The legs that the notices are of.</summary>
    public CompactId[] Legs { get; }

    /// <summary>The click2call requests that the notices name; one, unless somebody invents some.</summary>
    public CompactId[] Requests { get; }

    /// <summary>The first notice's id, where there is no other name.</summary>
    public CompactId? FirstId { get; }

    /// <summary>When the first of the notices was received.</summary>
    public DateTimeOffset FirstReceivedAt { get; }

    /// <summary>The notices as they were.</summary>
    public IEnumerable<CallNotice> Notices => PackedNotices.Unpack(_packed);

    /// <summary>Packs notices, best in the order of their rows: what follows each other and is one call becomes one part.</summary>
    public static async IAsyncEnumerable<CallPart> PackAsync(IAsyncEnumerable<CallNotice> notices)
    {
        var together = new List<CallNotice>();

        // There are few, and each is in many notices.
        string? app = null;
        await foreach (var notice in notices)
        {
            if (together.Count > 0 && !(app == notice.AppId && SubjectOf(together[0]) is { } subject && subject == SubjectOf(notice)))
            {
                foreach (var part in Split(together, app))
                {
                    yield return part;
                }

                together.Clear();
            }

            app = app == notice.AppId ? app : notice.AppId;
            together.Add(notice);
        }

        foreach (var part in Split(together, app))
        {
            yield return part;
        }
    }

    /// <summary>Packs one notice.</summary>
    public static CallPart Of(CallNotice notice) => new([notice], notice.AppId);

    // What stands together is one call but for a leg that has the name of a conversation and is none of its legs.
    private static IEnumerable<CallPart> Split(List<CallNotice> together, string? app)
    {
        var named = together.FindAll(notice => notice.ConversationId is not null);
        if (named.Count == together.Count || named.Count == 0 || named.Exists(notice => notice.CmiUuid == notice.ConversationId))
        {
            return together.Count == 0 ? [] : [new CallPart(together, app)];
        }

        return [new CallPart(named, app), new CallPart(together.FindAll(notice => notice.ConversationId is null), app)];
    }

    private static string? SubjectOf(CallNotice notice) => notice.ConversationId ?? notice.CmiUuid;

    private static CompactId[] NamesOf(IReadOnlyList<CallNotice> notices, Func<CallNotice, string?> name) =>
        [.. notices.Select(name).OfType<string>().Distinct(StringComparer.Ordinal).Select(id => new CompactId(id))];
}
