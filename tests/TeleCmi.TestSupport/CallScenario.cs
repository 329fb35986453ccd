using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using TeleCmi.Events;
using TeleCmi.Events.Samples;

namespace TeleCmi.TestSupport;

/// <summary>The notices of one call, made of the documented samples and shaped like live traffic: no detail record of an outgoing call names the conversation.</summary>
public sealed class CallScenario(DateTimeOffset start, string app = "2223343", string? conversation = null)
{
    private static readonly Dictionary<string, DocumentedNotice> Samples = DocumentedNotices.Load().ToDictionary(notice => notice.Name);

    private readonly string _request = Guid.NewGuid().ToString();
    private readonly List<CallEvent> _events = [];
    private int _seconds;

    public const string Customer = "442000000001";
    public const string Agent = "202_2222223";

    public string CustomerNumber { get; init; } = Customer;

    public string AgentName { get; init; } = Agent;

    public string Conversation { get; } = conversation ?? Guid.NewGuid().ToString();

    public string LegB { get; } = Guid.NewGuid().ToString();

    public string Id => $"{app}:call:{Conversation}";

    public string Request => _request;

    public IReadOnlyList<CallEvent> Events => _events;

    public DateTimeOffset At(int second) => start.AddSeconds(second);

    /// <summary>An event of an outgoing call.</summary>
    public CallScenario Outgoing(string status, string leg, params (string Field, JsonNode? Value)[] more) => Add(
        status == "started" ? "chub-event-outgoing-started-a" : $"chub-event-outgoing-{status}-{leg}",
        [("leg", leg), ("cmiuuid", leg == "a" ? Conversation : LegB), ("conversation_uuid", Conversation), ("request_id", _request), ("call_id", $"{leg}-event"), .. more]);

    /// <summary>A detail record of an outgoing call.</summary>
    public CallScenario OutgoingCdr(string status, string leg, params (string Field, JsonNode? Value)[] more) => Add(
        $"chub-cdr-outgoing-{(status == "answered" ? "answered" : "missed")}-{leg}",
        [("leg", leg), ("status", status), ("cmiuuid", leg == "a" ? Conversation : LegB), ("request_id", _request), ("call_id", $"{leg}-cdr"), .. more]);

    /// <summary>An event of the caller's leg of an incoming call.</summary>
    public CallScenario Incoming(string status, params (string Field, JsonNode? Value)[] more) => Add(
        $"chub-event-incoming-{(status is "waiting" or "answered" or "hangup" ? status : "waiting")}-a",
        [("status", status), ("cmiuuid", Conversation), ("conversation_uuid", Conversation), ("from", CustomerNumber), ("type", "event"), .. more]);

    /// <summary>An event of the agent's leg of an incoming call, as it comes live: outbound, without team, from, to, callerid and call_id.</summary>
    public CallScenario IncomingAgent(string status, string? leg = null, params (string Field, JsonNode? Value)[] more) => Add(
        "chub-event-incoming-answered-b",
        [("status", status), ("cmiuuid", leg ?? LegB), ("conversation_uuid", Conversation), ("team", null), ("from", null), .. more]);

    /// <summary>The detail record of an incoming call.</summary>
    public CallScenario IncomingCdr(string status, string? leg = null, params (string Field, JsonNode? Value)[] more) => Add(
        $"chub-cdr-incoming-{status}", [("cmiuuid", leg ?? LegB), ("conversation_uuid", Conversation), .. more]);

    /// <summary>Eight notices: the agent picks up, then the customer; they talk 6 s and it is recorded.</summary>
    public CallScenario Reached() => Outgoing("started", "a").Outgoing("answered", "a").Outgoing("started", "b").Outgoing("answered", "b")
        .Outgoing("hangup", "b").Outgoing("hangup", "a").OutgoingCdr("answered", "b").OutgoingCdr("answered", "a");

    private CallScenario Add(string sample, params (string Field, JsonNode? Value)[] changes)
    {
        var notice = JsonNode.Parse(Samples[sample].Json)!.AsObject();
        notice[notice.ContainsKey("appid") ? "appid" : "app_id"] = long.Parse(app, System.Globalization.CultureInfo.InvariantCulture);
        notice["time"] = start.ToUnixTimeMilliseconds();
        foreach (var (field, value) in notice.ToArray())
        {
            notice[field] = value?.ToString() switch { Customer => CustomerNumber, Agent => AgentName, _ => value?.DeepClone() };
        }

        foreach (var (field, value) in changes)
        {
            notice[field] = value?.DeepClone();
        }

        Notice.TryRead(Encoding.UTF8.GetBytes(notice.ToJsonString()), out var read, out var fault).ShouldBeTrue(fault);
        var envelope = new ArrayBufferWriter<byte>();
        EventEnvelope.Write(envelope, read!, At(_seconds++), traceParent: null);
        EventEnvelope.TryRead(envelope.WrittenMemory, out var callEvent, out fault).ShouldBeTrue(fault);
        _events.Add(callEvent!);
        return this;
    }
}
