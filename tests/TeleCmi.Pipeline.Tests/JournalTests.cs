using System.Text.Json;
using TeleCmi.Events;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.TestSupport;

namespace TeleCmi.Pipeline.Tests;

public sealed class JournalTests(AzuriteFixture azurite, StorageRequests requests)
{
    private static readonly DateTimeOffset Received = new(2026, 3, 4, 5, 6, 7, 89, TimeSpan.Zero);

    [Fact]
    public async Task ANewEvent_IsOneInsert()
    {
        var storage = azurite.NewStorage();
        await using var pipeline = new PipelineUnderTest(storage);
        await pipeline.Journal.RecordAsync(Event(SampleNotices.AnsweredCall("warm-up")), [], CancellationToken.None);
        var before = requests.Of(storage).Count;

        var entry = await pipeline.Journal.RecordAsync(Event(SampleNotices.Answered), [], CancellationToken.None);

        entry.Outcome.ShouldBe(JournalOutcome.Journaled);
        requests.Of(storage).Skip(before).ShouldHaveSingleItem().ShouldStartWith("POST ");
    }

    [Fact]
    public async Task TheRow_HasTheEventsFieldsAndEnvelope()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());
        var callEvent = Event(SampleNotices.AnsweredWith(("leg", "b")));

        await pipeline.Journal.RecordAsync(callEvent, [], CancellationToken.None);

        var row = (await pipeline.JournalRowsAsync()).ShouldHaveSingleItem();
        row.PartitionKey.ShouldBe("2022-04-22");
        row.RowKey.ShouldBe("ccd826f9-67a4-4467-acfb-a53093ff5c9d|2223343:event:ccd826f9-67a4-4467-acfb-a53093ff5c9d:b:answered");
        row.GetString("Kind").ShouldBe("outgoing.answered");
        row.GetString("AnsweredBy").ShouldBe("customer");
        row.GetString("User").ShouldBe("202_2222223");
        row.GetString("To").ShouldBe("442000000001");
        row.GetString("AppId").ShouldBe("2223343");
        row.GetDateTimeOffset("ReceivedAt").ShouldBe(Received);
        row.GetDateTimeOffset("ProcessedAt").ShouldNotBeNull();
        row.GetString("Event").ShouldBe(System.Text.Encoding.UTF8.GetString(callEvent.Envelope.Span));
    }

    [Fact]
    public async Task AnEventWithoutATime_IsUndated()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());

        await pipeline.Journal.RecordAsync(Event(SampleNotices.AnsweredWith(("time", "soon"))), [], CancellationToken.None);

        (await pipeline.JournalRowsAsync()).ShouldHaveSingleItem().PartitionKey.ShouldBe("undated");
    }

    [Fact]
    public async Task TheSameEventAgain_IsADuplicateAndKeepsItsRow()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());
        await pipeline.Journal.RecordAsync(Event(SampleNotices.Answered), [], CancellationToken.None);

        var entry = await pipeline.Journal.RecordAsync(Event(SampleNotices.Answered, Received.AddMinutes(5)), [], CancellationToken.None);

        entry.Outcome.ShouldBe(JournalOutcome.Duplicate);
        (await pipeline.JournalRowsAsync()).ShouldHaveSingleItem().GetDateTimeOffset("ReceivedAt").ShouldBe(Received);
    }

    [Fact]
    public async Task TheSameIdWithAnotherContent_IsAVariantBesideTheFirst()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());
        var other = SampleNotices.AnsweredWith(("to", "442000000009"));
        await pipeline.Journal.RecordAsync(Event(SampleNotices.Answered), ["crm"], CancellationToken.None);

        var variant = await pipeline.Journal.RecordAsync(Event(other), ["crm"], CancellationToken.None);
        var again = await pipeline.Journal.RecordAsync(Event(other, Received.AddMinutes(5)), ["crm"], CancellationToken.None);

        variant.Outcome.ShouldBe(JournalOutcome.Variant);
        variant.Unfinished.ShouldBeEmpty();
        again.Outcome.ShouldBe(JournalOutcome.Duplicate);
        (await pipeline.JournalRowsAsync()).Select(row => row.GetString("To")).ShouldBe(["442000000001", "442000000009"]);
        (await pipeline.Journal.ProgressOfAsync(Event(other), CancellationToken.None)).ShouldBe(new JournalProgress(Received, IsFinished: true));
        (await pipeline.Journal.ProgressOfAsync(Event(SampleNotices.Answered), CancellationToken.None)).ShouldBe(new JournalProgress(Received, IsFinished: false));
    }

    [Fact]
    public async Task AfterAFailedHandler_OnlyTheUnfinishedAreLeft_UntilAllAreDone()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());
        var callEvent = Event(SampleNotices.Answered);
        string[] handlers = ["crm", "mail", "never_ran"];
        var entry = await pipeline.Journal.RecordAsync(callEvent, handlers, CancellationToken.None);
        entry.Unfinished.ShouldBe(handlers);

        await pipeline.Journal.NoteHandlersAsync(entry, [new("crm", JournalRow.Done), new("mail", JournalRow.Failed)], CancellationToken.None);

        var resumed = await pipeline.Journal.RecordAsync(callEvent, handlers, CancellationToken.None);
        resumed.Outcome.ShouldBe(JournalOutcome.Resumed);
        resumed.Unfinished.ShouldBe(["mail", "never_ran"]);
        (await pipeline.Journal.ProgressOfAsync(callEvent, CancellationToken.None))!.IsFinished.ShouldBeFalse();

        await pipeline.Journal.NoteHandlersAsync(resumed, [new("mail", JournalRow.Done), new("never_ran", JournalRow.Done)], CancellationToken.None);
        (await pipeline.Journal.ProgressOfAsync(callEvent, CancellationToken.None))!.IsFinished.ShouldBeTrue();
    }

    [Fact]
    public async Task AHandlerAddedLater_DoesNotRunForOldEvents()
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());
        await pipeline.Journal.RecordAsync(Event(SampleNotices.Answered), [], CancellationToken.None);

        var entry = await pipeline.Journal.RecordAsync(Event(SampleNotices.Answered, Received.AddDays(1)), ["new"], CancellationToken.None);

        entry.Unfinished.ShouldBeEmpty();
        entry.Outcome.ShouldBe(JournalOutcome.Duplicate);
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
    public async Task AHostileId_StaysInItsPartitionAndRange_AndReadsBack(string hostile)
    {
        await using var pipeline = new PipelineUnderTest(azurite.NewStorage());
        var conversation = Event(SampleNotices.AnsweredWith(("conversation_uuid", hostile)));
        var leg = Event(SampleNotices.AnsweredWith(("cmiuuid", hostile), ("conversation_uuid", hostile + "2"), ("leg", hostile)));

        await pipeline.Journal.RecordAsync(conversation, [], CancellationToken.None);
        await pipeline.Journal.RecordAsync(leg, [], CancellationToken.None);

        var rows = await pipeline.JournalRowsAsync();
        rows.Count.ShouldBe(2);
        rows.ShouldAllBe(row => row.PartitionKey == "2022-04-22" && row.RowKey.Length <= 512);
        var (from, to) = JournalKey.RowsOf(hostile);
        var found = rows.Where(row => string.CompareOrdinal(row.RowKey, from) >= 0 && string.CompareOrdinal(row.RowKey, to) < 0).ShouldHaveSingleItem();
        found.GetString("ConversationId").ShouldBe(hostile);
        using var envelope = JsonDocument.Parse(found.GetString("Event"));
        envelope.RootElement.GetProperty("data").GetProperty("conversation_uuid").GetString().ShouldBe(hostile);
        (await pipeline.Journal.ProgressOfAsync(leg, CancellationToken.None))!.IsFinished.ShouldBeTrue();
    }

    private static CallEvent Event(byte[] notice, DateTimeOffset? receivedAt = null)
    {
        EventEnvelope.TryRead(PipelineUnderTest.EnvelopeOf(notice, receivedAt ?? Received), out var callEvent, out var fault).ShouldBeTrue(fault);
        return callEvent!;
    }
}
