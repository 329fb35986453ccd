using Microsoft.Extensions.Time.Testing;
using TeleCmi.Pipeline.Forwarding;

namespace TeleCmi.Pipeline.Tests.Forwarding;

public sealed class DestinationCircuitTests
{
    private readonly FakeTimeProvider _clock = new();
    private int _attempts;

    [Fact]
    public async Task DestinationThatKeepsFailing_IsLeftAlone_AndAskedAgainAfterAWhile()
    {
        var circuit = new DestinationCircuit(8, _clock);
        for (var i = 0; i < 5; i++)
        {
            (await TryAsync(circuit, DeliveryOutcome.Retry)).Result.ShouldNotBeNull();
        }

        var result = await TryAsync(circuit, DeliveryOutcome.Retry);
        result.Result.ShouldBeNull();
        result.AtLeast.ShouldBeInRange(TimeSpan.FromSeconds(1), DestinationCircuit.BreakDuration);
        _attempts.ShouldBe(5);

        _clock.Advance(DestinationCircuit.BreakDuration);
        (await TryAsync(circuit, DeliveryOutcome.Delivered)).Result.ShouldNotBeNull();
        (await TryAsync(circuit, DeliveryOutcome.Delivered)).Result.ShouldNotBeNull();
    }

    [Fact]
    public async Task RefusedEvents_DoNotOpenTheCircuit()
    {
        var circuit = new DestinationCircuit(8, _clock);
        for (var i = 0; i < 20; i++)
        {
            (await TryAsync(circuit, DeliveryOutcome.Refused)).Result.ShouldNotBeNull();
        }
    }

    [Fact]
    public async Task RetryAfter_HoldsForTheOtherEventsOfTheDestinationToo()
    {
        var circuit = new DestinationCircuit(8, _clock);
        await circuit.TryAsync(_ => Task.FromResult(new DeliveryResult(DeliveryOutcome.Retry, "busy") { RetryAfter = TimeSpan.FromMinutes(5) }), CancellationToken.None);

        var result = await TryAsync(circuit, DeliveryOutcome.Delivered);
        result.Result.ShouldBeNull();
        result.AtLeast.ShouldBe(TimeSpan.FromMinutes(5));

        _clock.Advance(TimeSpan.FromMinutes(5));
        (await TryAsync(circuit, DeliveryOutcome.Delivered)).Result.ShouldNotBeNull();
    }

    [Fact]
    public async Task SlowDestination_TakesNoMoreThanItsShareOfTheWorkers()
    {
        var circuit = new DestinationCircuit(2, _clock);
        var slow = new TaskCompletionSource<DeliveryResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = Enumerable.Range(0, 24).Select(_ => circuit.TryAsync(_ => slow.Task, CancellationToken.None)).ToArray();

        running.Count(task => !task.IsCompleted).ShouldBe(2, "nothing waits in here");

        slow.SetResult(new DeliveryResult(DeliveryOutcome.Delivered, "done"));
        (await Task.WhenAll(running)).Count(result => result.Result is null).ShouldBe(22);
    }

    [Fact]
    public async Task WhatIsNotTried_SaysWhy()
    {
        var failing = new DestinationCircuit(8, _clock);
        for (var i = 0; i < 5; i++)
        {
            await TryAsync(failing, DeliveryOutcome.Retry);
        }

        (await TryAsync(failing, DeliveryOutcome.Retry)).WhyNot.ShouldBe("it keeps failing");

        var paused = new DestinationCircuit(1, _clock);
        var slow = new TaskCompletionSource<DeliveryResult>();
        var running = paused.TryAsync(_ => slow.Task, CancellationToken.None);
        (await TryAsync(paused, DeliveryOutcome.Delivered)).WhyNot.ShouldBe("its share of the workers is in use");
        slow.SetResult(new DeliveryResult(DeliveryOutcome.Retry, "busy") { RetryAfter = TimeSpan.FromMinutes(1) });
        (await running).WhyNot.ShouldBeNull();
        (await TryAsync(paused, DeliveryOutcome.Delivered)).WhyNot.ShouldBe("it asked to be left alone");
    }

    [Fact]
    public async Task RetryAfter_WithoutEnd_HoldsForAnHour()
    {
        var circuit = new DestinationCircuit(8, _clock);
        await circuit.TryAsync(_ => Task.FromResult(new DeliveryResult(DeliveryOutcome.Retry, "busy") { RetryAfter = TimeSpan.FromDays(30) }), CancellationToken.None);

        (await TryAsync(circuit, DeliveryOutcome.Delivered)).AtLeast.ShouldBe(TimeSpan.FromHours(1));

        _clock.Advance(TimeSpan.FromHours(1));
        (await TryAsync(circuit, DeliveryOutcome.Delivered)).Result.ShouldNotBeNull();
    }

    [Fact]
    public async Task RetryAfterOfWhatWasDelivered_HoldsUpNothing()
    {
        var circuit = new DestinationCircuit(8, _clock);
        await circuit.TryAsync(_ => Task.FromResult(new DeliveryResult(DeliveryOutcome.Delivered, "done") { RetryAfter = TimeSpan.FromMinutes(5) }), CancellationToken.None);

        (await TryAsync(circuit, DeliveryOutcome.Delivered)).Result.ShouldNotBeNull();
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public async Task FourFailuresOfFive_LeaveItAlone_ThreeDoNot(int delivered, bool isTried)
    {
        var circuit = new DestinationCircuit(8, _clock);
        for (var i = 0; i < 5; i++)
        {
            await TryAsync(circuit, i < delivered ? DeliveryOutcome.Delivered : DeliveryOutcome.Retry);
        }

        ((await TryAsync(circuit, DeliveryOutcome.Delivered)).Result is not null).ShouldBe(isTried);
    }

    [Fact]
    public async Task FailuresFarApart_DoNotAddUp()
    {
        var circuit = new DestinationCircuit(8, _clock);
        for (var i = 0; i < 12; i++)
        {
            (await TryAsync(circuit, DeliveryOutcome.Retry)).Result.ShouldNotBeNull();
            _clock.Advance(TimeSpan.FromSeconds(20));
        }
    }

    private Task<CircuitResult> TryAsync(DestinationCircuit circuit, DeliveryOutcome outcome) => circuit.TryAsync(
        _ =>
        {
            _attempts++;
            return Task.FromResult(new DeliveryResult(outcome, "said so"));
        },
        CancellationToken.None);
}
