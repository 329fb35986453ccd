using System.Buffers;
using System.Text.Json;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>The CloudEvent that tells a destination how a call ended: <c>com.telecmi.call.completed</c>.</summary>
internal static class CompletedCall
{
    /// <summary>The type without its prefix.</summary>
    public const string Kind = "call.completed";

    /// <summary>The most events of a call that are listed, so that the largest fits a queue message.</summary>
    public const int MostEvents = 50;

    /// <summary>Writes it. The same record and revision give the same bytes.</summary>
    /// <param name="call">A call that is decided.</param>
    /// <param name="document">The same as it is sent.</param>
    /// <param name="traceParent">The trace of the notice because of which it is sent.</param>
    public static EnvelopedEvent Of(CallRecord call, CallDocument document, string? traceParent)
    {
        // Ids are opaque text from outside; in an envelope's attributes they stand as in every event's id.
        var (app, name) = Encoded(call.AppId, call.Id);
        var id = $"{IdOf(call)}:{document.Revision}";
        var output = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(output);
        writer.WriteStartObject();
        writer.WriteString("specversion"u8, "1.0");
        writer.WriteString("id"u8, id);
        writer.WriteString("source"u8, $"/telecmi/apps/{app}");
        writer.WriteString("type"u8, $"{EventEnvelope.TypePrefix}{Kind}");
        writer.WriteString("subject"u8, name);
        writer.WriteString("time"u8, document.EndedAt);
        if (traceParent is not null)
        {
            writer.WriteString("traceparent"u8, traceParent);
        }

        writer.WriteString("datacontenttype"u8, "application/json");
        writer.WritePropertyName("data"u8);
        JsonSerializer.Serialize(writer, document, CallJson.Default.CallDocument);
        writer.WriteEndObject();
        writer.Flush();
        return new EnvelopedEvent { Id = id, Kind = Kind, Time = call.EndedAt!.Value, Subject = name, OccurredAt = call.EndedAt.Value, TraceParent = traceParent, Envelope = output.WrittenMemory };
    }

    /// <summary>The id that every revision of the call begins with.</summary>
    public static string IdOf(CallRecord call) => IdOf(call.AppId, call.Id);

    /// <summary>The ids that revisions of the call can begin with, whichever was known when the first one was sent.</summary>
    public static IEnumerable<string> IdsOf(CallRecord call) => call.Ids.Select(id => IdOf(call.AppId, id));

    /// <summary>Whether a delivery is of a revision of this call, under whichever of its ids.</summary>
    public static bool IsOf(Delivery delivery, CallRecord call) => IdsOf(call).Contains(delivery.CallId, StringComparer.Ordinal);

    /// <summary>Where the deliveries of a call's revisions can stand: a notice that is the last one so far says when the call ended.</summary>
    public static IEnumerable<RowKey> KeysOf(CallRecord call) =>
        from id in call.Ids
        from day in call.Events.Select(notice => notice.ReceivedAt.UtcDateTime.Date).Distinct()
        select JournalKey.Of(new DateTimeOffset(day, TimeSpan.Zero), Encoded(call.AppId, id).Name, "");

    /// <summary>A call as it is sent, yet without its revision.</summary>
    public static CallDocument DocumentOf(CallRecord call)
    {
        var document = CallDocument.Of(call);
        return document with { Events = [.. document.Events.Take(MostEvents)] };
    }

    private static string IdOf(string? appId, string id)
    {
        var (app, name) = Encoded(appId, id);
        return $"{app}{CallRecord.IdSeparator}{name}";
    }

    private static (string App, string Name) Encoded(string? appId, string id) => (
        appId is null ? "-" : IdempotencyKey.EncodePart(appId),
        IdempotencyKey.EncodePart(id[CallRecord.IdOf(appId, "").Length..]));
}
