using System.Text;
using TeleCmi.Events.Samples;

namespace TeleCmi.Events.Tests;

public sealed class SampleTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeMilliseconds(1795428672345);

    [Fact]
    public void FreshSample_ChangesIdsAndTimeAndNothingElse()
    {
        var sample = DocumentedNotices.OutgoingAnsweredByCustomer;

        var fresh = sample.Fresh("round", Now);

        var notice = Given.Notice(fresh.Json);
        string[] ids = [notice.CallId!, notice.CmiUuid!, notice.RequestId!, notice.ConversationUuid!];
        ids.Select(Guid.Parse).ShouldBeUnique();
        notice.Time.ShouldBe(Now);
        var was = Given.Notice(sample.Json);
        fresh.Json
            .Replace(notice.CallId!, was.CallId, StringComparison.Ordinal)
            .Replace(notice.CmiUuid!, was.CmiUuid, StringComparison.Ordinal)
            .Replace(notice.RequestId!, was.RequestId, StringComparison.Ordinal)
            .Replace(notice.ConversationUuid!, was.ConversationUuid, StringComparison.Ordinal)
            .Replace("1795428672345", "1650635340436", StringComparison.Ordinal)
            .ShouldBe(sample.Json);
        fresh.Name.ShouldBe(sample.Name);
    }

    [Fact]
    public void FreshSamplesOfOneRound_KeepTheIdsTheyShare()
    {
        var agent = Given.Notice(DocumentedNotices.OutgoingAnswered.Fresh("1", Now).Json);
        var customer = Given.Notice(DocumentedNotices.OutgoingAnsweredByCustomer.Fresh("1", Now.AddSeconds(9)).Json);
        var nextCall = Given.Notice(DocumentedNotices.OutgoingAnswered.Fresh("2", Now).Json);

        customer.ConversationUuid.ShouldBe(agent.ConversationUuid);
        customer.RequestId.ShouldBe(agent.RequestId);
        customer.CmiUuid.ShouldNotBe(agent.CmiUuid);
        agent.CmiUuid.ShouldBe(agent.ConversationUuid);
        nextCall.Id.ShouldNotBe(agent.Id);
        nextCall.ConversationKey.ShouldNotBe(agent.ConversationKey);
    }

    [Fact]
    public void EverySample_CanBeMadeFresh()
    {
        foreach (var sample in DocumentedNotices.Load())
        {
            var was = Given.Notice(sample.Json);

            var fresh = Given.Notice(sample.Fresh("round", Now).Json);

            fresh.Kind.ShouldBe(was.Kind);
            fresh.Id.ShouldNotBe(was.Id);
            fresh.Time.ShouldBe(was.Time is null ? null : Now);
            Encoding.UTF8.GetString(fresh.Json.Span).ShouldNotContain(was.CmiUuid!);
        }
    }

    [Fact]
    public void FreshIds_BeginWithThePrefix()
    {
        var notice = Given.Notice(DocumentedNotices.OutgoingAnswered.Fresh("round", Now, "forward-\"test-").Json);

        notice.CmiUuid.ShouldStartWith("forward-\"test-");
        notice.RequestId.ShouldStartWith("forward-\"test-");
    }

    [Theory]
    [InlineData("""{"a":"b c&d=e+f","n":1.50,"t":true,"f":false,"z":null,"o":{"x": [1]},"l":[1, "é"],"ü\"":"","a":"again"}""",
        "a=b%20c%26d%3De%2Bf&n=1.50&t=true&f=false&z=&o=%7B%22x%22%3A%20%5B1%5D%7D&l=%5B1%2C%20%22%C3%A9%22%5D&%C3%BC%22=&a=again")]
    [InlineData("{}", "")]
    public void Query_SaysWhatTheJsonSays(string json, string query) => NoticeForm.ToQuery(Encoding.UTF8.GetBytes(json)).ShouldBe(query);
}
