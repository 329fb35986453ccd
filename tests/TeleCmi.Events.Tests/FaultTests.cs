using System.Text;
using TeleCmi.Events.Samples;

namespace TeleCmi.Events.Tests;

public sealed class FaultTests
{
    // Stands in every faulty input, and may stand in no message about it.
    private const string Marker = "Zq7x";

    public static TheoryData<string, byte[]> FaultyInputs => new()
    {
        { "no bytes", [] },
        { "white space", " \r\n"u8.ToArray() },
        { "no JSON", "Zq7x is not JSON"u8.ToArray() },
        { "a JavaScript literal", "{call_id: 'Zq7x', app_id: 2223343}"u8.ToArray() },
        { "an array", """[{"app_id":"Zq7x"}]"""u8.ToArray() },
        { "a text", "\"Zq7x\""u8.ToArray() },
        { "a number", "17"u8.ToArray() },
        { "null", "null"u8.ToArray() },
        { "half of a surrogate pair", """{"app_id":"Zq7x","custom":"\ud83d"}"""u8.ToArray() },
        { "the other half", """{"app_id":"Zq7x","custom":"\uDE00\ud83d"}"""u8.ToArray() },
        { "half of a pair in a name", """{"app_id":"Zq7x","\ud83d":1}"""u8.ToArray() },
        { "half of a pair deep inside", """{"app_id":"Zq7x","a":[{"b":"\ud83dx"}]}"""u8.ToArray() },
        { "invalid UTF-8", [.. """{"app_id":"Zq7x"""u8, 0xFF, .. "\"}"u8] },
        { "overlong UTF-8", [.. """{"app_id":"Zq7x"""u8, 0xC0, 0xAF, .. "\"}"u8] },
        { "UTF-16", Encoding.Unicode.GetBytes("""{"app_id":"Zq7x"}""") },
        { "too deep", Encoding.UTF8.GetBytes("""{"app_id":"Zq7x","a":""" + new string('[', Notice.MaxDepth) + new string(']', Notice.MaxDepth) + "}") },
        { "a thousand deep", Encoding.UTF8.GetBytes("""{"app_id":"Zq7x","a":""" + new string('[', 1000) + new string(']', 1000) + "}") },
        { "trailing garbage", """{"app_id":"Zq7x"} Zq7x"""u8.ToArray() },
        { "two objects", """{"app_id":"Zq7x"}{"app_id":"Zq7x"}"""u8.ToArray() },
        { "a trailing comma", """{"app_id":"Zq7x",}"""u8.ToArray() },
        { "a comment", """{"app_id":"Zq7x"/* Zq7x */}"""u8.ToArray() },
        { "a number with a leading zero", """{"app_id":"Zq7x","to":04471000000}"""u8.ToArray() },
        { "a raw control character", "{\"app_id\":\"Zq7x\n\"}"u8.ToArray() },
        { "two byte-order marks", "\uFEFF\uFEFF{\"app_id\":\"Zq7x\"}"u8.ToArray() },
        { "no notice", """{"name":"Zq7x"}"""u8.ToArray() },
        { "an empty object", "{}"u8.ToArray() },
        { "only ids that say nothing", """{"app_id":" ","cmiuuid":"null","request_id":"undefined","Zq7x":1}"""u8.ToArray() },
        { "only empty ids", """{"app_id":"","cmiuuid":null,"Zq7x":1}"""u8.ToArray() },
        { "a type without a status", """{"type":"event","direction":"outbound","Zq7x":1}"""u8.ToArray() },
    };

    [Theory]
    [MemberData(nameof(FaultyInputs))]
    public void FaultyInput_IsRefusedWithoutRepeatingIt(string what, byte[] input)
    {
        Notice.TryRead(input, out var notice, out var fault).ShouldBeFalse(what);

        notice.ShouldBeNull();
        fault.ShouldNotBeNullOrWhiteSpace();
        fault.ShouldNotContain(Marker);
        fault.ShouldEndWith(".");
    }

    [Fact]
    public void SyntaxFault_NamesThePlace()
    {
        Notice.TryRead("{\n \"app_id\": oops}"u8.ToArray(), out _, out var fault).ShouldBeFalse();

        fault.ShouldContain("line 2, byte 12");
    }

    [Fact]
    public void NoticeCutAnywhere_IsRefused()
    {
        var whole = DocumentedNotices.OutgoingAnswered.Utf8;

        for (var length = 0; length < whole.Length; length++)
        {
            Notice.TryRead(whole.AsMemory(0, length), out _, out var fault).ShouldBeFalse($"cut after {length} bytes");
            fault.ShouldNotBeNullOrWhiteSpace();
        }
    }

    [Fact]
    public void WholeSurrogatePair_IsRead() =>
        Given.Documented("""
            "user":"\ud83d\uDE00 \\ud83d"
            """).User.ShouldBe("😀 \\ud83d");
}
