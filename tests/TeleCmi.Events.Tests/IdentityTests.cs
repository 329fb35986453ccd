using System.Text.Json;
using TeleCmi.Events.Samples;

namespace TeleCmi.Events.Tests;

public sealed class IdentityTests
{
    private const string DocumentedId = "2223343:event:ccd826f9-67a4-4467-acfb-a53093ff5c9d:a:answered";

    [Fact]
    public void DocumentedSample_HasTheDocumentedId() =>
        Given.Notice(DocumentedNotices.OutgoingAnswered.Json).Id.ShouldBe(DocumentedId);

    [Fact]
    public void Legs_DifferInId() =>
        Given.Notice(DocumentedNotices.OutgoingAnsweredByCustomer.Json).Id.ShouldBe("2223343:event:81b3d612-3473-4ac3-ba6e-030ee508036f:b:answered");

    [Theory]
    [InlineData("\"status\":\"started\"")]
    [InlineData("\"status\":\"hangup\"")]
    [InlineData("\"leg\":\"b\"")]
    [InlineData("\"leg\":null")]
    [InlineData("\"type\":\"cdr\"")]
    [InlineData("\"app_id\":2223344")]
    [InlineData("\"cmiuuid\":\"ccd826f9\"")]
    public void AnyPart_MakesAnotherEvent(string member) => Given.Documented(member).Id.ShouldNotBe(DocumentedId);

    [Theory]
    [InlineData("\"time\":1")]
    [InlineData("\"user\":\"x\",\"call_id\":\"y\",\"conversation_uuid\":\"z\",\"request_id\":\"q\",\"to\":\"5\",\"custom\":\"w\"")]
    [InlineData("\"app_id\":\"2223343\"")]
    [InlineData("\"app_id\":null,\"appid\":2223343")]
    [InlineData("\"cmiuuid\":\"\",\"cmiuid\":\"ccd826f9-67a4-4467-acfb-a53093ff5c9d\"")]
    [InlineData("\"cmiuuid\":\"ccd826f9\\u002d67a4-4467-acfb-a53093ff5c9d\"")]
    [InlineData("\"unknown\":1")]
    [InlineData("\"status\":\"Answered\",\"leg\":\"A\",\"type\":\"EVENT\"")]
    [InlineData("\"status\":\" answered \",\"leg\":\"\\ta\\r\\n\",\"type\":\"event\\u00a0\"")]
    [InlineData("\"status\":\"\\u0041nswered\"")]
    [InlineData("\"app_id\":\" 2223343\"")]
    [InlineData("\"app_id\":2223343.0")]
    [InlineData("\"app_id\":\"2223343.00 \"")]
    [InlineData("\"app_id\":2.223343e6")]
    [InlineData("\"app_id\":\"2223343E0\"")]
    [InlineData("\"app_id\":\"null\",\"appid\":2223343")]
    [InlineData("\"app_id\":\" Undefined\",\"appid\":2223343")]
    [InlineData("\"cmiuuid\":\" \",\"cmiuid\":\"ccd826f9-67a4-4467-acfb-a53093ff5c9d\"")]
    public void TimeAndSpelling_MakeNoOtherEvent(string member) => Given.Documented(member).Id.ShouldBe(DocumentedId);

    [Theory]
    [InlineData("""{"app_id":1,"conversation_uuid":"c","request_id":"r","call_id":"i"}""", "1:-:conversation~c:-:-")]
    [InlineData("""{"app_id":1,"request_id":"r","call_id":"i"}""", "1:-:request~r:-:-")]
    [InlineData("""{"app_id":1,"call_id":"i"}""", "1:-:call~i:-:-")]
    [InlineData("""{"app_id":" ","type":"null","cmiuuid":"undefined","conversation_uuid":"NULL","request_id":" ","call_id":"i","leg":"\t","status":"\u006eull"}""", "-:-:call~i:-:-")]
    [InlineData("""{"cmiuuid":"u"}""", "-:-:u:-:-")]
    public void MissingParts_AreReplaced(string json, string expected) => Given.Notice(json).Id.ShouldBe(expected);

    [Fact]
    public void WithoutAnyLegId_TheContentIsTheIdentity()
    {
        var notice = Given.Notice("""{"app_id":1,"type":"event","time":1650635340436}""");

        notice.Id.ShouldBe($"1:event:body~{notice.ContentHash}:-:-");
        notice.Id.ShouldBe(Given.Form("time=1650635340436&type=event&app_id=1").Id);
        notice.Id.ShouldNotBe(Given.Notice("""{"app_id":1,"type":"event","time":1650635340437}""").Id);
    }

    [Theory]
    [InlineData("../../etc/passwd", "..%2F..%2Fetc%2Fpasswd")]
    [InlineData("a:b", "a%3Ab")]
    [InlineData("a|b#?\\", "a%7Cb%23%3F%5C")]
    [InlineData("line\r\nbreak\0", "line%0D%0Abreak%00")]
    [InlineData("100%", "100%25")]
    [InlineData("~", "%7E")]
    [InlineData("é😀", "%C3%A9%F0%9F%98%80")]
    [InlineData("<script>", "%3Cscript%3E")]
    [InlineData(" x", "%20x")]
    [InlineData("\u202E", "%E2%80%AE")]
    public void HostileId_IsEscaped(string cmiuuid, string escaped) =>
        Given.Documented($"\"cmiuuid\":{JsonSerializer.Serialize(cmiuuid)}").Id.ShouldBe($"2223343:event:{escaped}:a:answered");

    [Fact]
    public void ColonsInParts_CannotShiftThem() =>
        Given.Notice("""{"app_id":"1:event","cmiuuid":"u"}""").Id.ShouldNotBe(Given.Notice("""{"app_id":"1","type":"event:u","cmiuuid":"u"}""").Id);

    [Fact]
    public void DashAsAValue_IsNotAnAbsentPart() =>
        Given.Documented("\"leg\":\"-\"").Id.ShouldNotBe(Given.Documented("\"leg\":null").Id);

    [Fact]
    public void Escaping_KeepsDifferentPartsApart()
    {
        // Each of these would meet another one under a careless encoding.
        string[] parts =
        [
            "-", "%2D", "%", "%25", "~", "%7E", "a", "A", "", "a ", " a", "a+", "a%20", "é", "e\u0301", "%C3%A9",
            new('a', 80), new('a', 81), new('a', 82), new('%', 26), new('%', 27), "~" + new string('a', 43),
            IdempotencyKey.EncodePart(new string('a', 81)),
        ];

        parts.Select(IdempotencyKey.EncodePart).Distinct(StringComparer.Ordinal).Count().ShouldBe(parts.Length);
    }

    [Fact]
    public void LongIds_StayWithinTheBoundAndApart()
    {
        var longest = Given.Documented(Members(new string('é', 5000)));
        var other = Given.Documented(Members(new string('é', 5001)));

        longest.Id.Length.ShouldBeLessThanOrEqualTo(IdempotencyKey.MaxLength);
        longest.Id.ShouldMatch("^[A-Za-z0-9._~:%-]+$");
        longest.Id.ShouldNotBe(other.Id);

        static string Members(string text) => $"\"app_id\":\"{text}\",\"type\":\"{text}\",\"cmiuuid\":\"{text}\",\"leg\":\"{text}\",\"status\":\"{text}\"";
    }

    [Fact]
    public void PartsAtTheBound_FillTheKeyExactly()
    {
        var text = new string('x', IdempotencyKey.MaxPartLength);

        Given.Documented($"\"app_id\":\"{text}\",\"type\":\"{text}\",\"cmiuuid\":\"{text}\",\"leg\":\"{text}\",\"status\":\"{text}\"")
            .Id.ShouldBe(string.Join(':', Enumerable.Repeat(text, 5)));
    }

    [Theory]
    [InlineData("\"app_id\":2223343.5")]
    [InlineData("\"app_id\":\"02223343\"")]
    [InlineData("\"app_id\":\"2223343.0000000000000000000000000000001\"")]
    [InlineData("\"leg\":\"null\"")]
    [InlineData("\"cmiuuid\":\"CCD826F9-67a4-4467-acfb-a53093ff5c9d\"")]
    [InlineData("\"cmiuuid\":\"ccd826f9-67a4-4467-acfb-a53093ff5c9d \"")]
    public void OtherValue_IsNotTakenForASpelling(string member) => Given.Documented(member).Id.ShouldNotBe(DocumentedId);

    [Fact]
    public void DifferentIdFields_NeverShareAnId()
    {
        string[] fields = ["cmiuuid", "conversation_uuid", "request_id", "call_id"];
        string[] texts = ["x", "~x", "request~x", "conversation~x", "call~", "body~", new('x', 60), new('x', 70), new('x', 90), "é"];

        var ids = fields.SelectMany(field => texts.Select(text => Given.Notice($$"""{"app_id":1,"{{field}}":"{{text}}"}""").Id)).ToList();

        ids.ShouldBeUnique();
        ids.ShouldAllBe(id => id.Split(':', StringSplitOptions.None)[2].Length <= IdempotencyKey.MaxPartLength);
    }

    [Theory]
    [InlineData("""{"app_id":1,"conversation_uuid":"c","request_id":"r"}""", "1:c")]
    [InlineData("""{"app_id":" 1.0","conversation_uuid":"c"}""", "1:c")]
    [InlineData("""{"app_id":2,"conversation_uuid":"c"}""", "2:c")]
    [InlineData("""{"app_id":1,"conversation_uuid":"C/ü"}""", "1:C%2F%C3%BC")]
    [InlineData("""{"app_id":1,"conversation_uuid":"null","request_id":"c"}""", "1:request~c")]
    [InlineData("""{"conversation_uuid":"c"}""", "-:c")]
    [InlineData("""{"app_id":1,"cmiuuid":"c","call_id":"c"}""", null)]
    public void ConversationKey_NamesTheConversationOfItsApp(string json, string? expected) =>
        Given.Notice(json).ConversationKey.ShouldBe(expected);

    [Fact]
    public void EscapedPart_CanBeReadBack()
    {
        const string Text = "Ünïcode/with:all%kinds of\tthings";

        Uri.UnescapeDataString(IdempotencyKey.EncodePart(Text)).ShouldBe(Text);
        IdempotencyKey.EncodePart(Text).ShouldMatch("^[A-Za-z0-9._%-]+$");
    }
}
