using System.Runtime.InteropServices;
using System.Text;
using TeleCmi.Events.Samples;

namespace TeleCmi.Events.Tests;

public sealed class ReportEnvelopeTests
{
    // Shaped as the REST reports are documented.
    private const string RestRecord = """{"cmiuid":"u-1","duration":20,"billedsec":15,"agent":"208_1111112","from":"440000000002","to":440000000001,"time":1634720920615,"name":"x","rate":0.5,"notes":[{"msg":"hello"}],"filename":"f.mp3","record":"true"}""";

    [Fact]
    public void RestRecord_IsADetailRecordOfUnknownKind()
    {
        var notice = Given.Notice(RecordsOf($$"""{"count":1,"cdr":[{{RestRecord}}],"code":200}""").ShouldHaveSingleItem());

        notice.Type.ShouldBe("cdr");
        notice.Kind.ShouldBe(EventKind.Other);
        notice.Id.ShouldBe("-:cdr:u-1:-:-");
        notice.To.ShouldBe("440000000001");
        notice.Recorded.ShouldBeTrue();
        notice.FileName.ShouldBe("f.mp3");
        notice.Direction.ShouldBeNull();
        notice.Status.ShouldBeNull();
        notice.AppId.ShouldBeNull();
        notice.AnsweredSeconds.ShouldBeNull();
    }

    [Fact]
    public void Records_AreInTheirOrderAndThoseWithATypeByteForByte()
    {
        string[] samples = [.. DocumentedNotices.Load().Where(notice => notice.Name.StartsWith("chub-cdr", StringComparison.Ordinal)).Select(notice => notice.Json)];

        var records = RecordsOf($$"""{ "count": 6, "cdr": [ {{string.Join(" ,\n", samples)}} ] }""");

        records.ShouldBe(samples);
        records.Select(record => Given.Notice(record).Id).ShouldBe(samples.Select(sample => Given.Notice(sample).Id));
        Given.Notice(records[0]).Kind.ShouldBe(EventKind.CdrOutgoingAnswered);
    }

    [Theory]
    [InlineData("""{"cmiuid":"u"}""", """{"cmiuid":"u","type":"cdr"}""")]
    [InlineData("""{"cmiuid":"u" }""", """{"cmiuid":"u" ,"type":"cdr"}""")]
    [InlineData("""{"type":null,"cmiuid":"u"}""", """{"type":null,"cmiuid":"u","type":"cdr"}""")]
    [InlineData("""{"type":" Undefined","cmiuid":"u"}""", """{"type":" Undefined","cmiuid":"u","type":"cdr"}""")]
    [InlineData("""{"inner":{"type":"x"}}""", """{"inner":{"type":"x"},"type":"cdr"}""")]
    [InlineData("""{"type":"event"}""", """{"type":"event"}""")]
    [InlineData("{}", """{"type":"cdr"}""")]
    [InlineData("{ \n}", "{ \n\"type\":\"cdr\"}")]
    public void Type_IsImpliedWhereItIsAbsent(string record, string expected) =>
        RecordsOf($$"""{"cdr":[{{record}}]}""").ShouldBe([expected]);

    [Theory]
    [InlineData("""{"count":0,"cdr":[]}""", 0)]
    [InlineData("""{"c\u0064r":[{"cmiuid":"u"}],"code":200,"new":{"cdr":[1]}}""", 1)]
    [InlineData("""{"cdr":7,"cdr":[{"cmiuid":"u"},{"cmiuid":"v"}]}""", 2)]
    [InlineData("\uFEFF {\"cdr\":[{\"cmiuid\":\"u\"}],\"app_id\":\"null\"} ", 1)]
    public void ObjectWithAnArrayOfRecords_IsAReport(string json, int count) => RecordsOf(json).Count.ShouldBe(count);

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"count":1}""")]
    [InlineData("""{"cdr":null}""")]
    [InlineData("""{"cdr":{"cmiuid":"u"}}""")]
    [InlineData("""{"cdr":[{"cmiuid":"u"},1]}""")]
    [InlineData("""{"cdr":[1,{"cmiuid":"u"}]}""")]
    [InlineData("""{"cdr":[[{"cmiuid":"u"}]]}""")]
    [InlineData("""{"cdr":[{"cmiuid":"u"}],"cdr":"none"}""")]
    [InlineData("""{"in":{"cdr":[{"cmiuid":"u"}]}}""")]
    [InlineData("""{"cdr":[{"cmiuid":"u"}]""")]
    [InlineData("""{"cdr":[{"cmiuid":"u"}]} {}""")]
    [InlineData("""{"cdr":[{"cmiuid":"\ud83d"}]}""")]
    [InlineData("""{"cdr":[{"cmiuid":"u"}],"appid":1}""")]
    [InlineData("""{"cdr":[{"cmiuid":"u"}],"type":"cdr","direction":"inbound","status":"missed"}""")]
    public void AnythingElse_IsNoReport(string json)
    {
        ReportEnvelope.TryRead(Encoding.UTF8.GetBytes(json), out var records).ShouldBeFalse();
        records.ShouldBeEmpty();
    }

    [Fact]
    public void Nesting_IsBounded()
    {
        var deepest = new string('[', Notice.MaxDepth - 3) + new string(']', Notice.MaxDepth - 3);

        Given.Notice(RecordsOf($$"""{"cdr":[{"cmiuid":"u","deep":{{deepest}}}]}""").ShouldHaveSingleItem()).CmiUuid.ShouldBe("u");
        ReportEnvelope.TryRead(Encoding.UTF8.GetBytes($$"""{"cdr":[{"cmiuid":"u","deep":[{{deepest}}]}]}"""), out _).ShouldBeFalse();
    }

    [Fact]
    public void RecordWithAType_IsAPartOfTheEnvelopeAndNoCopy()
    {
        var envelope = """{"cdr":[{"type":"cdr","cmiuid":"u"}]}"""u8.ToArray();

        ReportEnvelope.TryRead(envelope, out var records).ShouldBeTrue();

        MemoryMarshal.TryGetArray(records[0], out var part).ShouldBeTrue();
        part.Array.ShouldBeSameAs(envelope);
    }

    private static List<string> RecordsOf(string json)
    {
        ReportEnvelope.TryRead(Encoding.UTF8.GetBytes(json), out var records).ShouldBeTrue();
        return [.. records.Select(record => Encoding.UTF8.GetString(record.Span))];
    }
}
