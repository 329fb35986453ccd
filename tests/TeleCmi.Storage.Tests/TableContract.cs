using System.Globalization;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Storage.Tests;

/// <summary>What every store's tables do.</summary>
public abstract class TableContract : IAsyncLifetime
{
    private static readonly RowKey Key = new("2026-10-05", "row");
    private static readonly DateTimeOffset Noon = new(2026, 10, 5, 12, 0, 0, TimeSpan.Zero);

    private readonly StoreUnderTest _subject;
    private readonly ITable _table;

    protected TableContract(Func<StoreUnderTest> open)
    {
        _subject = open();
        _table = _subject.Store.Table($"T{Guid.NewGuid():N}");
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _subject.EndAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task InsertedRow_IsFoundWithItsVersionAndIsNotInsertedTwice()
    {
        var version = (await _table.TryInsertAsync(new TableRow(Key) { ["Kind"] = "first" }, default)).ShouldNotBeNull();
        (await _table.TryInsertAsync(new TableRow(Key) { ["Kind"] = "second" }, default)).ShouldBeNull();
        (await _table.TryClaimAsync(new TableRow(Key) { ["Kind"] = "third" }, default)).ShouldBeNull();

        var row = (await _table.FindAsync(Key, null, default)).ShouldNotBeNull();
        row.Key.ShouldBe(Key);
        row.Version.ShouldBe(version);
        row.Text("Kind").ShouldBe("first");
    }

    [Fact]
    public async Task ConcurrentInsertsAndClaims_OfOneKeyHaveOneWinner()
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(number => number % 2 == 0
            ? _table.TryClaimAsync(new TableRow(Key) { ["Number"] = number }, default)
            : _table.TryInsertAsync(new TableRow(Key) { ["Number"] = number }, default)));
        var winner = outcomes.Index().Where(outcome => outcome.Item is not null).ShouldHaveSingleItem();
        (await _table.FindAsync(Key, null, default)).ShouldNotBeNull().Number("Number").ShouldBe(winner.Index);
    }

    [Fact]
    public async Task Values_KeepTheirTypes()
    {
        byte[] few = [0, 1, 255];
        var many = new byte[30_000];
        Random.Shared.NextBytes(many);
        var large = new string('é', 20_000);
        await _table.UpsertAsync(
            new TableRow(Key)
            {
                ["Text"] = "a \"quoted\" \\ <line>\nand 😀",
                ["EmptyText"] = "",
                ["LargeText"] = large,
                ["True"] = true,
                ["False"] = false,
                ["Int"] = int.MinValue,
                ["Long"] = long.MaxValue,
                ["Small"] = 1L,
                ["Double"] = 0.1 + 0.2,
                ["Negative"] = -1e-300,
                ["Time"] = new DateTimeOffset(2026, 10, 5, 14, 0, 0, TimeSpan.FromHours(2)).AddTicks(1234567),
                ["Bytes"] = few,
                ["ManyBytes"] = many,
                ["Nothing"] = null,
            },
            default);

        var row = (await _table.FindAsync(Key, null, default)).ShouldNotBeNull();
        row["Text"].ShouldBe("a \"quoted\" \\ <line>\nand 😀");
        row["EmptyText"].ShouldBe("");
        row["LargeText"].ShouldBe(large);
        row["True"].ShouldBe(true);
        row["False"].ShouldBe(false);
        row["Int"].ShouldBe(int.MinValue);
        row["Long"].ShouldBe(long.MaxValue);
        row["Small"].ShouldBeOfType<long>().ShouldBe(1L);
        row["Double"].ShouldBe(0.1 + 0.2);
        row["Negative"].ShouldBe(-1e-300);
        row["Bytes"].ShouldBeOfType<byte[]>().ShouldBe(few);
        row["ManyBytes"].ShouldBeOfType<byte[]>().ShouldBe(many);
        row["Nothing"].ShouldBeNull();
        var time = row["Time"].ShouldBeOfType<DateTimeOffset>();
        time.ShouldBe(Noon.AddTicks(1234567));
        time.Offset.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public async Task Merge_WritesItsColumnsAndKeepsTheOthers()
    {
        var large = new string('x', 5000);
        var version = await _table.TryInsertAsync(new TableRow(Key) { ["Kind"] = "a", ["State"] = "new", ["Event"] = large, ["Body"] = "small" }, default);

        (await _table.MergeAsync(new TableRow(Key) { ["State"] = "done", ["Kind"] = null, ["Count"] = 2 }, null, default)).ShouldBe(WriteOutcome.Written);
        var row = (await _table.FindAsync(Key, null, default)).ShouldNotBeNull();
        row.Version.ShouldNotBe(version);
        row.Text("State").ShouldBe("done");
        row.Text("Kind").ShouldBe("a");
        row.Number("Count").ShouldBe(2);
        row.Text("Event").ShouldBe(large);

        // A large value becomes small, a small one large, and one changes its type.
        (await _table.MergeAsync(new TableRow(Key) { ["Event"] = "short", ["Body"] = large, ["Count"] = "two" }, row.Version, default)).ShouldBe(WriteOutcome.Written);
        row = (await _table.FindAsync(Key, null, default)).ShouldNotBeNull();
        row.Text("Event").ShouldBe("short");
        row.Text("Body").ShouldBe(large);
        row["Count"].ShouldBe("two");
        row.Text("State").ShouldBe("done");
    }

    [Fact]
    public async Task Replace_LeavesNothingOfTheOldRow()
    {
        await _table.UpsertAsync(new TableRow(Key) { ["Kind"] = "a", ["Event"] = new string('x', 5000) }, default);
        (await _table.ReplaceAsync(new TableRow(Key) { ["State"] = "done" }, null, default)).ShouldBe(WriteOutcome.Written);
        (await _table.FindAsync(Key, null, default)).ShouldNotBeNull().Select(column => column.Key).ShouldBe(["State"]);

        await _table.UpsertAsync(new TableRow(Key) { ["Kind"] = "b" }, default);
        (await _table.FindAsync(Key, null, default)).ShouldNotBeNull().Select(column => column.Key).ShouldBe(["Kind"]);
    }

    [Fact]
    public async Task WriteWithAVersion_NeedsThatVersion()
    {
        var first = (await _table.TryInsertAsync(new TableRow(Key) { ["Number"] = 1 }, default)).ShouldNotBeNull();
        (await _table.MergeAsync(new TableRow(Key) { ["Number"] = 2 }, first, default)).ShouldBe(WriteOutcome.Written);

        (await _table.MergeAsync(new TableRow(Key) { ["Number"] = 3 }, first, default)).ShouldBe(WriteOutcome.Changed);
        (await _table.ReplaceAsync(new TableRow(Key) { ["Number"] = 3 }, first, default)).ShouldBe(WriteOutcome.Changed);
        (await _table.DeleteAsync(Key, first, default)).ShouldBe(WriteOutcome.Changed);
        var row = (await _table.FindAsync(Key, null, default)).ShouldNotBeNull();
        row.Number("Number").ShouldBe(2);

        (await _table.ReplaceAsync(new TableRow(Key) { ["Number"] = 4 }, row.Version, default)).ShouldBe(WriteOutcome.Written);
        (await _table.DeleteAsync(Key, row.Version, default)).ShouldBe(WriteOutcome.Changed);
        (await _table.DeleteAsync(Key, (await _table.FindAsync(Key, [], default))!.Version, default)).ShouldBe(WriteOutcome.Written);
        (await _table.FindAsync(Key, null, default)).ShouldBeNull();
    }

    [Fact]
    public async Task RowThatWasDeletedAndInsertedAgain_HasAnotherVersion()
    {
        var first = await _table.TryInsertAsync(new TableRow(Key), default);
        await _table.DeleteAsync(Key, null, default);
        await _table.TryInsertAsync(new TableRow(Key), default);
        (await _table.DeleteAsync(Key, first, default)).ShouldBe(WriteOutcome.Changed);
    }

    [Fact]
    public async Task WriteToARowThatIsNotThere_SaysSo()
    {
        await _table.UpsertAsync(new TableRow(new RowKey("other", "row")), default);
        (await _table.MergeAsync(new TableRow(Key) { ["Number"] = 1 }, null, default)).ShouldBe(WriteOutcome.Missing);
        (await _table.ReplaceAsync(new TableRow(Key) { ["Number"] = 1 }, null, default)).ShouldBe(WriteOutcome.Missing);
        (await _table.DeleteAsync(Key, null, default)).ShouldBe(WriteOutcome.Missing);
        (await _table.FindAsync(Key, null, default)).ShouldBeNull();
    }

    [Fact]
    public async Task UnknownTable_IsEmpty()
    {
        (await _table.FindAsync(Key, null, default)).ShouldBeNull();
        (await ReadAsync(new TableQuery())).ShouldBeEmpty();
        (await _table.DeleteAsync(Key, null, default)).ShouldBe(WriteOutcome.Missing);
        (await _table.MergeAsync(new TableRow(Key) { ["Number"] = 1 }, null, default)).ShouldBe(WriteOutcome.Missing);
    }

    [Fact]
    public async Task Rows_ComeInTheOrderOfTheirKeys()
    {
        string[] rows = ["a", "B", "A", "a-b", "ab", "a|", "Z", "z", "0", "é", "a b", "~"];
        foreach (var row in rows)
        {
            await InsertAsync("p", row);
        }

        await InsertAsync("P", "x");
        var keys = (await ReadAsync(new TableQuery())).Select(row => row.Key).ToArray();
        keys[0].ShouldBe(new RowKey("P", "x"));
        keys[1..].Select(key => key.Row).ShouldBe(rows.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Ranges_IncludeTheFirstKeysAndTheLastPartitionAndNotTheEndOfTheRows()
    {
        foreach (var partition in new[] { "2026-10-04", "2026-10-05", "2026-10-06", "2026-10-07" })
        {
            foreach (var row in new[] { "a|1", "a|2", "b|1", "c|1" })
            {
                await InsertAsync(partition, row);
            }
        }

        (await KeysAsync(new TableQuery { PartitionFrom = "2026-10-05", PartitionTo = "2026-10-05", RowFrom = "a|", RowBefore = "a}" }))
            .ShouldBe(["2026-10-05 a|1", "2026-10-05 a|2"]);
        (await KeysAsync(new TableQuery { PartitionFrom = "2026-10-05", PartitionTo = "2026-10-06", RowFrom = "b|1", RowBefore = "c|1", PageSize = 1 }))
            .ShouldBe(["2026-10-05 b|1", "2026-10-06 b|1"]);
        (await KeysAsync(new TableQuery { PartitionFrom = "2026-10-07", RowBefore = "b" })).ShouldBe(["2026-10-07 a|1", "2026-10-07 a|2"]);
        (await KeysAsync(new TableQuery { PartitionTo = "2026-10-04", RowFrom = "b|2" })).ShouldBe(["2026-10-04 c|1"]);
        (await KeysAsync(new TableQuery { RowFrom = "c" })).Length.ShouldBe(4);
        (await KeysAsync(new TableQuery { PartitionFrom = "2026-10-08" })).ShouldBeEmpty();
    }

    [Fact]
    public async Task Conditions_ChooseRowsByTheirColumns()
    {
        var large = new string('y', 1000);
        await UpsertAsync("1", ("User", "102"), ("Number", 1), ("At", Noon), ("Flag", true), ("Long", 5L), ("Body", large + "1"));
        await UpsertAsync("2", ("User", "102_1111112"), ("Number", 2), ("At", Noon.AddMilliseconds(1)), ("Flag", false), ("Long", -5L), ("Body", large + "2"));
        await UpsertAsync("3", ("User", "1023"), ("Number", 3), ("At", Noon.AddHours(1)), ("Double", 1.5), ("Body", "y"));
        await UpsertAsync("4", ("User", "103"), ("Double", -2.5), ("Quote", "it's \"so\""));
        await UpsertAsync("5", ("Number", "3"));

        (await WhereAsync(TableCondition.Equal("User", "102"))).ShouldBe("1");
        (await WhereAsync(TableCondition.StartsWith("User", "102"))).ShouldBe("1 2 3");
        (await WhereAsync(TableCondition.AnyOf(TableCondition.Equal("User", "102"), TableCondition.StartsWith("User", "102_")))).ShouldBe("1 2");
        (await WhereAsync(TableCondition.AllOf(TableCondition.StartsWith("User", "102"), TableCondition.AtLeast("Number", 2)))).ShouldBe("2 3");
        (await WhereAsync(TableCondition.Below("Number", 3))).ShouldBe("1 2");
        (await WhereAsync(TableCondition.AtLeast("At", Noon.AddMilliseconds(1)))).ShouldBe("2 3");
        (await WhereAsync(TableCondition.Below("At", Noon.AddMilliseconds(1)))).ShouldBe("1");
        (await WhereAsync(TableCondition.Equal("At", Noon.ToOffset(TimeSpan.FromHours(5.5))))).ShouldBe("1");
        (await WhereAsync(TableCondition.Equal("Flag", true))).ShouldBe("1");
        (await WhereAsync(TableCondition.Equal("Flag", false))).ShouldBe("2");
        (await WhereAsync(TableCondition.Below("Long", 0L))).ShouldBe("2");
        (await WhereAsync(TableCondition.Below("Double", 1.5))).ShouldBe("4");
        (await WhereAsync(TableCondition.AtLeast("Double", -2.5))).ShouldBe("3 4");
        (await WhereAsync(TableCondition.Equal("Quote", "it's \"so\""))).ShouldBe("4");
        (await WhereAsync(TableCondition.Equal("Body", large + "2"))).ShouldBe("2");
        (await WhereAsync(TableCondition.StartsWith("Body", "yy"))).ShouldBe("1 2");
        (await WhereAsync(TableCondition.Equal("Absent", "102"))).ShouldBe("");
        (await WhereAsync(TableCondition.Below("Absent", 5))).ShouldBe("");
        (await WhereAsync(null)).ShouldBe("1 2 3 4 5");
    }

    [Fact]
    public async Task ChosenColumns_AreAllThatIsRead()
    {
        await _table.UpsertAsync(new TableRow(Key) { ["Kind"] = "a", ["Leg"] = "b", ["Event"] = new string('x', 5000), ["Body"] = new byte[5000] }, default);

        var row = (await _table.FindAsync(Key, ["Kind", "Absent"], default)).ShouldNotBeNull();
        row.Select(column => column.Key).ShouldBe(["Kind"]);
        row.Version.ShouldNotBeNull();
        (await _table.FindAsync(Key, ["Event"], default)).ShouldNotBeNull().Select(column => column.Key).ShouldBe(["Event"]);

        row = (await ReadAsync(new TableQuery { Columns = ["Leg"], Where = TableCondition.Equal("Kind", "a") })).ShouldHaveSingleItem();
        row.Select(column => column.Key).ShouldBe(["Leg"]);
        row.Key.ShouldBe(Key);
        row = (await ReadAsync(new TableQuery())).ShouldHaveSingleItem();
        row.Select(column => column.Key).Order(StringComparer.Ordinal).ShouldBe(["Body", "Event", "Kind", "Leg"]);
        row.Text("Event").ShouldBe(new string('x', 5000));
    }

    [Fact]
    public async Task Pages_HaveEachRowOnceWhileOthersAreInserted()
    {
        foreach (var number in Enumerable.Range(0, 25))
        {
            await InsertAsync(number < 12 ? "p1" : "p2", number.ToString("D3", CultureInfo.InvariantCulture));
        }

        var query = new TableQuery { PartitionFrom = "p", PageSize = 10 };
        var keys = new List<string>();
        string? continuation = null;
        var pages = 0;
        do
        {
            var page = await _table.ReadPageAsync(query, continuation, default);
            page.Rows.Count.ShouldBeLessThanOrEqualTo(10);
            keys.AddRange(page.Rows.Select(row => row.Key.Row));
            continuation = page.Continuation;
            pages++;

            // Before and behind what has been read.
            await InsertAsync("p0", $"before{pages}");
            await InsertAsync("p1", $"000-{pages}");
        }
        while (continuation is not null);

        pages.ShouldBeGreaterThanOrEqualTo(3);
        keys.Where(key => key.Length == 3).ShouldBe(Enumerable.Range(0, 25).Select(number => number.ToString("D3", CultureInfo.InvariantCulture)));
        keys.Distinct().Count().ShouldBe(keys.Count);
    }

    [Fact]
    public async Task OddKeys_AreKeysLikeOthers()
    {
        string[] odd = [" ", "a b", "it's", "\"", "'; DROP TABLE TableRows; --", "{}", "%", "_", "a*", "日本", "😀", TableKey.Part("a/b\\c#d?e%f\u0001"), new string('k', 400), ".", "$"];
        foreach (var text in odd)
        {
            (await _table.TryInsertAsync(new TableRow(new RowKey(TableKey.Part("p/1"), text == "%" ? TableKey.Part(text) : text)) { ["Text"] = text }, default)).ShouldNotBeNull();
        }

        (await ReadAsync(new TableQuery())).Select(row => row.Text("Text")).Order(StringComparer.Ordinal).ShouldBe(odd.Order(StringComparer.Ordinal));
        foreach (var text in odd)
        {
            (await _table.FindAsync(new RowKey(TableKey.Part("p/1"), text == "%" ? TableKey.Part(text) : text), null, default)).ShouldNotBeNull().Text("Text").ShouldBe(text);
        }
    }

    [Fact]
    public async Task Tables_KeepTheirRowsApart()
    {
        await InsertAsync("p", "row");
        var other = _subject.Store.Table(_table.Name + "2");
        (await other.FindAsync(new RowKey("p", "row"), null, default)).ShouldBeNull();
        (await other.TryInsertAsync(new TableRow(new RowKey("p", "row")), default)).ShouldNotBeNull();
        await other.DeleteAsync(new RowKey("p", "row"), null, default);
        (await ReadAsync(new TableQuery())).ShouldHaveSingleItem();
    }

    private async Task InsertAsync(string partition, string row) =>
        (await _table.TryInsertAsync(new TableRow(new RowKey(partition, row)) { ["Kind"] = "a" }, default)).ShouldNotBeNull();

    private Task UpsertAsync(string row, params IEnumerable<(string Column, object Value)> columns)
    {
        var entity = new TableRow(new RowKey("p", row));
        foreach (var (column, value) in columns)
        {
            entity[column] = value;
        }

        return _table.UpsertAsync(entity, default);
    }

    private async Task<List<TableRow>> ReadAsync(TableQuery query) => await _table.RowsAsync(query, default).ToListAsync();

    private async Task<string[]> KeysAsync(TableQuery query) => [.. (await ReadAsync(query)).Select(row => $"{row.Key.Partition} {row.Key.Row}")];

    private async Task<string> WhereAsync(TableCondition? condition) =>
        string.Join(' ', (await ReadAsync(new TableQuery { Where = condition })).Select(row => row.Key.Row));
}
