using TeleCmi.Events.Samples;

namespace TeleCmi.Events.Tests;

public sealed class DetailRecordTests
{
    [Fact]
    public void IncomingAnswered_HasItsFieldsAsDocumented()
    {
        var record = Documented("chub-cdr-incoming-answered");

        record.From.ShouldBe("440000000002");
        record.To.ShouldBe("440000000001");
        record.VirtualNumber.ShouldBe("440000000000");
        record.Team.ShouldBe("Sales_2222223");
        record.AnsweredSeconds.ShouldBe(11);
        record.WaitedSeconds.ShouldBeNull();
        record.HangupReason.ShouldBe("recv_bye");
        record.Recorded.ShouldBeTrue();
        record.FileName.ShouldBe("1634720915260737218351_2222223.mp3");
        record.Voicemail.ShouldBeFalse();
    }

    [Fact]
    public void IncomingMissed_HasItsFieldsAsDocumented()
    {
        var record = Documented("chub-cdr-incoming-missed");

        record.AnsweredSeconds.ShouldBeNull();
        record.WaitedSeconds.ShouldBe(127);
        record.Recorded.ShouldBeFalse();
        record.FileName.ShouldBeNull();
        record.Voicemail.ShouldBeTrue();
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("\"true\"", true)]
    [InlineData("\"True \"", true)]
    [InlineData("false", false)]
    [InlineData("\"false\"", false)]
    [InlineData("1", false)]
    [InlineData("null", false)]
    [InlineData("{\"true\":true}", false)]
    public void Recorded_ReadsBooleansAndTheirText(string value, bool expected)
    {
        Given.Documented($"\"record\":{value}").Recorded.ShouldBe(expected);
        Given.Documented($"\"voicemail\":{value}").Voicemail.ShouldBe(expected);
    }

    [Theory]
    [InlineData("15", 15)]
    [InlineData("\"15\"", 15)]
    [InlineData("15.0", 15)]
    [InlineData("\" 15 \"", 15)]
    [InlineData("0", 0)]
    [InlineData("-1", null)]
    [InlineData("1e300", null)]
    [InlineData("\"NaN\"", null)]
    [InlineData("\"soon\"", null)]
    [InlineData("\"\"", null)]
    [InlineData("[15]", null)]
    public void Seconds_ReadNumbersAndTheirText(string value, int? expected)
    {
        Given.Documented($"\"answeredsec\":{value}").AnsweredSeconds.ShouldBe(expected);
        Given.Documented($"\"waitedsec\":{value}").WaitedSeconds.ShouldBe(expected);
    }

    [Fact]
    public void PlusSignOfEveryPhoneNumber_SurvivesAQuery()
    {
        foreach (var field in Notice.PhoneNumberFields)
        {
            Given.FormJson($"{field}=+442000000001").ShouldBe($$"""{"{{field}}":"+442000000001"}""");
        }
    }

    private static Notice Documented(string name) => Given.Notice(DocumentedNotices.Load().Single(notice => notice.Name == name).Json);
}
