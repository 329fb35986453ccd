using System.Text;
using System.Text.Json;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Cli.Tests;

public sealed class DeadLetterCommandsTests
{
    private readonly Operator _operator = new();

    [Fact]
    public async Task List_OnANewAccount_IsEmptyAndFine()
    {
        var result = await _operator.RunAsync("dead-letters", "list");
        result.ExitCode.ShouldBe(ExitCodes.Fine);
        result.Out.Trim().ShouldBe("No dead letters.");
        (await _operator.RunAsync("dead-letters", "list", "--json")).Json.GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task List_ShowsPoisonAndRejectedAlike_WithoutBodies()
    {
        var rejected = await _operator.KeepRejectedAsync("broken 442000000001");
        var poison = await _operator.KeepPoisonAsync(Notices.Answered());

        var table = await _operator.RunAsync("dead-letters", "list");
        table.Out.ShouldContain(rejected);
        table.Out.ShouldContain(poison);
        table.Out.ShouldNotContain("442000000001");

        var json = (await _operator.RunAsync("dead-letters", "list", "--json")).Json;
        json.EnumerateArray().Select(letter => letter.GetProperty("id").GetString()).ShouldBe([rejected, poison]);
        json[1].GetProperty("kind").GetString().ShouldBe("outgoing.answered");
        json[1].GetProperty("eventId").GetString().ShouldBe("2223343:event:leg-1:a:answered");
        json[0].TryGetProperty("body", out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("--reason rejected", 2)]
    [InlineData("--reason poison", 1)]
    [InlineData("--kind outgoing.answered", 1)]
    [InlineData("--from 2026-03-02", 2)]
    [InlineData("--to 2026-03-01", 1)]
    [InlineData("--from 2026-03-02 --to 2026-03-02", 1)]
    [InlineData("--containing one", 1)]
    [InlineData("--containing o'brien", 0)]
    public async Task List_IsNarrowedByItsOptions(string options, int expected)
    {
        await _operator.KeepRejectedAsync("one", "2026-03-01");
        await _operator.KeepRejectedAsync("two", "2026-03-03");
        await _operator.KeepPoisonAsync(Notices.Answered(), "2026-03-02");
        (await _operator.RunAsync(["dead-letters", "list", "--json", .. options.Split(' ')])).Json.GetArrayLength().ShouldBe(expected);
    }

    [Fact]
    public async Task List_SaysWhenThereIsMoreThanItShows()
    {
        await _operator.KeepRejectedAsync("one");
        await _operator.KeepRejectedAsync("two");
        var result = await _operator.RunAsync("dead-letters", "list", "--limit", "1", "--json");
        result.Json.GetArrayLength().ShouldBe(1);
        result.Error.ShouldContain("more than 1");
    }

    [Fact]
    public async Task List_GroupsEqualOnes_AndEachListsThemAll()
    {
        string[] ids = [await _operator.KeepRejectedAsync("one", "2026-03-01"), await _operator.KeepRejectedAsync("two", "2026-03-02"), await _operator.KeepRejectedAsync("three", "2026-03-04")];
        var poison = await _operator.KeepPoisonAsync(Notices.Answered(), "2026-03-03");

        var grouped = (await _operator.RunAsync("dead-letters", "list")).Out;
        grouped.ReplaceLineEndings("\n").ShouldBe($"""
            3 x rejected
                The text is not valid JSON.
                received 2026-03-01T10:00:00.000Z to 2026-03-04T10:00:00.000Z
                such as {ids[0]}
            1 x poison of outgoing.answered
                Processing failed too often.
                received 2026-03-03T10:00:00.000Z
                id {poison}

            """.ReplaceLineEndings("\n"));
        grouped.ShouldNotContain(ids[1]);

        var each = (await _operator.RunAsync("dead-letters", "list", "--each")).Out;
        ids.ShouldAllBe(id => each.Contains(id));
        (await _operator.RunAsync("dead-letters", "list", "--json")).Json.GetArrayLength().ShouldBe(4);
        (await _operator.RunAsync("dead-letters", "list", "--limit", "1")).Error.ShouldContain("more than 1");
    }

    [Fact]
    public async Task List_TellsDestinationsAndErrorsApart()
    {
        foreach (var (destination, error, number) in new[] { ("crm", "422", 1), ("crm", "422", 2), ("erp", "422", 3), ("crm", "404", 4) })
        {
            await _operator.KeepAsync(new DeadLetter
            {
                Reason = DeadLetterReason.Forward,
                Kind = "outgoing.answered",
                ReceivedAt = DateTimeOffset.UnixEpoch,
                Error = error,
                Body = Array.Empty<byte>(),
                Destination = destination,
                Discriminator = $"{number}",
            });
        }

        var lines = (await _operator.RunAsync("dead-letters", "list")).Out.Split('\n').Select(line => line.Trim()).ToArray();
        lines.Index().Where(line => line.Item.Contains(" x ", StringComparison.Ordinal)).Select(line => $"{line.Item}: {lines[line.Index + 1]}").ShouldBe(
            ["2 x forward of outgoing.answered to crm: 422", "1 x forward of outgoing.answered to erp: 422", "1 x forward of outgoing.answered to crm: 404"]);
    }

    [Theory]
    [InlineData("list", 0)]
    [InlineData("list --containing leg-1", 2)]
    [InlineData("replay --all", 2)]
    [InlineData("replay --containing leg-1", 2)]
    [InlineData("discard --all --yes", 0)]
    public async Task Bodies_AreReadOnlyWhereTheyAreNeeded_AndOnce(string options, int bodies)
    {
        await _operator.KeepPoisonAsync(Notices.Answered());
        await _operator.KeepPoisonAsync(Notices.Answered());
        var read = 0;
        var watched = _operator with
        {
            Store = WatchedStore.Over(_operator.Store!, (method, args) => read += (method.Name, args) switch
            {
                (nameof(ITable.FindAsync), _) => 1,
                (nameof(ITable.ReadPageAsync), [TableQuery { Columns: null }, ..]) => 2,
                _ => 0,
            }),
        };
        (await watched.RunAsync(["dead-letters", .. options.Split(' ')])).ExitCode.ShouldBe(ExitCodes.Fine);
        read.ShouldBe(bodies);
    }

    [Fact]
    public async Task Show_GivesTheBodyAsItCame()
    {
        var text = await _operator.KeepRejectedAsync("broken: 442000000001");
        var bytes = await _operator.KeepRejectedAsync([0xFF, 0xFE, 0x00]);
        (await _operator.RunAsync("dead-letters", "show", text)).Out.ShouldContain("broken: 442000000001");
        (await _operator.RunAsync("dead-letters", "show", text, "--json")).Json.GetProperty("body").GetString().ShouldBe("broken: 442000000001");
        (await _operator.RunAsync("dead-letters", "show", bytes)).Out.ShouldContain("//4A");
        (await _operator.RunAsync("dead-letters", "show", bytes, "--json")).Json.GetProperty("bodyBase64").GetString().ShouldBe("//4A");
    }

    [Fact]
    public async Task Show_OfWhatIsNotThere_Fails()
    {
        var result = await _operator.RunAsync("dead-letters", "show", "2026-03-01/100000000-none");
        result.ExitCode.ShouldBe(ExitCodes.Failed);
        result.Error.ShouldContain("no dead letter");
        (await _operator.RunAsync("dead-letters", "show", "nonsense")).ExitCode.ShouldBe(ExitCodes.Usage);
    }

    [Fact]
    public async Task HostileText_IsShownWithoutTouchingTheTerminal()
    {
        var id = await _operator.KeepAsync(new DeadLetter
        {
            Reason = DeadLetterReason.Rejected,
            Kind = "[red]x[/]",
            ReceivedAt = DateTimeOffset.UnixEpoch,
            Error = "[bold]\u001b[2J\u202e\r\nforged line[/",
            Body = Encoding.UTF8.GetBytes("\u001b]0;title\u0007\u0085[blink]{[["),
            Discriminator = "1",
        });
        foreach (var args in new string[][] { ["list"], ["list", "--each"], ["list", "--json"], ["show", id], ["show", id, "--json"], ["replay", id] })
        {
            var result = await _operator.RunAsync(["dead-letters", .. args]);
            result.ExitCode.ShouldBeOneOf(ExitCodes.Fine, ExitCodes.NeedsPerson);
            result.Unsafe.ShouldBeEmpty(string.Join(' ', args));
            result.Out.Split('\n').ShouldNotContain(line => line.StartsWith("forged", StringComparison.Ordinal));
        }

        (await _operator.RunAsync("dead-letters", "list")).Out.ShouldContain("[red]x[/]");
    }

    [Fact]
    public async Task Replay_OfPoison_ProcessesTheEventAndRemovesTheLetter()
    {
        var id = await _operator.KeepPoisonAsync(Notices.Answered());
        var result = await _operator.RunAsync("dead-letters", "replay", id);
        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        result.Out.Trim().ShouldBe("1 replayed of 1.");
        (await _operator.DeadLettersAsync()).ShouldBeEmpty();

        await _operator.ProcessAsync();
        (await _operator.JournalAsync()).Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("json")]
    [InlineData("query")]
    public async Task Replay_OfARejectedBodyThatCanBeReadNow_GoesThroughTheReader(string form)
    {
        var body = form == "json"
            ? Notices.Answered()
            : "?type=event&direction=outbound&status=answered&leg=a&cmiuuid=leg-1&conversation_uuid=conversation-1&app_id=2223343&user=202_2222223&callerid=442000000000&to=442000000001&time=1772359200000";
        await _operator.KeepRejectedAsync(body);
        var result = await _operator.RunAsync("dead-letters", "replay", "--all", "--json");
        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Out);
        result.Json.GetProperty("letters")[0].GetProperty("eventId").GetString().ShouldBe("2223343:event:leg-1:a:answered");
        await _operator.ProcessAsync();
        (await _operator.JournalAsync()).Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("{\"app_id\": 1, broken")]
    [InlineData("just words")]
    [InlineData("[1,2]")]
    [InlineData("")]
    public async Task Replay_OfWhatIsStillUnreadable_StaysAndNeedsAPerson(string body)
    {
        await _operator.KeepRejectedAsync(body);
        var result = await _operator.RunAsync("dead-letters", "replay", "--all");
        result.ExitCode.ShouldBe(ExitCodes.NeedsPerson);
        result.Out.ShouldContain("1 stays of 1.");
        (await _operator.DeadLettersAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Replay_OfFieldsThatAreStillUnreadable_SaysWhatIsWrongWithThem()
    {
        await _operator.KeepRejectedAsync([.. "type=event&user="u8, 0xFF]);
        (await _operator.RunAsync("dead-letters", "replay", "--all")).Out.ShouldContain("stays: A field is not valid UTF-8 text.");
    }

    [Fact]
    public async Task Replay_OfARejectedBody_ObeysTheSettingsAsTheReceiverDoes()
    {
        await _operator.KeepRejectedAsync(Notices.Answered(status: "hangup"));
        var refused = await _operator.RunAsync("dead-letters", "replay", "--all");
        refused.ExitCode.ShouldBe(ExitCodes.NeedsPerson);
        refused.Out.ShouldContain("TeleCmi__AcceptedEvents");

        _operator.Settings["TeleCmi:AcceptedEvents"] = "*";
        _operator.Settings["TeleCmi:AppIds"] = "7";
        (await _operator.RunAsync("dead-letters", "replay", "--all")).Out.ShouldContain("TeleCmi__AppIds");

        _operator.Settings["TeleCmi:AppIds"] = "2223343";
        (await _operator.RunAsync("dead-letters", "replay", "--all")).ExitCode.ShouldBe(ExitCodes.Fine);
    }

    [Fact]
    public async Task Replay_OfAPoisonMessageThatIsNoEvent_Stays()
    {
        await _operator.KeepAsync(new DeadLetter
        {
            Reason = DeadLetterReason.Poison,
            ReceivedAt = DateTimeOffset.UnixEpoch,
            Error = "x",
            Body = "not an envelope"u8.ToArray(),
            Discriminator = "1",
        });
        (await _operator.RunAsync("dead-letters", "replay", "--reason", "poison")).ExitCode.ShouldBe(ExitCodes.NeedsPerson);
        (await _operator.DeadLettersAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Replay_WithoutAChoice_DoesNothing()
    {
        await _operator.KeepPoisonAsync(Notices.Answered());
        (await _operator.RunAsync("dead-letters", "replay")).ExitCode.ShouldBe(ExitCodes.Usage);
        (await _operator.RunAsync("dead-letters", "discard", "--yes")).ExitCode.ShouldBe(ExitCodes.Usage);
        (await _operator.DeadLettersAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Replay_OfAnUnknownId_FailsAndStillReplaysTheOthers()
    {
        var id = await _operator.KeepPoisonAsync(Notices.Answered());
        var result = await _operator.RunAsync("dead-letters", "replay", "2026-03-01/100000000-none", id, "--json");
        result.ExitCode.ShouldBe(ExitCodes.Failed);
        result.Json.GetProperty("counts").GetProperty("missing").GetInt32().ShouldBe(1);
        result.Json.GetProperty("counts").GetProperty("replayed").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Replay_InterruptedAndRepeated_LosesAndDoublesNothing()
    {
        const int Letters = 12;
        using var interrupted = new CancellationTokenSource();
        var removed = 0;
        var first = _operator with
        {
            Store = WatchedStore.Over(_operator.Store!, (method, _) =>
            {
                if (method.Name == nameof(ITable.DeleteAsync) && ++removed == Letters / 2)
                {
                    interrupted.Cancel();
                }
            }),
        };
        for (var i = 0; i < Letters; i++)
        {
            await first.KeepPoisonAsync(Notices.Answered(cmiuuid: $"leg-{i}"));
        }

        var broken = await first.RunAsync(["dead-letters", "replay", "--all"], answer: null, interrupted.Token);
        broken.ExitCode.ShouldBe(ExitCodes.Interrupted);
        var left = (await _operator.DeadLettersAsync()).Count;
        left.ShouldBeInRange(1, Letters - 1);
        broken.Out.ShouldContain($"{Letters - left} replayed of {Letters}.");

        (await _operator.RunAsync("dead-letters", "replay", "--all")).ExitCode.ShouldBe(ExitCodes.Fine);
        (await _operator.DeadLettersAsync()).ShouldBeEmpty();
        await _operator.ProcessAsync();
        (await _operator.JournalAsync()).Count.ShouldBe(Letters);
    }

    [Theory]
    [InlineData(DeadLetterReason.Poison)]
    [InlineData(DeadLetterReason.Rejected)]
    public async Task Replay_KilledBeforeTheLetterWasRemoved_IsAbsorbedByTheJournalWhenRepeated(string reason)
    {
        if (reason == DeadLetterReason.Poison)
        {
            await _operator.KeepPoisonAsync(Notices.Answered());
        }
        else
        {
            await _operator.KeepRejectedAsync(Notices.Answered());
        }

        // What a process that dies between its two steps leaves behind: the message, and the letter.
        var letter = (await _operator.DeadLettersAsync()).Single();
        (await _operator.RunAsync("dead-letters", "replay", "--all")).ExitCode.ShouldBe(ExitCodes.Fine);
        await _operator.Store!.Table(DeadLetterStore.TableName).TryInsertAsync(letter, CancellationToken.None);

        (await _operator.RunAsync("dead-letters", "replay", "--all")).ExitCode.ShouldBe(ExitCodes.Fine);
        (await _operator.Queue.CountAsync(CancellationToken.None)).ShouldBe(2);
        await _operator.ProcessAsync();
        (await _operator.JournalAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Replay_OfAnEventThatFailsAgainAtOnce_KeepsItsLetter()
    {
        await _operator.KeepPoisonAsync(Notices.Answered());
        var table = _operator.Store!.Table(DeadLetterStore.TableName);
        var letter = (await _operator.DeadLettersAsync()).Single();
        var failing = _operator with { Store = WhenSending(() => table.UpsertAsync(letter, CancellationToken.None)) };

        var result = await failing.RunAsync("dead-letters", "replay", "--all");
        result.ExitCode.ShouldBe(ExitCodes.NeedsPerson);
        result.Out.ShouldContain("1 came-back of 1.");
        (await _operator.DeadLettersAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Discard_OfALetterThatComesBackMeanwhile_KeepsIt()
    {
        await _operator.KeepPoisonAsync(Notices.Answered());
        var table = _operator.Store!.Table(DeadLetterStore.TableName);
        var letter = (await _operator.DeadLettersAsync()).Single();
        var racing = _operator with { Store = WatchedStore.Over(_operator.Store, (method, _) => Done(method.Name == nameof(ITable.DeleteAsync) ? table.UpsertAsync(letter, CancellationToken.None) : Task.CompletedTask)) };
        (await racing.RunAsync("dead-letters", "discard", "--all", "--yes")).ExitCode.ShouldBe(ExitCodes.Failed);
        (await _operator.DeadLettersAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Replay_OfAForward_GoesToItsDestinationAlone()
    {
        var envelope = Operator.EnvelopeOf(Notices.Answered(), TimeProvider.System.GetUtcNow());
        var id = await _operator.KeepAsync(new DeadLetter
        {
            Reason = DeadLetterReason.Forward,
            Kind = "outgoing.answered",
            EventId = "2223343:event:leg-1:a:answered",
            ReceivedAt = TimeProvider.System.GetUtcNow(),
            Error = "The receiver responded with 422.",
            Body = envelope,
            Destination = "crm",
            Status = 422,
            ResponseBody = "no such contact",
            Discriminator = "1",
        });
        var shown = await _operator.RunAsync("dead-letters", "show", id);
        shown.Out.ShouldContain("crm");
        shown.Out.ShouldContain("422");
        shown.Out.ShouldContain("no such contact");
        (await _operator.RunAsync("dead-letters", "show", id, "--json")).Json.GetProperty("destination").GetString().ShouldBe("crm");

        (await _operator.RunAsync("dead-letters", "replay", "--reason", "forward")).ExitCode.ShouldBe(ExitCodes.Fine);

        var message = (await _operator.Store!.Queue("telecmi-forwards").PeekAsync(1, CancellationToken.None)).Single();
        var json = JsonDocument.Parse(message.Body).RootElement;
        json.GetProperty("destination").GetString().ShouldBe("crm");
        json.GetProperty("attempt").GetInt32().ShouldBe(1);
        json.GetProperty("envelope").GetRawText().ShouldBe(Encoding.UTF8.GetString(envelope));
        (await _operator.Queue.CountAsync(CancellationToken.None)).ShouldBe(0);
        (await _operator.DeadLettersAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Discard_AsksFirst()
    {
        await _operator.KeepRejectedAsync("one");
        var unasked = await _operator.RunAsync("dead-letters", "discard", "--all");
        unasked.ExitCode.ShouldBe(ExitCodes.Usage);
        unasked.Error.ShouldContain("--yes");
        (await _operator.AskedAsync("n\n", "dead-letters", "discard", "--all")).ExitCode.ShouldBe(ExitCodes.Failed);
        (await _operator.AskedAsync("", "dead-letters", "discard", "--all")).ExitCode.ShouldBe(ExitCodes.Failed);
        (await _operator.DeadLettersAsync()).Count.ShouldBe(1);

        (await _operator.AskedAsync("y\n", "dead-letters", "discard", "--all")).ExitCode.ShouldBe(ExitCodes.Fine);
        (await _operator.DeadLettersAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Discard_TakesOnlyWhatWasChosen()
    {
        var one = await _operator.KeepRejectedAsync("one");
        await _operator.KeepRejectedAsync("call of 442000000001");
        var kept = await _operator.KeepRejectedAsync("three");
        (await _operator.RunAsync("dead-letters", "discard", one, "--yes")).Out.Trim().ShouldBe("1 discarded of 1.");
        (await _operator.RunAsync("dead-letters", "discard", "--containing", "442000000001", "--yes", "--json"))
            .Json.GetProperty("counts").GetProperty("discarded").GetInt32().ShouldBe(1);
        (await _operator.RunAsync("dead-letters", "list", "--json")).Json[0].GetProperty("id").GetString().ShouldBe(kept);
    }

    private IStore WhenSending(Func<Task> act) => WatchedStore.Over(
        _operator.Store!, (method, _) => Done(method.Name == nameof(IMessageQueue.SendAsync) ? act() : Task.CompletedTask));

    // In memory everything is done when it returns.
    private static void Done(Task task) => task.IsCompletedSuccessfully.ShouldBeTrue();
}
