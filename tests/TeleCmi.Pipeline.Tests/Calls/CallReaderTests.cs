using Microsoft.Extensions.Time.Testing;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Storage.Sqlite;

namespace TeleCmi.Pipeline.Tests.Calls;

public sealed class CallReaderTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 31, 12, 0, 0, TimeSpan.Zero);

    private readonly SqliteStore _store;
    private readonly CallReader _calls;

    public CallReaderTests()
    {
        var clock = new FakeTimeProvider(Noon.AddHours(1));
        _store = SqliteStore.InMemory(clock);
        _calls = new CallReader(_store, clock);
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task Day_WithSeveralCalls_IsNewestFirst()
    {
        var older = await JournalAsync(new CallScenario(Noon).Reached());
        var newer = await JournalAsync(new CallScenario(Noon.AddMinutes(10)).Reached());

        (await QueryAsync(new CallFilter())).Select(call => call.Id).ShouldBe([newer.Id, older.Id]);
    }

    [Fact]
    public async Task Call_WhoseCdrsNameNoConversation_IsOneCallWithThem()
    {
        await JournalAsync(new CallScenario(Noon).Reached());

        var call = (await QueryAsync(new CallFilter())).ShouldHaveSingleItem();
        call.Events.Count.ShouldBe(8);
        call.TalkSeconds.ShouldBe(6);
    }

    [Fact]
    public async Task Call_AcrossMidnight_IsFoundOnceOnTheDayItBegan()
    {
        var call = new CallScenario(new(2026, 3, 30, 23, 59, 58, TimeSpan.Zero)).Reached();
        await JournalAsync(call);

        (await QueryAsync(new CallFilter { To = new DateOnly(2026, 3, 30) })).ShouldHaveSingleItem().Events.Count.ShouldBe(8);
        (await QueryAsync(new CallFilter { To = new DateOnly(2026, 3, 31) })).ShouldBeEmpty();
    }

    [Fact]
    public async Task Filters_ByAgentNumberAndOutcome_Choose()
    {
        await JournalAsync(new CallScenario(Noon).Reached());
        await JournalAsync(new CallScenario(Noon.AddMinutes(1)).Incoming("waiting").Incoming("hangup").IncomingCdr("missed"));

        (await QueryAsync(new CallFilter { Agent = "202" })).ShouldHaveSingleItem().Outcome.ShouldBe(CallOutcome.Reached);
        (await QueryAsync(new CallFilter { Agent = "20" })).ShouldBeEmpty();
        (await QueryAsync(new CallFilter { Outcome = CallOutcome.Missed })).ShouldHaveSingleItem().Direction.ShouldBe(CallDirection.Incoming);
        (await QueryAsync(new CallFilter { Number = "2000000001" })).Count.ShouldBe(2);
    }

    [Theory]
    [InlineData("conversation")]
    [InlineData("request")]
    [InlineData("event")]
    [InlineData("call")]
    public async Task Find_ByAnyOfItsIds_GivesTheWholeCall(string by)
    {
        var scenario = await JournalAsync(new CallScenario(Noon).Reached());
        await JournalAsync(new CallScenario(Noon).Reached());
        var id = by switch { "conversation" => scenario.Conversation, "request" => scenario.Request, "event" => scenario.Events[^2].Id, _ => scenario.Id };

        var call = (await _calls.FindAsync(id, CancellationToken.None)).ShouldHaveSingleItem();
        call.Id.ShouldBe(scenario.Id);
        call.Events.Count.ShouldBe(8);
    }

    [Fact]
    public async Task RowsOfAnOlderVersion_WithoutTheColumnsOfCalls_AreReadFromTheirEnvelopes()
    {
        foreach (var callEvent in new CallScenario(Noon).Reached().Events)
        {
            var row = JournalColumns.RowOf(callEvent, JournalKey.Of(callEvent));
            foreach (var column in new[] { JournalColumns.CmiUuid, JournalColumns.Status, JournalColumns.TalkSeconds, JournalColumns.Recording, JournalColumns.HangupReason })
            {
                row[column] = null;
            }

            await _store.Table(Journal.TableName).TryInsertAsync(row, CancellationToken.None);
        }

        (await QueryAsync(new CallFilter())).ShouldHaveSingleItem().TalkSeconds.ShouldBe(6);
    }

    [Theory]
    [InlineData("+44 2000 000001", "2000000001", true)]
    [InlineData("02000000001", "442000000001", true)]
    [InlineData("442000000001", "442000000002", false)]
    [InlineData("001", "442000000001", false)]
    [InlineData("", "", false)]
    public void PhoneNumbers_AreComparedByTrailingDigits(string left, string right, bool same) => PhoneNumber.IsSame(left, right).ShouldBe(same);

    private async Task<CallScenario> JournalAsync(CallScenario scenario)
    {
        foreach (var callEvent in scenario.Events)
        {
            await _store.Table(Journal.TableName).TryInsertAsync(JournalColumns.RowOf(callEvent, JournalKey.Of(callEvent)), CancellationToken.None);
        }

        return scenario;
    }

    private async Task<IReadOnlyList<CallRecord>> QueryAsync(CallFilter filter) => await _calls.QueryAsync(filter, CancellationToken.None).ToListAsync();
}
