using System.Globalization;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Cli.Tests;

public sealed class PurgeCommandTests
{
    // Ten days after the first event's day, nine after the second one's.
    private static readonly StoppedClock Now = new(new DateTimeOffset(2026, 3, 11, 12, 0, 0, TimeSpan.Zero));

    private static readonly DateTimeOffset Boundary = new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);

    private readonly Operator _operator = new() { Clock = Now };

    [Fact]
    public async Task Purge_DeletesWholeDaysBeforeTheRetention_OfEveryTable()
    {
        await _operator.WriteAsync(Notices.Answered("leg-1", time: "1772359200000"), Notices.Answered("leg-2", time: "1772445600000"));
        await _operator.KeepRejectedAsync("one", "2026-03-01");
        await _operator.KeepRejectedAsync("two", "2026-03-02");
        await AddAsync("Deliveries", "2026-03-01", "a");
        await AddAsync("Deliveries", "2026-03-02", "b");
        await AddAsync("Deliveries", "waiting", "c");
        foreach (var (table, partition) in new[] { ("ForwardClaims", "crm"), ("CallEvents", "undated"), ("Deliveries", "undated") })
        {
            await AddAsync(table, partition, "old", Boundary.AddTicks(-1));
            await AddAsync(table, partition, "new", Boundary);
        }

        (await _operator.RunAsync("purge", "--older-than", "9", "--dry-run", "--json")).Json.GetProperty("rows").ToString().ShouldContain("\"CallEvents\": 2");
        (await _operator.JournalAsync()).Count.ShouldBe(4, "a dry run deletes nothing");

        var result = await _operator.RunAsync("purge", "--older-than", "9", "--yes");
        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        result.Out.ShouldContain("6 rows before 2026-03-02 deleted.");
        (await _operator.JournalAsync()).Select(row => row.Key.Partition).ShouldBe(["2026-03-02", "undated"]);
        (await _operator.DeadLettersAsync()).ShouldHaveSingleItem().Key.Partition.ShouldBe("2026-03-02");
        (await RowsAsync("Deliveries")).ShouldBe(["2026-03-02 b", "undated new", "waiting c"]);
        (await RowsAsync("ForwardClaims")).ShouldBe(["crm new"]);
        (await _operator.RunAsync("purge", "--older-than", "9", "--yes")).Out.ShouldContain("0 rows");
    }

    [Fact]
    public async Task Purge_TakesTheDaysFromTheSetting_AndDoesNothingWithoutAny()
    {
        await _operator.WriteAsync(Notices.Answered(time: "1772359200000"));
        var unset = await _operator.RunAsync("purge", "--yes");
        unset.ExitCode.ShouldBe(ExitCodes.Usage);
        unset.Error.ShouldContain("TeleCmi__Retention");

        _operator.Settings["TeleCmi:Retention"] = "3";
        (await _operator.RunAsync("purge", "--yes")).Error.ShouldContain("TeleCmi__Retention: 3 is outside 7 to 3650 days.");
        (await _operator.JournalAsync()).ShouldHaveSingleItem();

        _operator.Settings["TeleCmi:Retention"] = "9";
        (await _operator.RunAsync("purge")).ExitCode.ShouldBe(ExitCodes.Usage, "nobody is there to ask");
        (await _operator.JournalAsync()).ShouldHaveSingleItem();
        (await _operator.RunAsync("purge", "--yes")).ExitCode.ShouldBe(ExitCodes.Fine);
        (await _operator.JournalAsync()).ShouldBeEmpty();
    }

    private Task AddAsync(string table, string partition, string row, DateTimeOffset? at = null) =>
        _operator.Store!.Table(table).UpsertAsync(new TableRow(new RowKey(partition, row)) { ["State"] = "delivered", ["ClaimedAt"] = at, ["ReceivedAt"] = at }, CancellationToken.None);

    private async Task<IReadOnlyList<string>> RowsAsync(string table) =>
        await _operator.Store!.Table(table).RowsAsync(new TableQuery(), CancellationToken.None).Select(row => string.Create(CultureInfo.InvariantCulture, $"{row.Key.Partition} {row.Key.Row}")).ToListAsync();
}
