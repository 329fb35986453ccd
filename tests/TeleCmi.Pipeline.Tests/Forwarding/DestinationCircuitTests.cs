using Microsoft.Extensions.Time.Testing;
using TeleCmi.Pipeline.Forwarding;

namespace TeleCmi.Pipeline.Tests.Forwarding;

public sealed class DestinationGateTests
{
    private readonly FakeTimeProvider _clock = new();
    private int _calls;

    [Fact]
    public async Task DestinationThatKeepsFailing_IsLeftAlone_AndAskedAgainAfterAWhile()
    {
        var gate = new DestinationGate(8, _clock);
        for (var i = 0; i < 5; i++)
        {
            (await CallAsync(gate, ForwardVerdict.Retry)).Attempt.ShouldNotBeNull();
        }

        var answer = await CallAsync(gate, ForwardVerdict.Retry);
        answer.Attempt.ShouldBeNull();
        answer.AtLeast.ShouldBeInRange(TimeSpan.FromSeconds(1), DestinationGate.BreakDuration);
        _calls.ShouldBe(5);

        _clock.Advance(DestinationGate.BreakDuration);
        (await CallAsync(gate, ForwardVerdict.Delivered)).Attempt.ShouldNotBeNull();
        (await CallAsync(gate, ForwardVerdict.Delivered)).Attempt.ShouldNotBeNull();
    }

    [Fact]
    public async Task RefusedEvents_DoNotCloseTheWayForOthers()
    {
        var gate = new DestinationGate(8, _clock);
        for (var i = 0; i < 20; i++)
        {
            (await CallAsync(gate, ForwardVerdict.Refused)).Attempt.ShouldNotBeNull();
        }
    }

    [Fact]
    public async Task RetryAfter_HoldsForTheOtherEventsOfTheDestinationToo()
    {
        var gate = new DestinationGate(8, _clock);
        await gate.TryAsync(_ => Task.FromResult(new ForwardAttempt(ForwardVerdict.Retry, "busy") { RetryAfter = TimeSpan.FromMinutes(5) }), CancellationToken.None);

        var answer = await CallAsync(gate, ForwardVerdict.Delivered);
        answer.Attempt.ShouldBeNull();
        answer.AtLeast.ShouldBe(TimeSpan.FromMinutes(5));

        _clock.Advance(TimeSpan.FromMinutes(5));
        (await CallAsync(gate, ForwardVerdict.Delivered)).Attempt.ShouldNotBeNull();
    }

    [Fact]
    public async Task SlowDestination_TakesNoMoreThanItsShareOfTheWorkers()
    {
        var gate = new DestinationGate(2, _clock);
        var slow = new TaskCompletionSource<ForwardAttempt>(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = Enumerable.Range(0, 24).Select(_ => gate.TryAsync(_ => slow.Task, CancellationToken.None)).ToArray();

        running.Count(task => !task.IsCompleted).ShouldBeLessThanOrEqualTo(6);

        slow.SetResult(new ForwardAttempt(ForwardVerdict.Delivered, "done"));
        (await Task.WhenAll(running)).Count(answer => answer.Attempt is null).ShouldBeGreaterThanOrEqualTo(18);
    }

    private Task<GateAnswer> CallAsync(DestinationGate gate, ForwardVerdict verdict) => gate.TryAsync(
        _ =>
        {
            _calls++;
            return Task.FromResult(new ForwardAttempt(verdict, "said so"));
        },
        CancellationToken.None);
}
