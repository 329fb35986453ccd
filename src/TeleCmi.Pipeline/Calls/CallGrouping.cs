using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Calls;

/// <summary>
/// Finds out which notices belong to one call: by conversation; a notice without one by its leg, then by its click2call
/// request, which another notice of its leg may name. <c>call_id</c> never joins: it differs between a leg's events and its detail record. Applications never mix.
/// </summary>
internal sealed class CallGrouping : IDisposable
{
    private readonly Spool _spool = new();
    private readonly Lock _turn = new();
    private readonly Dictionary<CallKey, CallParts> _byConversation = [];
    private readonly Dictionary<CallKey, CallParts> _byLeg = [];
    private readonly List<CallPart> _withoutConversation = [];

    /// <summary>Adds notices, best in the order of their rows. Several can be added to at once.</summary>
    /// <exception cref="StorageException">They cannot be read, or there is no room for them.</exception>
    public async Task AddAsync(IAsyncEnumerable<CallNotice> notices)
    {
        await foreach (var part in CallPart.SpoolAsync(notices, _spool))
        {
            lock (_turn)
            {
                Add(part);
            }
        }
    }

    /// <summary>Every call. Asked for once: it joins what is left.</summary>
    /// <exception cref="StorageException">What was spooled cannot be read.</exception>
    public IReadOnlyCollection<CallParts> Calls()
    {
        // Few have a request and no known leg, as a rule: then nobody needs to look for requests.
        var unjoined = _withoutConversation.Where(part => WithLegOf(part) is null).Select(part => (Part: part, Request: FirstRequestOf(part))).ToList();
        var byRequest = unjoined.Exists(part => part.Request is not null) ? ConversationsByRequest() : [];
        _withoutConversation.ForEach(part => WithLegOf(part)?.Add(part));

        var requests = new Dictionary<CallKey, CallParts>();
        var legs = new Dictionary<CallKey, CallParts>();
        var requestOfLeg = unjoined.Where(part => part is { Part.Leg: not null, Request: not null })
            .GroupBy(part => new CallKey(part.Part.AppId, part.Part.LegOrNotice), part => part.Request)
            .ToDictionary(leg => leg.Key, FirstOf);
        foreach (var (part, ownRequest) in unjoined)
        {
            var request = part.Leg is { } leg ? requestOfLeg.GetValueOrDefault(new CallKey(part.AppId, leg)) : ownRequest;
            if (request is null)
            {
                AddTo(legs, part, part.LegOrNotice, CallName.Leg);
            }
            else if (new CompactId(request) is var name && byRequest.TryGetValue(new CallKey(part.AppId, name), out var ofRequest))
            {
                ofRequest.Add(part);
            }
            else
            {
                AddTo(requests, part, name, CallName.Request);
            }
        }

        CallParts[] calls = [.. _byConversation.Values, .. requests.Values, .. legs.Values];

        // Whoever reads the calls' notices now needs the room.
        Empty(_byConversation);
        Empty(_byLeg);
        _withoutConversation.Clear();
        _withoutConversation.TrimExcess();
        return calls;
    }

    /// <inheritdoc/>
    public void Dispose() => _spool.Dispose();

    private void Add(CallPart part)
    {
        if (part.ConversationId is not { } conversation)
        {
            _withoutConversation.Add(part);
            return;
        }

        var call = AddTo(_byConversation, part, conversation, CallName.Conversation);
        foreach (var leg in part.Legs)
        {
            Name(_byLeg, new CallKey(part.AppId, leg), call);
        }
    }

    // Of two conversations with one leg or one request the same has it, whichever comes first.
    private static void Name(Dictionary<CallKey, CallParts> calls, CallKey key, CallParts call)
    {
        if (!calls.TryGetValue(key, out var other) || string.CompareOrdinal(call.Id, other.Id) < 0)
        {
            calls[key] = call;
        }
    }

    private static void Empty(Dictionary<CallKey, CallParts> calls)
    {
        calls.Clear();
        calls.TrimExcess();
    }

    private CallParts? WithLegOf(CallPart part) => part.Leg is { } leg ? _byLeg.GetValueOrDefault(new CallKey(part.AppId, leg)) : null;

    private Dictionary<CallKey, CallParts> ConversationsByRequest()
    {
        var byRequest = new Dictionary<CallKey, CallParts>();
        foreach (var (conversation, call) in _byConversation)
        {
            foreach (var request in call.Notices.Select(notice => notice.RequestId).OfType<string>())
            {
                Name(byRequest, new CallKey(conversation.AppId, new CompactId(request)), call);
            }
        }

        return byRequest;
    }

    private string? FirstRequestOf(CallPart part) => FirstOf(PackedNotices.Unpack(_spool.Read(part.Place)).Select(notice => notice.RequestId));

    // There is one, unless somebody invents some; then the order of the notices must not matter.
    private static string? FirstOf(IEnumerable<string?> requests) => requests.Where(request => request is not null).Min(StringComparer.Ordinal);

    private CallParts AddTo(Dictionary<CallKey, CallParts> calls, CallPart part, CompactId id, CallName kind)
    {
        var key = new CallKey(part.AppId, id);
        if (!calls.TryGetValue(key, out var call))
        {
            calls.Add(key, call = new CallParts(part.AppId, id, kind, _spool));
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
internal sealed class CallParts(string? appId, CompactId name, CallName kind, Spool spool)
{
    private long[] _places = [];

    /// <summary>The call's id.</summary>
    public string Id => CallRecord.IdOf(appId, kind switch
    {
        CallName.Conversation => $"{name}",
        CallName.Request => CallRecord.NameOf($"{name}", leg: ""),
        _ => CallRecord.NameOf(request: null, $"{name}"),
    });

    /// <summary>When its first notice was received.</summary>
    public DateTimeOffset FirstReceivedAt { get; private set; } = DateTimeOffset.MaxValue;

    /// <summary>Its notices, from the spool.</summary>
    public IEnumerable<CallNotice> Notices => _places.SelectMany(place => PackedNotices.Unpack(spool.Read(place)));

    /// <summary>Adds notices.</summary>
    public void Add(CallPart part)
    {
        _places = [.. _places, part.Place];
        FirstReceivedAt = part.FirstReceivedAt < FirstReceivedAt ? part.FirstReceivedAt : FirstReceivedAt;
    }
}
