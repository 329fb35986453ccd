using Microsoft.Extensions.Time.Testing;
using TeleCmi.Events;
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

    /// <summary>Of the days beside it only what came near midnight is read: nothing of a call is overlooked because of that, whatever came late or by a wrong clock.</summary>
    [Fact]
    public async Task Day_ReadByItself_HasTheCallsThatItHasAmongOthers()
    {
        const int Calls = 150;
        const int MinutesOfFiveDays = 5 * 24 * 60;
        var random = new Random(20260331);
        for (var number = 0; number < Calls; number++)
        {
            // Some calls have a sender whose clock is hours off, detail records that come hours late, without a time, or with the time of the call's end.
            var start = Noon.AddDays(-2.5).AddMinutes(random.Next(MinutesOfFiveDays));
            var kind = number % 6;
            var clockIsOff = kind is 0 or 1 ? TimeSpan.FromMinutes(random.Next(-400, 400)) : TimeSpan.Zero;
            var lateBy = kind is 1 or 2 ? TimeSpan.FromHours(random.Next(4, 20)) : TimeSpan.FromMinutes(random.Next(230));
            foreach (var (callEvent, at) in new CallScenario(start).Reached().Events.Select((callEvent, place) => (callEvent, place)))
            {
                var late = at > 5 ? lateBy : TimeSpan.Zero;
                await JournalAsync(callEvent, kind == 3 && at > 5 ? null : start + clockIsOff + (kind == 4 ? late : TimeSpan.Zero), start.AddSeconds(at) + late);
            }
        }

        var day = DateOnly.FromDateTime(Noon.UtcDateTime);
        var all = await QueryAsync(new CallFilter { From = day.AddDays(-3), To = day.AddDays(3) });
        all.Count.ShouldBe(Calls);
        all.ShouldAllBe(call => call.Events.Count == 8);
        all.Select(call => call.StartedAt).ShouldBeInOrder(SortDirection.Descending);
        for (var read = day.AddDays(-3); read <= day.AddDays(3); read = read.AddDays(1))
        {
            var alone = await QueryAsync(new CallFilter { To = read });
            Describe(alone).ShouldBe(Describe(all.Where(call => DateOnly.FromDateTime(call.StartedAt.UtcDateTime) == read)), $"{read}");
        }

        static IEnumerable<string> Describe(IEnumerable<CallRecord> calls) => calls.Select(call => $"{call.Id} {call.StartedAt:O} {call.Events.Count}");
    }

    [Fact]
    public async Task Call_WhoseDetailRecordsHaveTheTimeOfItsEnd_AcrossMidnight_IsOneCall()
    {
        var evening = new DateTimeOffset(2026, 3, 30, 23, 0, 0, TimeSpan.Zero);
        foreach (var callEvent in new CallScenario(evening).Reached().Events)
        {
            var end = callEvent.Notice.Type == "cdr" ? evening.AddHours(2) : evening;
            await JournalAsync(callEvent, end, end.AddSeconds(1));
        }

        (await QueryAsync(new CallFilter { To = new DateOnly(2026, 3, 31) })).ShouldBeEmpty();
        (await QueryAsync(new CallFilter { To = new DateOnly(2026, 3, 30) })).ShouldHaveSingleItem().Events.Count.ShouldBe(8);
    }

    [Fact]
    public async Task DetailRecord_ThatComesMuchLaterThanItsCall_IsNoCallOfTheNextDay()
    {
        var evening = new DateTimeOffset(2026, 3, 30, 18, 0, 0, TimeSpan.Zero);
        var call = new CallScenario(evening).Reached();
        foreach (var callEvent in call.Events)
        {
            await JournalAsync(callEvent, evening, callEvent == call.Events[^2] ? evening.AddHours(7) : callEvent.ReceivedAt);
        }

        (await QueryAsync(new CallFilter { To = new DateOnly(2026, 3, 31) })).ShouldBeEmpty();
        (await QueryAsync(new CallFilter { To = new DateOnly(2026, 3, 30) })).ShouldHaveSingleItem().Events.Count.ShouldBe(8);
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

    [Fact]
    public async Task RowOfAnOlderVersion_KeepsItsTimeOfReceipt_AndIsReadWithoutItsEnvelopeToo()
    {
        var scenario = new CallScenario(Noon).Outgoing("started", "a").Outgoing("hangup", "a");
        foreach (var callEvent in scenario.Events)
        {
            var row = JournalColumns.RowOf(callEvent, JournalKey.Of(callEvent));
            row[JournalColumns.CmiUuid] = null;
            row[JournalColumns.Status] = null;
            row[JournalColumns.ReceivedAt] = callEvent.ReceivedAt.AddMinutes(5);
            if (callEvent == scenario.Events[1])
            {
                row[JournalColumns.Event] = "damaged";
            }

            await _store.Table(Journal.TableName).TryInsertAsync(row, CancellationToken.None);
        }

        var call = (await QueryAsync(new CallFilter())).ShouldHaveSingleItem();
        call.StartedAt.ShouldBe(Noon.AddMinutes(5));
        call.EndedAt.ShouldBe(Noon.AddMinutes(5).AddSeconds(1));
    }

    [Fact]
    public async Task SeveralDays_AreReadNewestFirst_EachCallOnce()
    {
        var tuesday = await JournalAsync(new CallScenario(Noon).Reached());
        var monday = await JournalAsync(new CallScenario(Noon.AddDays(-1)).Reached());
        var night = await JournalAsync(new CallScenario(new(2026, 3, 28, 23, 59, 58, TimeSpan.Zero)).Reached());
        await JournalAsync(new CallScenario(Noon.AddDays(-9)).Reached());

        (await QueryAsync(new CallFilter { From = new DateOnly(2026, 3, 27) })).Select(call => call.Id).ShouldBe([tuesday.Id, monday.Id, night.Id]);
        (await QueryAsync(new CallFilter { From = new DateOnly(2026, 3, 28), To = new DateOnly(2026, 3, 30) })).Select(call => call.Id).ShouldBe([monday.Id, night.Id]);
    }

    [Fact]
    public async Task CallsOfOneMoment_AreInTheOrderOfTheirIds()
    {
        await JournalAsync(new CallScenario(Noon, conversation: "b").Outgoing("started", "a"));
        await JournalAsync(new CallScenario(Noon, conversation: "a").Outgoing("started", "a"));

        (await QueryAsync(new CallFilter())).Select(call => call.ConversationId).ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task Call_WhoseSenderClockLagsOverMidnight_IsOfTheDayOfItsReceipt()
    {
        var midnight = new DateTimeOffset(2026, 3, 31, 0, 0, 1, TimeSpan.Zero);
        await JournalAsync(new CallScenario(midnight).Outgoing("started", "a", ("time", midnight.AddSeconds(-2).ToUnixTimeMilliseconds())));

        (await QueryAsync(new CallFilter())).Count.ShouldBe(1);
        (await QueryAsync(new CallFilter { To = new DateOnly(2026, 3, 30) })).ShouldBeEmpty();
    }

    [Fact]
    public async Task Call_WithoutATime_IsListedAndFound()
    {
        var scenario = await JournalAsync(new CallScenario(Noon).Outgoing("started", "a", ("time", null)).Outgoing("hangup", "a", ("time", null)).OutgoingCdr("missed", "a", ("time", null)));
        await JournalAsync(new CallScenario(Noon).Reached());

        (await QueryAsync(new CallFilter { Conversation = scenario.Conversation })).ShouldHaveSingleItem().Events.Count.ShouldBe(3);
        (await _calls.FindAsync(scenario.Id, CancellationToken.None)).ShouldHaveSingleItem().Events.Count.ShouldBe(3);
    }

    [Fact]
    public async Task Call_WhoseDetailRecordsAreOfTheDaysAround_IsFoundWhole()
    {
        static (string Field, System.Text.Json.Nodes.JsonNode? Value) On(int days) => ("time", Noon.AddDays(days).ToUnixTimeMilliseconds());
        var scenario = await JournalAsync(new CallScenario(Noon)
            .OutgoingCdr("answered", "a", On(-1)).Outgoing("started", "a", On(0)).Outgoing("started", "b", On(1)).OutgoingCdr("answered", "b", On(2)));

        (await _calls.FindAsync(scenario.Conversation, CancellationToken.None)).ShouldHaveSingleItem().Events.Count.ShouldBe(4);
    }

    [Fact]
    public async Task Find_WhatIsNotThere_GivesNothing()
    {
        await JournalAsync(new CallScenario(Noon).Reached());

        (await _calls.FindAsync("2223343:call:other", CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public void CustomersNumber_IsTheCallersOfAnIncomingCallAndTheCalledOneElse()
    {
        var incoming = new CallScenario(Noon) { CustomerNumber = "442000000009" }
            .Incoming("waiting").Incoming("started").Incoming("answered").Incoming("hangup").IncomingCdr("answered", null, ("from", "442000000009")).IncomingCdr("missed", null, ("from", "442000000009"));
        incoming.Events.ShouldAllBe(callEvent => PhoneNumber.IsCustomerOf(JournalColumns.RowOf(callEvent, JournalKey.Of(callEvent)), "442000000009"));

        var outgoing = new CallScenario(Noon).Outgoing("started", "a").Outgoing("answered", "b").Outgoing("hangup", "b").OutgoingCdr("answered", "b").OutgoingCdr("missed", "b");
        outgoing.Events.ShouldAllBe(callEvent => PhoneNumber.IsCustomerOf(JournalColumns.RowOf(callEvent, JournalKey.Of(callEvent)), CallScenario.Customer));
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

    // As a sender with another clock sent it, and as late as it came.
    private async Task JournalAsync(CallEvent callEvent, DateTimeOffset? time, DateTimeOffset receivedAt)
    {
        var row = JournalColumns.RowOf(callEvent, JournalKey.Of(time, callEvent.Notice.Subject, callEvent.Id));
        row[JournalColumns.EventTime] = time;
        row[JournalColumns.ReceivedAt] = receivedAt;
        (await _store.Table(Journal.TableName).TryInsertAsync(row, CancellationToken.None)).ShouldNotBeNull();
    }

    private async Task<IReadOnlyList<CallRecord>> QueryAsync(CallFilter filter) => await _calls.QueryAsync(filter, CancellationToken.None).ToListAsync();
}
