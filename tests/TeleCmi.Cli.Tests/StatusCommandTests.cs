using TeleCmi.TestSupport;

namespace TeleCmi.Cli.Tests;

public sealed class StatusCommandTests
{
    private readonly Operator _operator = new();

    [Fact]
    public async Task Status_OfANewAccount_NeedsNobody()
    {
        var result = await _operator.RunAsync("status");
        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Error);
        result.Out.ShouldContain("telecmi-events ");
        result.Out.ShouldContain("telecmi-events-poison");
        result.Out.ShouldContain("none yet");
        result.Out.ShouldContain("is not needed");
    }

    [Fact]
    public async Task Status_WithDeadLetters_NeedsAPerson()
    {
        await _operator.KeepRejectedAsync("one");
        await _operator.KeepPoisonAsync(Notices.Answered());
        var result = await _operator.RunAsync("status", "--json");
        result.ExitCode.ShouldBe(ExitCodes.NeedsPerson);
        result.Json.GetProperty("needsPerson").GetBoolean().ShouldBeTrue();
        var deadLetters = result.Json.GetProperty("deadLetters");
        deadLetters.GetProperty("total").GetInt32().ShouldBe(2);
        deadLetters.GetProperty("byReason").GetProperty("poison").GetInt32().ShouldBe(1);
        deadLetters.GetProperty("oldest").GetString().ShouldBe("2026-03-01T10:00:00.000Z");
        (await _operator.RunAsync("status")).Out.ShouldContain("2 (poison 1, rejected 1)");
    }

    [Fact]
    public async Task Status_WithAMessageThatNobodyTakes_NeedsAPersonOnceItIsOld()
    {
        await _operator.Queue.SendAsync("waiting"u8.ToArray(), TimeSpan.Zero, CancellationToken.None);
        (await _operator.RunAsync("status")).ExitCode.ShouldBe(ExitCodes.Fine);
        var later = _operator with { Clock = new LaterClock(TimeSpan.FromMinutes(6)) };
        var result = await later.RunAsync("status");
        result.ExitCode.ShouldBe(ExitCodes.NeedsPerson);
        result.Out.ShouldContain("telecmi-events is not being worked on");
        (await later.RunAsync("status", "--max-queue-age", "01:00:00")).ExitCode.ShouldBe(ExitCodes.Fine);
    }

    [Fact]
    public async Task Status_WithPoison_NeedsAPerson()
    {
        await _operator.Store!.Queue("telecmi-events-poison").SendAsync("failed"u8.ToArray(), TimeSpan.Zero, CancellationToken.None);
        (await _operator.RunAsync("status")).ExitCode.ShouldBe(ExitCodes.NeedsPerson);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("1650635340436")]
    public async Task Status_TellsTheLastEvent_WhateverItsOwnTimeSays(string? time)
    {
        var before = TimeProvider.System.GetUtcNow().AddSeconds(-1);
        await _operator.WriteAsync(Notices.Answered(time: time ?? $"{before.ToUnixTimeMilliseconds()}"));
        var result = await _operator.RunAsync("status", "--json", "--max-silence", "00:05:00");
        result.ExitCode.ShouldBe(ExitCodes.Fine);
        result.Json.GetProperty("lastReceived").GetDateTimeOffset().ShouldBeGreaterThan(before);

        var later = _operator with { Clock = new LaterClock(TimeSpan.FromMinutes(6)) };
        (await later.RunAsync("status", "--max-silence", "00:05:00")).ExitCode.ShouldBe(ExitCodes.NeedsPerson);
    }

    [Fact]
    public async Task Status_WithAnEventDatedTomorrow_IsNotMisledByIt()
    {
        var now = TimeProvider.System.GetUtcNow();
        await _operator.WriteAsync(Notices.Answered("early", time: $"{now.AddDays(1).ToUnixTimeMilliseconds()}"), now.AddHours(-2));
        (await _operator.RunAsync("status", "--max-silence", "00:05:00")).ExitCode.ShouldBe(ExitCodes.NeedsPerson);

        await _operator.WriteAsync(Notices.Answered("now", time: $"{now.ToUnixTimeMilliseconds()}"), now);
        var result = await _operator.RunAsync("status", "--json", "--max-silence", "00:05:00");
        result.ExitCode.ShouldBe(ExitCodes.Fine, result.Out);
        result.Json.GetProperty("lastReceived").GetDateTimeOffset().ShouldBe(now, TimeSpan.FromMilliseconds(1));
    }
}
