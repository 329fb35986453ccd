using System.Text;
using System.Text.Json;
using TeleCmi.Events.Samples;

namespace TeleCmi.Events.Tests;

public sealed class EnvelopeTests
{
    // Azure Storage Queue's limit of one message, which holds Base64.
    private const int MaxMessageBytes = 48 * 1024;

    private static readonly string DocumentedEnvelope =
        Encoding.UTF8.GetString(Given.Envelope(Given.Notice(DocumentedNotices.OutgoingAnswered.Json), Given.TraceParent));

    [Fact]
    public void Envelope_HasTheAttributesOfCloudEvents()
    {
        var envelope = Given.Json(DocumentedEnvelope);

        envelope.EnumerateObject().Where(attribute => attribute.Name != "data").Select(attribute => $"{attribute.Name}={attribute.Value.GetString()}").ShouldBe(
            [
                "specversion=1.0",
                "id=2223343:event:ccd826f9-67a4-4467-acfb-a53093ff5c9d:a:answered",
                "source=/telecmi/apps/2223343",
                "type=com.telecmi.outgoing.answered",
                "subject=ccd826f9-67a4-4467-acfb-a53093ff5c9d",
                "time=2026-11-23T10:11:12.345Z",
                "datacontenttype=application/json",
                $"traceparent={Given.TraceParent}",
            ],
            ignoreOrder: true);
        JsonElement.DeepEquals(envelope.GetProperty("data"), Given.Json(DocumentedNotices.OutgoingAnswered.Json)).ShouldBeTrue();
    }

    [Fact]
    public void Envelope_ReadsBackAsTheEventThatWasWritten()
    {
        var bytes = Encoding.UTF8.GetBytes(DocumentedEnvelope);

        EventEnvelope.TryRead(bytes, out var callEvent, out _).ShouldBeTrue();

        callEvent!.Id.ShouldBe("2223343:event:ccd826f9-67a4-4467-acfb-a53093ff5c9d:a:answered");
        callEvent.Kind.ShouldBe(EventKind.OutgoingAnswered);
        callEvent.ReceivedAt.ShouldBe(Given.ReceivedAt);
        callEvent.TraceParent.ShouldBe(Given.TraceParent);
        callEvent.Notice.AnsweredBy.ShouldBe(AnsweredBy.Agent);
        callEvent.Envelope.ToArray().ShouldBe(bytes);
    }

    [Fact]
    public void ReceiptInAnotherZone_IsWrittenAsUtc()
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();

        EventEnvelope.Write(output, Given.Notice("""{"app_id":1}"""), new DateTimeOffset(2026, 1, 1, 1, 2, 3, TimeSpan.FromHours(5.5)), null);

        Given.Json(output.WrittenMemory).GetProperty("time").GetString().ShouldBe("2025-12-31T19:32:03.000Z");
    }

    [Theory]
    [InlineData("""{"app_id":1,"conversation_uuid":"c","cmiuuid":"u"}""", "c")]
    [InlineData("""{"app_id":1,"cmiuuid":"u"}""", "u")]
    [InlineData("""{"app_id":1,"cmiuuid":7}""", "7")]
    [InlineData("""{"app_id":1,"cmiuuid":"a \"quoted\" id"}""", "a%20%22quoted%22%20id")]
    [InlineData("""{"app_id":1,"cmiuuid":"with a space & <more>"}""", "with a space & <more>")]
    [InlineData("""{"app_id":1,"conversation_uuid":"tab\tdel\u007f"}""", "tab%09del%7F")]
    [InlineData("""{"app_id":1,"conversation_uuid":"\uffff"}""", "%EF%BF%BF")]
    public void Subject_IsTheConversationElseTheLeg(string notice, string subject) =>
        Attribute(notice, "subject").GetString().ShouldBe(subject);

    [Theory]
    [InlineData(256, false)]
    [InlineData(257, true)]
    public void LongSubject_IsReplacedByItsHash(int length, bool isReplaced)
    {
        var text = new string('x', length);

        Attribute($$"""{"app_id":1,"conversation_uuid":"{{text}}"}""", "subject").GetString().ShouldBe(isReplaced ? IdempotencyKey.EncodePart(text) : text);
    }

    [Fact]
    public void ReconciledNotice_HasTheIdOfTheOneThatNeverCame_AndSaysWhatItIs()
    {
        var original = Given.Notice(DocumentedNotices.OutgoingAnswered.Json);
        var notice = Given.Documented("\"leg\":\"b\"");
        var output = new System.Buffers.ArrayBufferWriter<byte>();

        EventEnvelope.WriteReconciled(output, notice, original, Given.ReceivedAt, Given.ReceivedAt.AddDays(1));

        Given.Json(output.WrittenMemory).GetProperty("telecmireconciled").GetString().ShouldBe("2026-11-24T10:11:12.345Z");
        EventEnvelope.TryRead(output.WrittenMemory, out var callEvent, out var fault).ShouldBeTrue(fault);
        callEvent!.IsReconciled.ShouldBeTrue();
        callEvent.Id.ShouldBe(original.Id);
        callEvent.ReceivedAt.ShouldBe(Given.ReceivedAt);
        callEvent.TraceParent.ShouldBeNull();
        callEvent.Notice.Leg.ShouldBe("b");
        Given.ThroughEnvelope(original).IsReconciled.ShouldBeFalse();
    }

    [Fact]
    public void EnvelopeOfANotice_ReadAsAnyEnvelope_KnowsWhatTheNoticeSays()
    {
        var bytes = Encoding.UTF8.GetBytes(DocumentedEnvelope);

        EventEnvelope.TryReadAny(bytes, out var enveloped, out var fault).ShouldBeTrue(fault);

        enveloped!.Id.ShouldBe("2223343:event:ccd826f9-67a4-4467-acfb-a53093ff5c9d:a:answered");
        enveloped.Kind.ShouldBe("outgoing.answered");
        enveloped.Time.ShouldBe(Given.ReceivedAt);
        enveloped.OccurredAt.ShouldBe(DateTimeOffset.FromUnixTimeMilliseconds(1650635340436));
        enveloped.Subject.ShouldBe("ccd826f9-67a4-4467-acfb-a53093ff5c9d");
        enveloped.TraceParent.ShouldBe(Given.TraceParent);
        enveloped.Envelope.ToArray().ShouldBe(bytes);
    }

    [Theory]
    [InlineData(Given.TraceParent, Given.TraceParent)]
    [InlineData("no trace", null)]
    public void EnvelopeOfSomethingElse_ReadAsAnyEnvelope_KnowsItsAttributes(string traceParent, string? expected)
    {
        var bytes = Encoding.UTF8.GetBytes($$"""
            {"specversion":"1.0","id":"1:call:c","type":"com.telecmi.call.completed","time":"2026-11-23T11:11:12+01:00","subject":"c","traceparent":"{{traceParent}}","data":{"outcome":"reached"} }
            """);

        EventEnvelope.TryRead(bytes, out _, out _).ShouldBeFalse();
        EventEnvelope.TryReadAny(bytes, out var enveloped, out var fault).ShouldBeTrue(fault);

        enveloped!.Id.ShouldBe("1:call:c");
        enveloped.Kind.ShouldBe("call.completed");
        enveloped.Time.ShouldBe(new DateTimeOffset(2026, 11, 23, 10, 11, 12, TimeSpan.Zero));
        enveloped.Time.Offset.ShouldBe(TimeSpan.Zero);
        enveloped.OccurredAt.ShouldBe(enveloped.Time);
        enveloped.Subject.ShouldBe("c");
        enveloped.TraceParent.ShouldBe(expected);
        enveloped.Envelope.ToArray().ShouldBe(bytes);
    }

    [Fact]
    public void WhatIsNoEnvelopeOfThisApp_IsNoneOfAnyKind()
    {
        EventEnvelope.TryReadAny("""{"specversion":"1.0","id":"1:call:c","type":"com.example.call","time":"2026-11-23T11:11:12Z","data":{}}"""u8.ToArray(), out var enveloped, out var fault).ShouldBeFalse();
        enveloped.ShouldBeNull();
        fault.ShouldNotBeNullOrWhiteSpace();
    }

    [Fact]
    public void AbsentAttributes_AreLeftOut()
    {
        var envelope = Given.Json(Given.Envelope(Given.Notice("""{"app_id":1}""")));

        envelope.TryGetProperty("subject", out _).ShouldBeFalse();
        envelope.TryGetProperty("traceparent", out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("""{"cmiuuid":"u"}""", "/telecmi/apps/-")]
    [InlineData("""{"app_id":"a/b?c d#","cmiuuid":"u"}""", "/telecmi/apps/a%2Fb%3Fc%20d%23")]
    public void Source_IsAUriReferenceWhateverTheAppId(string notice, string source)
    {
        Attribute(notice, "source").GetString().ShouldBe(source);
        Uri.IsWellFormedUriString(source, UriKind.Relative).ShouldBeTrue();
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a trace")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n")]
    [InlineData("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-and-more-of-it")]
    [InlineData("00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01")]
    [InlineData("0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    [InlineData("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333G-01")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0F")]
    public void WhatIsNoTraceParent_IsLeftOut(string traceParent) =>
        Given.ThroughEnvelope(Given.Notice("""{"app_id":1}"""), traceParent).TraceParent.ShouldBeNull();

    [Theory]
    [InlineData('x')]
    [InlineData('\u0001')]
    [InlineData('"')]
    [InlineData('é')]
    [InlineData('\u200b')]
    public void Overhead_StaysBelowItsBound(char filler)
    {
        // Every text of the notice that the envelope repeats, as long as it can be and with the dearest escapes.
        foreach (var length in (int[])[1, 42, 80, 85, 128, 255, 256, 257, 900])
        {
            var text = JsonEncodedText.Encode(new string(filler, length));
            var notice = Given.Notice($$"""{"app_id":"{{text}}","type":"{{text}}","cmiuuid":"{{text}}","conversation_uuid":"{{text}}","leg":"{{text}}","status":"{{text}}"}""");

            var overhead = Given.Envelope(notice, new string('0', 100_000)).Length - notice.Json.Length;

            overhead.ShouldBeLessThanOrEqualTo(EventEnvelope.MaxOverhead);
        }
    }

    [Fact]
    public void LargestNotice_FitsOneQueueMessage()
    {
        const int LargestNotice = 24 * 1024;
        var padding = LargestNotice - """{"app_id":1,"custom":""}""".Length;
        var notice = Given.Notice($$"""{"app_id":1,"custom":"{{new string('x', padding)}}"}""");
        notice.Json.Length.ShouldBe(LargestNotice);

        Convert.ToBase64String(Given.Envelope(notice, Given.TraceParent)).Length.ShouldBeLessThan(MaxMessageBytes);

        ((LargestNotice + EventEnvelope.MaxOverhead + 2) / 3 * 4).ShouldBeLessThan(MaxMessageBytes);
    }

    [Fact]
    public void DeepestNotice_ReadsBack()
    {
        var nesting = Notice.MaxDepth - 1;
        var notice = Given.Notice($$"""{"app_id":1,"deep":{{new string('[', nesting)}}{{new string(']', nesting)}}}""");

        Given.ThroughEnvelope(notice).Notice.ContentHash.ShouldBe(notice.ContentHash);
    }

    [Fact]
    public void EnvelopeWithAttributesOfALaterRelease_IsRead()
    {
        var later = Encoding.UTF8.GetBytes("""{"added":{"in":[1]},""" + DocumentedEnvelope[1..]);

        EventEnvelope.TryRead(later, out var callEvent, out _).ShouldBeTrue();

        callEvent!.Id.ShouldBe("2223343:event:ccd826f9-67a4-4467-acfb-a53093ff5c9d:a:answered");
    }

    [Theory]
    [InlineData("\"1.0\"", "\"0.3\"")]
    [InlineData("\"1.0\"", "1.0")]
    [InlineData("\"1.0\"", "null")]
    [InlineData("\"1.0\"", "\"\\ud800\"")]
    [InlineData("specversion", "spec")]
    [InlineData("\"id\":\"2223343", "\"id\":\"../../2223343")]
    [InlineData("\"id\":\"2223343", "\"id\":\"a\\nb")]
    [InlineData("\"id\":\"2223343", "\"id\":\"\",\"was\":\"")]
    [InlineData("\"id\":\"2223343", "\"id\":{},\"was\":\"")]
    [InlineData("\"id\":", "\"identity\":")]
    [InlineData("com.telecmi.", "com.example.")]
    [InlineData("com.telecmi.outgoing.answered", "com.telecmi.outgoing")]
    [InlineData("com.telecmi.outgoing.answered", "outgoing.answered")]
    [InlineData("2026-11-23T10:11:12.345Z", "yesterday")]
    [InlineData("\"2026-11-23T10:11:12.345Z\"", "17")]
    [InlineData("\"time\":\"2026", "\"moment\":\"2026")]
    [InlineData("\"data\":", "\"payload\":")]
    [InlineData("\"data\":", "\"data\":[],\"was\":")]
    [InlineData("\"data\":", "\"data\":null,\"was\":")]
    [InlineData("\"data\":", "\"data\":{},\"was\":")]
    [InlineData("\"data\":", "\"data\":\"{}\",\"was\":")]
    public void ForeignEnvelope_IsRefused(string part, string instead)
    {
        var place = DocumentedEnvelope.IndexOf(part, StringComparison.Ordinal);
        place.ShouldBeGreaterThan(0);
        // The attributes are looked for before data, whose fields have some of the same names.
        if (part == "\"data\":")
        {
            place = DocumentedEnvelope.LastIndexOf(part, StringComparison.Ordinal);
        }

        var foreign = Encoding.UTF8.GetBytes(DocumentedEnvelope[..place] + instead + DocumentedEnvelope[(place + part.Length)..]);

        EventEnvelope.TryRead(foreign, out var callEvent, out var fault).ShouldBeFalse();
        callEvent.ShouldBeNull();
        fault.ShouldNotBeNullOrEmpty();
        fault.ShouldNotContain("ccd826f9");
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("{}")]
    [InlineData("AAECAwQ=")]
    [InlineData("{\"specversion\"")]
    [InlineData("{\"data\":")]
    public void WhatIsNoEnvelope_IsRefused(string message) =>
        EventEnvelope.TryRead(Encoding.UTF8.GetBytes(message), out _, out _).ShouldBeFalse();

    [Fact]
    public void EnvelopeCutAnywhere_IsRefused()
    {
        var whole = Encoding.UTF8.GetBytes(DocumentedEnvelope);

        for (var length = 0; length < whole.Length; length++)
        {
            EventEnvelope.TryRead(whole.AsMemory(0, length), out _, out _).ShouldBeFalse($"cut after {length} bytes");
        }
    }

    [Theory]
    [InlineData("}")]
    [InlineData("{}")]
    [InlineData(" x")]
    [InlineData("\0")]
    public void EnvelopeWithSomethingBehind_IsRefused(string behind) =>
        EventEnvelope.TryRead(Encoding.UTF8.GetBytes(DocumentedEnvelope + behind), out _, out _).ShouldBeFalse();

    [Fact]
    public void EnvelopeThatIsNotUtf8_IsRefused()
    {
        var damaged = Encoding.UTF8.GetBytes(DocumentedEnvelope);
        damaged[DocumentedEnvelope.IndexOf("ccd826f9", DocumentedEnvelope.IndexOf("subject", StringComparison.Ordinal), StringComparison.Ordinal)] = 0xFF;

        EventEnvelope.TryRead(damaged, out _, out _).ShouldBeFalse();
    }

    private static JsonElement Attribute(string notice, string name) =>
        Given.Json(Given.Envelope(Given.Notice(notice))).GetProperty(name);
}
