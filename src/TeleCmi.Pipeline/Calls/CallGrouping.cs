namespace TeleCmi.Pipeline.Calls;

/// <summary>
/// Finds out which notices belong to one call: by conversation; a notice without one by its leg, then by its click2call
/// request, which another notice of its leg may name. <c>call_id</c> never joins: it differs between a leg's events and its detail record. Applications never mix.
/// </summary>
internal sealed class CallGrouping
{
    private readonly Dictionary<CallKey, CallParts> _byConversation = [];
    private readonly Dictionary<CallKey, CallParts> _byLeg = [];
    private readonly Dictionary<CallKey, CallParts> _byRequest = [];
    private readonly List<CallPart> _withoutConversation = [];

    /// <summary>Adds notices.</summary>
    public void Add(CallPart part)
    {
        if (part.ConversationId is not { } conversation)
        {
            _withoutConversation.Add(part);
            return;
        }

        var call = AddTo(_byConversation, part, conversation, CallName.Conversation);
        foreach (var leg in part.Legs)
        {
            _byLeg[new CallKey(part.AppId, leg)] = call;
        }

        foreach (var request in part.Requests)
        {
            _byRequest[new CallKey(part.AppId, request)] = call;
        }
    }

    /// <summary>Every call. Asked for once: it joins what is left.</summary>
    public IReadOnlyCollection<CallParts> Calls()
    {
        var unjoined = new List<CallPart>();
        foreach (var part in _withoutConversation)
        {
            if (part.Legs is [var leg] && _byLeg.TryGetValue(new CallKey(part.AppId, leg), out var ofLeg))
            {
                ofLeg.Add(part);
            }
            else
            {
                unjoined.Add(part);
            }
        }

        var requests = new Dictionary<CallKey, CallParts>();
        var legs = new Dictionary<CallKey, CallParts>();
        var requestOfLeg = unjoined.Where(part => part is { Legs: [_], Requests: [_, ..] })
            .GroupBy(part => new CallKey(part.AppId, part.Legs[0]))
            .ToDictionary(leg => leg.Key, leg => FirstOf(leg.SelectMany(part => part.Requests)));
        foreach (var part in unjoined)
        {
            var request = part.Legs is [var leg]
                ? requestOfLeg.TryGetValue(new CallKey(part.AppId, leg), out var ofLeg) ? ofLeg : null
                : FirstOf(part.Requests);
            if (request is not { } known)
            {
                AddTo(legs, part, part.Legs is [var alone] ? alone : part.FirstId!.Value, CallName.Leg);
            }
            else if (_byRequest.TryGetValue(new CallKey(part.AppId, known), out var ofRequest))
            {
                ofRequest.Add(part);
            }
            else
            {
                AddTo(requests, part, known, CallName.Request);
            }
        }

        return [.. _byConversation.Values, .. requests.Values, .. legs.Values];
    }

    // There is one, unless somebody invents some; then the order of the notices must not matter.
    private static CompactId? FirstOf(IEnumerable<CompactId> requests) =>
        requests.Select(request => (CompactId?)request).MinBy(request => $"{request}", StringComparer.Ordinal);

    private static CallParts AddTo(Dictionary<CallKey, CallParts> calls, CallPart part, CompactId id, CallName kind)
    {
        var key = new CallKey(part.AppId, id);
        if (!calls.TryGetValue(key, out var call))
        {
            calls.Add(key, call = new CallParts(part.AppId, id, kind));
        }

        call.Add(part);
        return call;
    }

    private readonly record struct CallKey(string? AppId, CompactId Name);
}

/// <summary>What a call is named after.</summary>
internal enum CallName
{
    /// <summary>Its conversation.</summary>
    Conversation,

    /// <summary>Its click2call request.</summary>
    Request,

    /// <summary>A leg, or without one a notice.</summary>
    Leg,
}

/// <summary>What the journal has of one call.</summary>
internal sealed class CallParts(string? appId, CompactId name, CallName kind)
{
    private readonly List<CallPart> _parts = new(capacity: 2);

    /// <summary>The call's id.</summary>
    public string Id => CallRecord.IdOf(appId, kind switch
    {
        CallName.Conversation => $"{name}",
        CallName.Request => CallRecord.NameOf($"{name}", leg: ""),
        _ => CallRecord.NameOf(request: null, $"{name}"),
    });

    /// <summary>When its first notice was received.</summary>
    public DateTimeOffset FirstReceivedAt { get; private set; } = DateTimeOffset.MaxValue;

    /// <summary>Its notices.</summary>
    public IEnumerable<CallNotice> Notices => _parts.SelectMany(part => part.Notices);

    /// <summary>Adds notices.</summary>
    public void Add(CallPart part)
    {
        _parts.Add(part);
        FirstReceivedAt = part.FirstReceivedAt < FirstReceivedAt ? part.FirstReceivedAt : FirstReceivedAt;
    }
}
