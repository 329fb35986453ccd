using System.Buffers;
using System.Text.Json;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;

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
        var app = call.AppId is { } appId ? IdempotencyKey.EncodePart(appId) : "-";
        var name = IdempotencyKey.EncodePart(call.Name);
        var id = $"{app}:call:{name}:{document.Revision}";
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

    /// <summary>A call as it is sent, yet without its revision.</summary>
    public static CallDocument DocumentOf(CallRecord call)
    {
        var document = CallDocument.Of(call);
        return document with { Events = [.. document.Events.Take(MostEvents)] };
    }
}
