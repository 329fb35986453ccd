namespace TeleCmi.Pipeline.Calls;

/// <summary>
/// Finds out which notices belong to one call: by conversation; a notice without one by its leg, then by its click2call
/// request, which another notice of its leg may name. <c>call_id</c> never joins: it differs between a leg's events and its detail record. Applications never mix.
/// </summary>
internal sealed class CallGrouping
{
    private readonly Dictionary<CallKey, List<CallNotice>> _byConversation = [];
    private readonly Dictionary<CallKey, CallKey> _conversationOfLeg = [];
    private readonly Dictionary<CallKey, CallKey> _conversationOfRequest = [];
    private readonly List<CallNotice> _withoutConversation = [];

    /// <summary>Adds a notice.</summary>
    public void Add(CallNotice notice)
    {
        if (notice.ConversationId is not { } conversation)
        {
            _withoutConversation.Add(notice);
            return;
        }

        var key = new CallKey(notice.AppId, conversation);
        AddTo(_byConversation, key, notice);
        if (notice.CmiUuid is { } leg)
        {
            _conversationOfLeg[key with { Name = leg }] = key;
        }

        if (notice.RequestId is { } request)
        {
            _conversationOfRequest[key with { Name = request }] = key;
        }
    }

    /// <summary>Every call: its id and its notices.</summary>
    public IEnumerable<(string Id, IReadOnlyList<CallNotice> Notices)> Calls()
    {
        var joined = _byConversation.ToDictionary(call => call.Key, call => new List<CallNotice>(call.Value));
        var requests = new Dictionary<CallKey, List<CallNotice>>();
        var legs = new Dictionary<CallKey, List<CallNotice>>();
        var requestOfLeg = _withoutConversation.Where(notice => notice is { CmiUuid: not null, RequestId: not null })
            .GroupBy(notice => new CallKey(notice.AppId, notice.CmiUuid!))
            .ToDictionary(leg => leg.Key, leg => leg.First().RequestId);
        foreach (var notice in _withoutConversation)
        {
            if (notice.CmiUuid is { } leg && _conversationOfLeg.TryGetValue(new CallKey(notice.AppId, leg), out var ofLeg))
            {
                joined[ofLeg].Add(notice);
            }
            else if ((notice.RequestId ?? requestOfLeg.GetValueOrDefault(new CallKey(notice.AppId, notice.CmiUuid ?? ""))) is { } request)
            {
                var key = new CallKey(notice.AppId, request);
                if (_conversationOfRequest.TryGetValue(key, out var ofRequest))
                {
                    joined[ofRequest].Add(notice);
                }
                else
                {
                    AddTo(requests, key, notice);
                }
            }
            else
            {
                AddTo(legs, new CallKey(notice.AppId, notice.CmiUuid ?? notice.Id), notice);
            }
        }

        return [.. Named(joined, ""), .. Named(requests, "request~"), .. Named(legs, "unjoined~")];
    }

    private static IEnumerable<(string Id, IReadOnlyList<CallNotice> Notices)> Named(Dictionary<CallKey, List<CallNotice>> calls, string prefix) =>
        calls.Select(call => ($"{call.Key.AppId ?? "-"}{CallRecord.IdSeparator}{prefix}{call.Key.Name}", (IReadOnlyList<CallNotice>)call.Value));

    private static void AddTo(Dictionary<CallKey, List<CallNotice>> calls, CallKey key, CallNotice notice)
    {
        if (!calls.TryGetValue(key, out var notices))
        {
            calls[key] = notices = [];
        }

        notices.Add(notice);
    }

    private readonly record struct CallKey(string? AppId, string Name);
}
