using System.Text;
using System.Text.Json;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Storage;
using TeleCmi.TestSupport;

namespace TeleCmi.Cli.Tests;

public sealed class DeadLetterCommandsTests(AzuriteFixture azurite)
{
    private readonly Operator _operator = new(azurite.NewStorage());

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
    [InlineData("--reason o'brien", 0)]
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
        foreach (var args in new string[][] { ["list"], ["list", "--json"], ["show", id], ["show", id, "--json"], ["replay", id] })
        {
            var result = await _operator.RunAsync(["dead-letters", .. args]);
            result.ExitCode.ShouldBeOneOf(ExitCodes.Fine, ExitCodes.NeedsPerson);
            (result.Out + result.Error).Where(letter => char.IsControl(letter) && letter is not ('\n' or '\r') || letter is '\u202e').ShouldBeEmpty(string.Join(' ', args));
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
        (await _operator.DeadLettersTable.RowsAsync()).ShouldBeEmpty();

        await using var receiver = await _operator.StartReceiverAsync();
        await Eventually.HoldsAsync(async () => (await _operator.JournalTable.RowsAsync()).Count == 1);
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
        await using var receiver = await _operator.StartReceiverAsync();
        await Eventually.HoldsAsync(async () => (await _operator.JournalTable.RowsAsync()).Count == 1);
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
        (await _operator.DeadLettersTable.RowsAsync()).Count.ShouldBe(1);
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
        (await _operator.DeadLettersTable.RowsAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Replay_WithoutAChoice_DoesNothing()
    {
        await _operator.KeepPoisonAsync(Notices.Answered());
        (await _operator.RunAsync("dead-letters", "replay")).ExitCode.ShouldBe(ExitCodes.Usage);
        (await _operator.RunAsync("dead-letters", "discard", "--yes")).ExitCode.ShouldBe(ExitCodes.Usage);
        (await _operator.DeadLettersTable.RowsAsync()).Count.ShouldBe(1);
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
        var first = new Operator(_operator.Storage) { Clock = new InterruptingClock(atTimer: 20, interrupted) };
        for (var i = 0; i < Letters; i++)
        {
            await first.KeepPoisonAsync(Notices.Answered(cmiuuid: $"leg-{i}"));
        }

        var broken = await first.RunAsync(["dead-letters", "replay", "--all"], answer: null, interrupted.Token);
        broken.ExitCode.ShouldBe(ExitCodes.Interrupted);
        var left = (await _operator.DeadLettersTable.RowsAsync()).Count;
        left.ShouldBeInRange(1, Letters - 1);
        broken.Out.ShouldContain($"{Letters - left} replayed of {Letters}.");

        (await _operator.RunAsync("dead-letters", "replay", "--all")).ExitCode.ShouldBe(ExitCodes.Fine);
        (await _operator.DeadLettersTable.RowsAsync()).ShouldBeEmpty();
        await using var receiver = await _operator.StartReceiverAsync();
        await Eventually.HoldsAsync(async () => (await _operator.JournalTable.RowsAsync()).Count == Letters && await IsEmptyAsync());
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
        var letter = (await _operator.DeadLettersTable.RowsAsync()).Single();
        (await _operator.RunAsync("dead-letters", "replay", "--all")).ExitCode.ShouldBe(ExitCodes.Fine);
        await _operator.DeadLettersTable.AddEntityAsync(letter);

        (await _operator.RunAsync("dead-letters", "replay", "--all")).ExitCode.ShouldBe(ExitCodes.Fine);
        QueueProperties queued = await _operator.Queue.GetPropertiesAsync();
        queued.ApproximateMessagesCount.ShouldBe(2);
        await using var receiver = await _operator.StartReceiverAsync();
        await Eventually.HoldsAsync(IsEmptyAsync);
        (await _operator.JournalTable.RowsAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Replay_OfAnEventThatFailsAgainAtOnce_KeepsItsLetter()
    {
        await _operator.KeepPoisonAsync(Notices.Answered());
        await using var services = _operator.Services();
        var store = services.GetRequiredService<DeadLetterStore>();
        var letter = await store.QueryAsync(new DeadLetterFilter(), CancellationToken.None).SingleAsync();
        var replay = new DeadLetterReplay(
            store, new FailsAtOnce(store, letter.Letter), services.GetRequiredService<ForwardQueue>(), Options.Create(new TeleCmiOptions()), TimeProvider.System, NullLogger<DeadLetterReplay>.Instance);

        (await replay.ReplayAsync(letter, CancellationToken.None)).Outcome.ShouldBe(ReplayOutcome.CameBack);
        (await _operator.DeadLettersTable.RowsAsync()).Count.ShouldBe(1);
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
            Error = "The receiver answered 422.",
            Body = envelope,
            Destination = "crm",
            Status = 422,
            Answer = "no such contact",
            Discriminator = "1",
        });
        var shown = await _operator.RunAsync("dead-letters", "show", id);
        shown.Out.ShouldContain("crm");
        shown.Out.ShouldContain("422");
        shown.Out.ShouldContain("no such contact");
        (await _operator.RunAsync("dead-letters", "show", id, "--json")).Json.GetProperty("destination").GetString().ShouldBe("crm");

        (await _operator.RunAsync("dead-letters", "replay", "--reason", "forward")).ExitCode.ShouldBe(ExitCodes.Fine);

        var forwards = new QueueClient(_operator.Storage, "telecmi-forwards", new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 });
        QueueMessage message = await forwards.ReceiveMessageAsync();
        var json = JsonDocument.Parse(message.Body).RootElement;
        json.GetProperty("destination").GetString().ShouldBe("crm");
        json.GetProperty("attempt").GetInt32().ShouldBe(1);
        json.GetProperty("envelope").GetRawText().ShouldBe(Encoding.UTF8.GetString(envelope));
        (await _operator.Queue.ExistsAsync()).Value.ShouldBeFalse();
        (await _operator.DeadLettersTable.RowsAsync()).ShouldBeEmpty();
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
        (await _operator.DeadLettersTable.RowsAsync()).Count.ShouldBe(1);

        (await _operator.AskedAsync("y\n", "dead-letters", "discard", "--all")).ExitCode.ShouldBe(ExitCodes.Fine);
        (await _operator.DeadLettersTable.RowsAsync()).ShouldBeEmpty();
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

    private async Task<bool> IsEmptyAsync()
    {
        QueueProperties properties = await _operator.Queue.GetPropertiesAsync();
        return properties.ApproximateMessagesCount == 0;
    }

    private sealed class FailsAtOnce(DeadLetterStore store, DeadLetter letter) : IEventQueue
    {
        public Task EnqueueAsync(ReadOnlyMemory<byte> envelope, CancellationToken cancellation) => store.KeepAsync(letter, cancellation);
    }

    /// <summary>Presses Ctrl+C when so many deadlines have been set: at the same step in every run.</summary>
    private sealed class InterruptingClock(int atTimer, CancellationTokenSource interrupt) : TimeProvider
    {
        private int _timers;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (Interlocked.Increment(ref _timers) == atTimer)
            {
                interrupt.Cancel();
            }

            return System.CreateTimer(callback, state, dueTime, period);
        }
    }
}
