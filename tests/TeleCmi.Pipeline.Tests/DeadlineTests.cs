using Microsoft.Extensions.Time.Testing;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Tests;

public sealed class DeadlineTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task Work_InTime_GivesItsResult() =>
        (await new Deadline(TimeSpan.FromSeconds(5), _clock).RunAsync(_ => Task.FromResult("result"), CancellationToken.None)).ShouldBe("result");

    [Fact]
    public async Task Work_ThatTakesTooLong_IsCancelled_AndSaysHowLongItHad()
    {
        var running = new Deadline(TimeSpan.FromSeconds(5), _clock).RunAsync(ForeverAsync, CancellationToken.None);
        _clock.Advance(TimeSpan.FromSeconds(4));
        running.IsCompleted.ShouldBeFalse();
        _clock.Advance(TimeSpan.FromSeconds(1));
        (await Should.ThrowAsync<TimeoutException>(running)).Message.ShouldContain("5 s");
    }

    [Fact]
    public async Task Work_CancelledEarlier_IsNoTimeout()
    {
        using var stop = new CancellationTokenSource();
        var running = new Deadline(TimeSpan.FromSeconds(5), _clock).RunAsync(ForeverAsync, stop.Token);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(running);
    }

    private Task ForeverAsync(CancellationToken cancellation) => Task.Delay(Timeout.InfiniteTimeSpan, _clock, cancellation);
}
