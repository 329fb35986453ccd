using System.Text;
using System.Text.Json;
using TeleCmi.Pipeline.Journaling;
using static TeleCmi.Pipeline.Tests.PipelineUnderTest;

namespace TeleCmi.Pipeline.Tests;

public sealed class JournalTests : IAsyncLifetime
{
    private static readonly TimeSpan Claim = TimeSpan.FromMinutes(1);

    private readonly PipelineUnderTest _pipeline = new();

    [Fact]
    public async Task NewEvent_IsOneInsert()
    {
        var entry = await RecordAsync(SampleNotices.Answered);

        entry.Outcome.ShouldBe(JournalOutcome.Journaled);
        _pipeline.Store.Operations.ShouldBe(["insert CallEvents"]);
    }

    [Fact]
    public async Task Row_HasTheEventsFieldsAndEnvelope()
    {
        var notice = SampleNotices.AnsweredWith(("leg", "b"));

        await RecordAsync(notice);

        var row = await _pipeline.JournalRowAsync();
        row.Key.Partition.ShouldBe("2022-04-22");
        row.Key.Row.ShouldBe("ccd826f9-67a4-4467-acfb-a53093ff5c9d|2223343:event:ccd826f9-67a4-4467-acfb-a53093ff5c9d:b:answered");
        row.Text("Kind").ShouldBe("outgoing.answered");
        row.Text("AnsweredBy").ShouldBe("customer");
        row.Text("User").ShouldBe("202_2222223");
        row.Text("To").ShouldBe("442000000001");
        row.Text("AppId").ShouldBe("2223343");
        row.Time("ReceivedAt").ShouldBe(Start);
        row.Time("ProcessedAt").ShouldNotBeNull();
        row.Text("Event").ShouldBe(Encoding.UTF8.GetString(EnvelopeOf(notice)));
    }

    [Fact]
    public async Task EventWithoutATime_IsUndated()
    {
        await RecordAsync(SampleNotices.AnsweredWith(("time", "soon")));

        (await _pipeline.JournalRowAsync()).Key.Partition.ShouldBe("undated");
    }

    [Fact]
    public async Task SameEventAgain_IsADuplicateAndKeepsItsRow()
    {
        await RecordAsync(SampleNotices.Answered);

        var entry = await RecordAsync(SampleNotices.Answered, Start.AddMinutes(5));

        entry.Outcome.ShouldBe(JournalOutcome.Duplicate);
        (await _pipeline.JournalRowAsync()).Time("ReceivedAt").ShouldBe(Start);
    }

    [Fact]
    public async Task SameIdWithAnotherContent_IsAVariantBesideTheFirst()
    {
        var other = SampleNotices.AnsweredWith(("to", "442000000009"));
        await RecordAsync(SampleNotices.Answered);

        var variant = await RecordAsync(other);
        var again = await RecordAsync(other, Start.AddMinutes(5));

        variant.Outcome.ShouldBe(JournalOutcome.Variant);
        variant.Unfinished.ShouldBeEmpty();
        again.Outcome.ShouldBe(JournalOutcome.Duplicate);
        (await _pipeline.JournalRowsAsync()).Select(row => row.Text("To")).ShouldBe(["442000000001", "442000000009"]);
        (await ProgressAsync(other)).ShouldBe(new JournalProgress(Start, IsFinished: true, LastFailure: null));
    }

    [Fact]
    public async Task FailedHandler_LeavesOnlyTheUnfinished_UntilAllAreDone()
    {
        string[] handlers = ["crm", "mail", "never_ran"];
        var entry = await RecordAsync(SampleNotices.Answered, handlers: handlers);
        entry.Unfinished.ShouldBe(handlers);

        await NoteAsync(entry, new InvalidOperationException("no mail"), new("crm", HandlerState.Done), new("mail", HandlerState.Failed));

        var resumed = await RecordAsync(SampleNotices.Answered, handlers: handlers);
        resumed.Outcome.ShouldBe(JournalOutcome.Resumed);
        resumed.Unfinished.ShouldBe(["mail", "never_ran"]);
        (await ProgressAsync(SampleNotices.Answered)).ShouldBe(new JournalProgress(Start, IsFinished: false, "InvalidOperationException: no mail"));

        await NoteAsync(resumed, failure: null, new("mail", HandlerState.Done), new("never_ran", HandlerState.Done));
        (await ProgressAsync(SampleNotices.Answered))!.IsFinished.ShouldBeTrue();
    }

    [Fact]
    public async Task HandlerAddedLater_DoesNotRunForOldEvents()
    {
        await RecordAsync(SampleNotices.Answered);

        var entry = await RecordAsync(SampleNotices.Answered, Start.AddDays(1), "new");

        entry.Unfinished.ShouldBeEmpty();
        entry.Outcome.ShouldBe(JournalOutcome.Duplicate);
    }

    [Fact]
    public async Task LastReceived_IsNotMisledByAnEventDatedTomorrow()
    {
        await RecordAsync(Dated("tomorrow", Start.AddDays(1)), Start.AddHours(-3));
        await RecordAsync(Dated("today", Start), Start.AddHours(-1));
        await RecordAsync(Dated("yesterday", Start.AddDays(-1)), Start.AddHours(-2));

        (await LastReceivedAsync()).ShouldBe(Start.AddHours(-1));
    }

    [Fact]
    public async Task LastReceived_IsFound_HoweverOldItIs_AndNullInAnEmptyJournal()
    {
        (await LastReceivedAsync()).ShouldBeNull();

        await RecordAsync(Dated("old", Start.AddYears(-1)), Start.AddYears(-1));

        (await LastReceivedAsync()).ShouldBe(Start.AddYears(-1));
    }

    public static TheoryData<string> HostileIds => new(
        "../../etc/passwd",
        @"a\b/c#d?e",
        "\u0000\u0001\n\r\t\u007f\u0085\u009f",
        "%2f%5c%00",
        "|}~",
        "' or PartitionKey ne '",
        "😀👩‍👩‍👧\u202e\ufeff",
        new string('x', 10_000),
        string.Concat(Enumerable.Repeat("😀/", 500)));

    [Theory]
    [MemberData(nameof(HostileIds))]
    public async Task HostileId_StaysInItsPartitionAndRange_AndReadsBack(string hostile)
    {
        var leg = SampleNotices.AnsweredWith(("cmiuuid", hostile), ("conversation_uuid", hostile + "2"), ("leg", hostile));

        await RecordAsync(SampleNotices.AnsweredWith(("conversation_uuid", hostile)));
        await RecordAsync(leg);

        var rows = await _pipeline.JournalRowsAsync();
        rows.Count.ShouldBe(2);
        rows.ShouldAllBe(row => row.Key.Partition == "2022-04-22" && row.Key.Row.Length <= 512);
        var (from, before) = JournalKey.RowsOf(hostile);
        var found = rows.Where(row => string.CompareOrdinal(row.Key.Row, from) >= 0 && string.CompareOrdinal(row.Key.Row, before) < 0).ShouldHaveSingleItem();
        found.Text("ConversationId").ShouldBe(hostile);
        using var envelope = JsonDocument.Parse(found.Text("Event")!);
        envelope.RootElement.GetProperty("data").GetProperty("conversation_uuid").GetString().ShouldBe(hostile);
        (await ProgressAsync(leg))!.IsFinished.ShouldBeTrue();
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _pipeline.DisposeAsync();

    private Task<JournalEntry> RecordAsync(byte[] notice, DateTimeOffset? receivedAt = null, params string[] handlers) =>
        _pipeline.Journal.RecordAsync(EventOf(notice, receivedAt), handlers, Claim, CancellationToken.None);

    private Task NoteAsync(JournalEntry entry, Exception? failure, params KeyValuePair<string, string>[] states) =>
        _pipeline.Journal.NoteHandlersAsync(entry, states, failure, CancellationToken.None);

    private Task<JournalProgress?> ProgressAsync(byte[] notice) => _pipeline.Journal.ProgressOfAsync(EventOf(notice), CancellationToken.None);

    private Task<DateTimeOffset?> LastReceivedAsync() => _pipeline.Get<JournalReader>().LastReceivedAsync(CancellationToken.None);

    private static byte[] Dated(string call, DateTimeOffset time) =>
        SampleNotices.AnsweredWith(("cmiuuid", call), ("conversation_uuid", call), ("time", time.ToUnixTimeMilliseconds()));
}
