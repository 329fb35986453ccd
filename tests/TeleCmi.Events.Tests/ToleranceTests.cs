using System.Text;
using System.Text.Json;
using TeleCmi.Events.Samples;

namespace TeleCmi.Events.Tests;

public sealed class ToleranceTests
{
    [Fact]
    public void NumbersAsText_ReadAsNumbers()
    {
        var notice = Given.Documented("""
            "app_id":"2223343","time":"1650635340436"
            """);

        notice.AppId.ShouldBe(2223343);
        notice.Time.ShouldBe(DateTimeOffset.FromUnixTimeMilliseconds(1650635340436));
    }

    [Fact]
    public void TextAsNumbers_ReadsAsText()
    {
        var notice = Given.Documented("""
            "to":9100000000,"callerid":442000000000,"call_id":17
            """);

        notice.To.ShouldBe("9100000000");
        notice.CallerId.ShouldBe("442000000000");
        notice.CallId.ShouldBe("17");
    }

    [Theory]
    [InlineData("""{"appid":5,"cmiuid":"x"}""")]
    [InlineData("""{"app_id":5,"cmiuuid":"x","appid":6,"cmiuid":"y"}""")]
    [InlineData("""{"appid":6,"cmiuid":"y","app_id":5,"cmiuuid":"x"}""")]
    [InlineData("""{"app_id":"","cmiuuid":null,"appid":5,"cmiuid":"x"}""")]
    [InlineData("""{"appid":6,"cmiuid":"y","appid":5,"cmiuid":"x"}""")]
    public void OtherSpellings_CountWhenTheDocumentedOneIsAbsent(string json)
    {
        var notice = Given.Notice(json);

        notice.AppId.ShouldBe(5);
        notice.CmiUuid.ShouldBe("x");
    }

    [Theory]
    [InlineData("\"{\\\"crm\\\": \\\"true\\\"}\"", """{"crm":"true"}""")]
    [InlineData("""{"crm":"true"}""", """{"crm":"true"}""")]
    [InlineData("""{"":{}}""", """{"":{}}""")]
    [InlineData("\"false\"", "false")]
    [InlineData("false", "false")]
    [InlineData("\"[1,2]\"", "[1,2]")]
    public void CustomFields_ReadAsJsonHoweverTheyCome(string value, string expected)
    {
        var notice = Given.Documented($"\"custom\":{value},\"extra_params\":{value}");

        JsonElement.DeepEquals(notice.CustomJson!.Value, Given.Json(expected)).ShouldBeTrue();
        JsonElement.DeepEquals(notice.ExtraParamsJson!.Value, Given.Json(expected)).ShouldBeTrue();
    }

    [Theory]
    [InlineData("none")]
    [InlineData("{key: value}")]
    [InlineData("{ 'Name': 'Akil', 'ID':8915726 }")]
    [InlineData(" ")]
    [InlineData("{} {}")]
    [InlineData("{\"half\":\"\\ud83d\"}")]
    public void CustomFieldsOfPlainWords_AreTextAndNotJson(string words)
    {
        var notice = Given.Documented($"\"custom\":{JsonSerializer.Serialize(words)},\"extra_params\":{JsonSerializer.Serialize(words)}");

        notice.Custom.ShouldBe(words);
        notice.CustomJson.ShouldBeNull();
        notice.ExtraParams.ShouldBe(words);
        notice.ExtraParamsJson.ShouldBeNull();
    }

    [Fact]
    public void CustomObject_IsGivenAsItsJsonText() =>
        Given.Documented("""
            "custom":{"crm": [1, 2]}
            """).Custom.ShouldBe("""{"crm": [1, 2]}""");

    [Theory]
    [InlineData("1650635340", 1650635340000)]
    [InlineData("1650635340436", 1650635340436)]
    [InlineData("1650635340.436", 1650635340436)]
    [InlineData("\"1650635340\"", 1650635340000)]
    [InlineData("999999999999.0e0", null)]
    [InlineData("1000000000000", 1000000000000)]
    [InlineData("253402300799999", 253402300799999)]
    [InlineData("253402300800000", null)]
    [InlineData("1e400", null)]
    [InlineData("0", null)]
    [InlineData("-5", null)]
    [InlineData("\"NaN\"", null)]
    [InlineData("\"Infinity\"", null)]
    [InlineData("\"soon\"", null)]
    [InlineData("{}", null)]
    [InlineData("null", null)]
    public void Time_ReadsSecondsAndMilliseconds(string time, long? expected) =>
        (Given.Documented($"\"time\":{time}").Time?.ToUnixTimeMilliseconds()).ShouldBe(expected);

    [Theory]
    [InlineData("\"9223372036854775808\"")]
    [InlineData("-5")]
    [InlineData("1.5")]
    [InlineData("\"abc\"")]
    [InlineData("{\"a\":1}")]
    public void AppIdThatIsNoWholeNumber_IsKeptAsText(string appId)
    {
        var notice = Given.Documented($"\"app_id\":{appId}");

        notice.AppId.ShouldBeNull();
        notice.AppIdText.ShouldBe(appId.Trim('"'));
    }

    [Fact]
    public void UnknownFields_ArriveByteForByte()
    {
        const string Unknown = """
            "new_field" : {"deep":[1.50, 1E+2, "\u00e9é\/", null, {}], "x":-0.0}, "": "", "dup":1,"dup":2
            """;
        var arrived = Given.ThroughEnvelope(Given.Documented(Unknown));

        Encoding.UTF8.GetString(arrived.Notice.Json.Span).ShouldContain(Unknown);
    }

    [Theory]
    [InlineData("\" null \"")]
    [InlineData("\"NULL\"")]
    [InlineData("\"undefined\"")]
    [InlineData("\"\\u0075ndefined\\n\"")]
    [InlineData("\"   \"")]
    [InlineData("\"\\u3000\\u00a0\"")]
    public void FieldsThatSayNothing_CountAsAbsent(string nothing)
    {
        var notice = Given.Documented($"\"leg\":{nothing},\"user\":{nothing},\"time\":{nothing},\"callerid\":{nothing},\"conversation_uuid\":{nothing}");

        notice.Leg.ShouldBeNull();
        notice.User.ShouldBeNull();
        notice.Time.ShouldBeNull();
        notice.CallerId.ShouldBeNull();
        notice.Subject.ShouldBe(notice.CmiUuid);
    }

    [Theory]
    [InlineData("nullable")]
    [InlineData("undefined user")]
    [InlineData("none")]
    [InlineData("Nicole")]
    public void FieldThatOnlyBeginsLikeNothing_IsThere(string user) => Given.Documented($"\"user\":\"{user}\"").User.ShouldBe(user);

    [Fact]
    public void WordsOfTheProtocol_ReadTheSameInAnySpelling()
    {
        var notice = Given.Documented("""
            "app_id":" 2223343.0","type":"Event","leg":"B ","status":"ANSWERED","direction":" Outbound"
            """);

        notice.AppIdText.ShouldBe("2223343");
        notice.AppId.ShouldBe(2223343);
        notice.Type.ShouldBe("event");
        notice.Leg.ShouldBe("b");
        notice.Status.ShouldBe("answered");
        notice.Direction.ShouldBe("outbound");
        notice.Kind.ShouldBe(EventKind.OutgoingAnswered);
        notice.AnsweredBy.ShouldBe(AnsweredBy.Customer);
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("null")]
    public void EmptyFields_CountAsAbsent(string empty)
    {
        var notice = Given.Documented($"\"leg\":{empty},\"custom\":{empty},\"time\":{empty},\"user\":{empty}");

        notice.Leg.ShouldBeNull();
        notice.Custom.ShouldBeNull();
        notice.CustomJson.ShouldBeNull();
        notice.Time.ShouldBeNull();
        notice.User.ShouldBeNull();
    }

    [Fact]
    public void ByteOrderMark_IsSkipped()
    {
        var notice = Given.Notice('\uFEFF' + DocumentedNotices.OutgoingAnswered.Json);

        notice.Id.ShouldBe(Given.Notice(DocumentedNotices.OutgoingAnswered.Json).Id);
        Encoding.UTF8.GetString(notice.Json.Span).ShouldBe(DocumentedNotices.OutgoingAnswered.Json);
    }

    [Fact]
    public void CopyOfANotice_OutlivesTheMemoryItWasReadFrom()
    {
        var memory = DocumentedNotices.OutgoingAnswered.Utf8.ToArray();
        Notice.TryRead(memory, out var notice, out var fault).ShouldBeTrue(fault);
        var id = notice!.Id;

        var copy = notice.Copy();
        Array.Clear(memory);

        copy.Id.ShouldBe(id);
        copy.Kind.ShouldBe(EventKind.OutgoingAnswered);
        copy.User.ShouldBe("202_2222223");
        Encoding.UTF8.GetString(copy.Json.Span).ShouldBe(DocumentedNotices.OutgoingAnswered.Json);
    }

    [Fact]
    public void RepeatedField_CountsAsItStandsLast()
    {
        var notice = Given.Notice("""{"app_id":1,"status":"answered","status":"hangup","app_id":2,"leg":"a","leg":""}""");

        notice.Status.ShouldBe("hangup");
        notice.AppId.ShouldBe(2);
        notice.Leg.ShouldBeNull();
    }

    [Fact]
    public void FieldsInsideOtherFields_AreNotTheNoticesOwn()
    {
        var notice = Given.Notice("""{"app_id":1,"inner":{"status":"answered","leg":"a","list":[{"leg":"b"}]},"user":["leg"]}""");

        notice.Status.ShouldBeNull();
        notice.Leg.ShouldBeNull();
        notice.User.ShouldBe("""["leg"]""");
    }

    [Fact]
    public void WhiteSpaceAround_MakesNoDifference()
    {
        var notice = Given.Notice($"\r\n\t {DocumentedNotices.OutgoingAnswered.Json} \n");

        var arrived = Given.ThroughEnvelope(notice);

        arrived.Notice.ContentHash.ShouldBe(notice.ContentHash);
        arrived.Id.ShouldBe(Given.Notice(DocumentedNotices.OutgoingAnswered.Json).Id);
    }
}
