using System.Buffers;
using System.Globalization;
using System.Text.Json;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;

namespace TeleCmi.Pipeline.Reconciling;

/// <summary>
/// A detail record made of a report's record, because the original never came. It has the fields that the report and the journal
/// know, under the names that detail records have, and no others. Its id is the original's as far as it can be told, so that an
/// original that comes late is a duplicate or a variant of it.
/// </summary>
public sealed class ReconstructedNotice
{
    private const string CustomersLeg = "b";
    private const string AgentsLeg = "a";

    private readonly Notice _notice;
    private readonly Notice _original;
    private readonly DateTimeOffset _calledAt;

    private ReconstructedNotice(Notice notice, Notice original, DateTimeOffset calledAt) => (_notice, _original, _calledAt) = (notice, original, calledAt);

    /// <summary>The event's id.</summary>
    public string Id => _original.Id;

    /// <summary>What is known of the notice.</summary>
    public Notice Notice => _notice;

    /// <summary>Makes one.</summary>
    /// <param name="record">What the report has.</param>
    /// <param name="appId">The application whose report it is.</param>
    /// <param name="call">What the journal has of the call, if anything.</param>
    internal static ReconstructedNotice Of(ReportRecord record, string appId, CallRecord? call)
    {
        var (legId, leg) = LegOf(record, call);

        // The customer's leg decides an outgoing call, so that one is what the report tells of; but it does not say so.
        var original = Read(record, appId, legId, leg ?? (record.Report.Direction is CallDirection.Outgoing ? CustomersLeg : null), call);
        return new ReconstructedNotice(Read(record, appId, legId, leg, call), original, record.Time);
    }

    /// <summary>The envelope to queue.</summary>
    /// <param name="reconciledAt">Now.</param>
    public ReadOnlyMemory<byte> ToEnvelope(DateTimeOffset reconciledAt)
    {
        var envelope = new ArrayBufferWriter<byte>(_notice.Json.Length + EventEnvelope.MaxOverhead);
        EventEnvelope.WriteReconciled(envelope, _notice, _original, _calledAt, reconciledAt);
        return envelope.WrittenMemory;
    }

    // What the journal knows of the call's legs goes before the id of which it is not documented whose it is.
    private static (string? Id, string? Leg) LegOf(ReportRecord record, CallRecord? call)
    {
        if (record.Report.Direction is CallDirection.Incoming || call is null)
        {
            return (record.CmiUid, null);
        }

        if (call.Events.FirstOrDefault(notice => notice is { Leg: CustomersLeg, CmiUuid: not null }) is { } customers)
        {
            return (customers.CmiUuid, CustomersLeg);
        }

        var agents = call.Events.Where(notice => notice.Leg == AgentsLeg).ToArray();
        var isMissedByAgent = !record.Report.IsAnswered && agents.Any(notice => notice.CmiUuid == record.CmiUid)
            && !agents.Any(notice => notice.Kind is EventKind.OutgoingAnswered or EventKind.CdrOutgoingAnswered);
        return (record.CmiUid, isMissedByAgent ? AgentsLeg : null);
    }

    private static Notice Read(ReportRecord record, string appId, string? legId, string? leg, CallRecord? call)
    {
        var json = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, "cdr"u8);
            writer.WriteNumber("appid"u8, long.Parse(appId, CultureInfo.InvariantCulture));
            writer.WriteString("direction"u8, record.Report.Direction is CallDirection.Outgoing ? "outbound"u8 : "inbound"u8);
            writer.WriteString("status"u8, record.Report.IsAnswered ? "answered"u8 : "missed"u8);
            Write(writer, "leg", leg);
            Write(writer, "cmiuuid", legId);
            WriteCall(writer, legId, call);
            Write(writer, "user", record.Agent);
            Write(writer, "from", record.From);
            Write(writer, "to", record.To);
            writer.WriteNumber("time"u8, record.Time.ToUnixTimeMilliseconds());
            if (record is { Report.IsAnswered: true, BilledSeconds: { } seconds })
            {
                writer.WriteNumber("answeredsec"u8, seconds);
            }

            if (record.FileName is not null)
            {
                writer.WriteBoolean("record"u8, record.IsRecorded);
                writer.WriteString("filename"u8, record.FileName);
            }

            writer.WriteEndObject();
        }

        return Notice.TryRead(json.WrittenMemory, out var notice, out var fault) ? notice : throw new InvalidOperationException(fault);
    }

    // Only where the leg alone would not bring it to the call.
    private static void WriteCall(Utf8JsonWriter writer, string? legId, CallRecord? call)
    {
        if (call is null || call.Events.Any(notice => notice.CmiUuid == legId && (notice.ConversationId is not null || (call.ConversationId ?? call.RequestId) is null)))
        {
            return;
        }

        Write(writer, call.ConversationId is null ? "request_id" : "conversation_uuid", call.ConversationId ?? call.RequestId);
    }

    private static void Write(Utf8JsonWriter writer, string field, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(field, value);
        }
    }
}
