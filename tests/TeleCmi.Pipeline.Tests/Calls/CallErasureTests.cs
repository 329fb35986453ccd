using Microsoft.Extensions.Time.Testing;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Storage.Sqlite;

namespace TeleCmi.Pipeline.Tests.Calls;

public sealed class CallErasureTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 31, 12, 0, 0, TimeSpan.Zero);

    private readonly SqliteStore _store;
    private readonly CallErasure _erasure;

    public CallErasureTests()
    {
        var clock = new FakeTimeProvider(Noon.AddHours(1));
        _store = SqliteStore.InMemory(clock);
        _erasure = new CallErasure(_store, new JournalReader(_store, clock), new CallReader(_store, clock));
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task Conversation_WithDetailRecordsThatDoNotNameIt_IsFoundWhole()
    {
        var call = await JournalAsync(new CallScenario(Noon).Reached());
        await JournalAsync(new CallScenario(Noon).Reached());

        (await _erasure.FindCallAsync(call.Conversation, CancellationToken.None)).ShouldBe(call.Events.Select(JournalKey.Of), ignoreOrder: true);
    }

    [Fact]
    public async Task Number_InOneNoticeOfACall_FindsEveryNoticeOfIt()
    {
        var call = await JournalAsync(new CallScenario(Noon).Outgoing("started", "a").OutgoingCdr("answered", "b", ("to", "447700900123")).OutgoingCdr("answered", "a"));
        await JournalAsync(new CallScenario(Noon).Reached());

        (await _erasure.FindCallsOfAsync("+44 7700 900123", new JournalFilter(), CancellationToken.None)).ShouldBe(call.Events.Select(JournalKey.Of), ignoreOrder: true);
    }

    [Fact]
    public async Task NumberWithoutDigits_IsRefused() => await Should.ThrowAsync<ArgumentException>(() => _erasure.FindCallsOfAsync("unknown", new JournalFilter(), CancellationToken.None));

    [Fact]
    public async Task UnknownNumberOrCall_FindsNothing()
    {
        await JournalAsync(new CallScenario(Noon).Reached());

        (await _erasure.FindCallsOfAsync("447700900123", new JournalFilter(), CancellationToken.None)).ShouldBeEmpty();
        (await _erasure.FindCallAsync("nobody's", CancellationToken.None)).ShouldBeEmpty();
    }

    private async Task<CallScenario> JournalAsync(CallScenario scenario)
    {
        foreach (var callEvent in scenario.Events)
        {
            await _store.Table(Journal.TableName).TryInsertAsync(JournalColumns.RowOf(callEvent, JournalKey.Of(callEvent)), CancellationToken.None);
        }

        return scenario;
    }
}
