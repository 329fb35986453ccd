using System.Buffers;
using System.Text;
using TeleCmi.Events;
using TeleCmi.Events.Samples;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Tests.Forwarding;

public sealed class ForwardMessageTests
{
    private static readonly DateTimeOffset QueuedAt = new(2026, 11, 20, 10, 0, 0, 123, TimeSpan.Zero);

    [Fact]
    public void Message_ComesBackAsItWas_WithTheEnvelopeByteForByte()
    {
        var envelope = Envelope(DocumentedNotices.OutgoingAnswered.Json.Replace("{\"call_id\"", "{ \"odd\" : \"<Zoë> \\u0041\", \"call_id\"", StringComparison.Ordinal));

        var message = Read(Message("crm", 3, 2, envelope).ToUtf8());

        message.Destination.ShouldBe("crm");
        message.Attempt.ShouldBe(3);
        message.Deferrals.ShouldBe(2);
        message.QueuedAt.ShouldBe(QueuedAt);
        message.Event.Envelope.ToArray().ShouldBe(envelope.ToArray());
        message.Attempts.ShouldBe([new(QueuedAt, 503, 12), new(QueuedAt, null, 5000)]);
        message.IsFromQueue.ShouldBeTrue();
        Read(message.ToUtf8()).Event.Envelope.ToArray().ShouldBe(envelope.ToArray());
    }

    [Fact]
    public void LargestEvent_FitsTheQueue()
    {
        var notice = $$"""{"app_id":1,"cmiuuid":"x","custom":"{{new string('x', TeleCmiOptions.LargestEventBytes - 40)}}"}""";
        var message = Message(new string('n', 40), int.MaxValue, int.MaxValue, Envelope(notice)) with
        {
            Attempts = [.. Enumerable.Repeat(new DeliveryAttempt(DateTimeOffset.MaxValue, int.MaxValue, long.MaxValue), 1000)],
        };
        message.ToUtf8().Length.ShouldBeLessThan(IMessageQueue.MaxMessageBytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"destination":1}""")]
    [InlineData("""{"destination":"crm","attempt":"1"}""")]
    [InlineData("""{"destination":"crm","attempt":99999999999}""")]
    [InlineData("""{"destination":"crm","attempt":1,"deferrals":0,"queuedAt":"2026-11-20T10:00:00Z","envelope":{}}""")]
    public void AnythingElse_IsNoMessage(string body) =>
        ForwardMessage.TryRead(Encoding.UTF8.GetBytes(body), out _, out _).ShouldBeFalse();

    [Fact]
    public void CheckOfACall_ComesBackAsItWas_AndAFreshEventHasNoAttempts()
    {
        var envelope = Envelope(DocumentedNotices.OutgoingAnswered.Json);

        Read((Message("crm", 1, 0, envelope) with { Check = "1:call:c" }).ToUtf8()).Check.ShouldBe("1:call:c");
        var fresh = Read((Message("crm", 1, 0, envelope) with { Attempts = [] }).ToUtf8());
        fresh.Check.ShouldBeNull();
        fresh.Attempts.ShouldBeEmpty();
        fresh.Attempt.ShouldBe(1);
        fresh.Deferrals.ShouldBe(0);
    }

    [Theory]
    [InlineData("\"destination\":\"crm\"", "\"destination\":\"\"")]
    [InlineData("\"destination\"", "\"to\"")]
    [InlineData("\"attempt\":1", "\"attempt\":0")]
    [InlineData("\"attempt\":1", "\"tries\":1")]
    [InlineData("\"deferrals\":0", "\"deferrals\":-1")]
    [InlineData("2026-11-20T10:00:00.123Z", "yesterday")]
    [InlineData("\"queuedAt\"", "\"at\"")]
    [InlineData("\"envelope\"", "\"event\"")]
    [InlineData("com.telecmi.", "com.example.")]
    public void MessageOfAnotherMaking_IsNoMessage(string part, string instead)
    {
        var message = Encoding.UTF8.GetString(Message("crm", 1, 0, Envelope(DocumentedNotices.OutgoingAnswered.Json)).ToUtf8().Span);
        message.ShouldContain(part);

        ForwardMessage.TryRead(Encoding.UTF8.GetBytes(message.Replace(part, instead, StringComparison.Ordinal)), out var read, out var fault).ShouldBeFalse();
        read.ShouldBeNull();
        fault.ShouldNotBeNullOrWhiteSpace();
    }

    [Fact]
    public void MessageOfALaterRelease_IsRead()
    {
        var message = Encoding.UTF8.GetString(Message("crm", 4, 0, Envelope(DocumentedNotices.OutgoingAnswered.Json)).ToUtf8().Span);

        Read(Encoding.UTF8.GetBytes("""{"added":{"attempt":[1]},""" + message[1..])).Attempt.ShouldBe(4);
    }

    private static ForwardMessage Message(string destination, int attempt, int deferrals, ReadOnlyMemory<byte> envelope) => new()
    {
        Destination = destination,
        Attempt = attempt,
        Deferrals = deferrals,
        QueuedAt = QueuedAt,
        Attempts = [new(QueuedAt, 503, 12), new(QueuedAt, null, 5000)],
        Event = EventEnvelope.TryReadAny(envelope, out var enveloped, out var fault) ? enveloped : throw new InvalidDataException(fault),
    };

    private static ForwardMessage Read(ReadOnlyMemory<byte> body) =>
        ForwardMessage.TryRead(body, out var message, out var fault) ? message : throw new InvalidDataException(fault);

    private static ReadOnlyMemory<byte> Envelope(string json)
    {
        Notice.TryRead(Encoding.UTF8.GetBytes(json), out var notice, out var fault).ShouldBeTrue(fault);
        var envelope = new ArrayBufferWriter<byte>();
        EventEnvelope.Write(envelope, notice, QueuedAt, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        return envelope.WrittenMemory;
    }
}
