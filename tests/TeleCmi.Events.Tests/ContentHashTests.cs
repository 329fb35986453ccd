namespace TeleCmi.Events.Tests;

public sealed class ContentHashTests
{
    private const string Documented = """{"app_id":1,"cmiuuid":"u","time":1650635340000,"record":true,"custom":"{\"a\":1,\"b\":[true,null]}","extra_params":"none","to":"5"}""";

    [Theory]
    [InlineData("""{"to":"5","extra_params":"none","custom":"{\"a\":1,\"b\":[true,null]}","record":true,"time":1650635340000,"cmiuuid":"u","app_id":1}""")]
    [InlineData("""{"app_id":"1","cmiuuid":"u","time":"1650635340","record":"true","custom":{"b":["true",null],"a":"1"},"extra_params":"none","to":5}""")]
    [InlineData("""{"appid":1,"cmiuid":"u","time":1650635340,"record":true,"custom":"{ \"b\" : [true, null], \"a\" : 1 }","extra_params":"none","to":"5","leg":"","user":null}""")]
    [InlineData("""{"to":"9","app_id":1,"cmiuuid":"u","time":1650635340000,"record":true,"custom":"{\"a\":1,\"b\":[true,null]}","extra_params":"none","to":"5"}""")]
    [InlineData("""{"app_id":1,"cmiu\u0075id":"\u0075","time":1650635340000,"record":true,"custom":"{\"a\":1,\"b\":[true,null]}","extra_params":"none","to":"5"}""")]
    [InlineData("""{"appid":7,"appid":1,"cmiuid":"x","cmiuid":"u","time":1650635340000,"record":true,"custom":"{\"a\":1,\"b\":[true,null]}","extra_params":"none","to":"5"}""")]
    public void SameContentInOtherWords_HasTheSameHash(string json) =>
        Given.Notice(json).ContentHash.ShouldBe(Given.Notice(Documented).ContentHash);

    [Theory]
    [InlineData("""{"app_id":"1.0","status":"ANSWERED","leg":" B","type":"Event ","direction":"Outbound","record":"True","answeredsec":"15.0","cmiuuid":"u"}""")]
    [InlineData("""{"app_id":1.0,"status":" answered","leg":"B","type":"event","direction":"outbound\t","record":true,"answeredsec":1.5e1,"cmiuuid":"u","user":"null","team":" "}""")]
    [InlineData("""{"app_id":"null","appid":1,"status":"Answered","leg":"b","type":"event","direction":"outbound","record":"true","answeredsec":15,"cmiuuid":" ","cmiuid":"u","to":"undefined"}""")]
    public void OtherSpellingOfAWord_IsTheSameContent(string json) =>
        Given.Notice(json).ContentHash.ShouldBe(Given.Notice(
            """{"app_id":1,"status":"answered","leg":"b","type":"event","direction":"outbound","record":true,"answeredsec":15,"cmiuuid":"u"}""").ContentHash);

    [Fact]
    public void OtherContent_HasAnotherHash()
    {
        string[] notices =
        [
            """{"app_id":1,"cmiuuid":"u"}""",
            """{"app_id":2,"cmiuuid":"u"}""",
            """{"app_id":1,"cmiuuid":"U"}""",
            """{"app_id":1,"cmiuuid":"u","leg":"a"}""",
            """{"app_id":1,"cmiuuid":"u","new":{}}""",
            """{"app_id":1,"cmiuuid":"u","new":[]}""",
            """{"app_id":1,"cmiuuid":"u","new":[null]}""",
            """{"app_id":1,"cmiuuid":"u","new":["null"]}""",
            """{"app_id":1,"cmiuuid":"u","appid":3}""",
            """{"app_id":1,"cmiuuid":"u","appid":4}""",
            """{"app_id":1,"cmiuuid":"u","time":5}""",
            """{"app_id":1,"cmiuuid":"u","time":6}""",
            """{"app_id":1,"cmiuuid":"u","custom":"{\"a\":1}"}""",
            """{"app_id":1,"cmiuuid":"u","custom":"{\"a\":2}"}""",
            """{"app_id":1,"cmiuuid":"u","custom":"null"}""",
            """{"app_id":1,"cmiuuid":"u","custom":" "}""",
            """{"app_id":1,"cmiuuid":"u","new":"null"}""",
            """{"app_id":1,"cmiuuid":"u ","new":"null"}""",
        ];

        notices.GroupBy(json => Given.Notice(json).ContentHash, StringComparer.Ordinal).ShouldAllBe(sameHash => sameHash.Count() == 1);
    }

    [Fact]
    public void Hash_IsTheSameInEveryRelease() =>
        // It stands in journals: a change of this value makes every resend across an upgrade a variant.
        Given.Notice("""{"app_id":1,"cmiuuid":"u","time":1650635340,"custom":{"b":[true,null],"a":"é<"}}""").ContentHash
            .ShouldBe("18173301b503ebe11027e204b6572aef13c69d51a5b6b0c78900b9da62fbc52d");
}
