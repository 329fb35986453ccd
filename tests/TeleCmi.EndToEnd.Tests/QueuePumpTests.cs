using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using TeleCmi.LocalHost;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Sqlite;
using TeleCmi.TestSupport;

namespace TeleCmi.EndToEnd.Tests;

public sealed class QueuePumpTests(AzuriteFixture azurite)
{
    private static readonly TimeSpan VisibilityTimeout = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task AStartThatFails_IsNotFollowedByAFailureOfWhatItBegan()
    {
        using var folder = new TemporaryFolder();

        // How far what was begun has come is another matter each time.
        for (var round = 0; round < 30; round++)
        {
            await using var app = LocalHostApp.Build(LocalHostApp.CreateBuilder(["--urls", "http://127.0.0.1:0", "--data", folder.Path]));
            BackgroundService[] services = [.. app.Services.GetServices<IHostedService>().OfType<BackgroundService>()];
            foreach (var service in services)
            {
                await service.StartAsync(CancellationToken.None);
            }

            // What was begun has its turn; then as the host does when the port is in use.
            await Task.Run(() => { });
            Array.ForEach(services, service => service.Dispose());

            services.Length.ShouldBeGreaterThan(1);
            await Eventually.HoldsAsync(() => Task.FromResult(services.All(service => service.ExecuteTask!.IsCompleted)));
            services.Select(service => service.ExecuteTask!.Exception).ShouldAllBe(failure => failure == null);
        }
    }

    [Fact]
    public async Task AQueueThatCannotBeRead_DoesNotEndThePump()
    {
        var queue = new BrokenQueue();

        await RunAsync(queue, (_, _) => Task.CompletedTask, async running =>
        {
            await Eventually.HoldsAsync(() => Task.FromResult(queue.Requests > 2));
            running.IsCompleted.ShouldBeFalse();
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WorkThatOutlastsTheVisibilityTimeout_IsDoneOnce(bool onAzurite)
    {
        var runs = 0;
        using var opened = onAzurite ? StorageUnderTest.Open(azurite.NewStorage()) : new StorageUnderTest(SqliteStore.InMemory(TimeProvider.System));
        var queue = opened.Store.Queue("work");
        await queue.SendAsync("work"u8.ToArray(), TimeSpan.Zero, CancellationToken.None);

        await RunAsync(
            queue,
            async (_, cancellation) =>
            {
                Interlocked.Increment(ref runs);
                await Task.Delay(VisibilityTimeout * 2.5, cancellation);
            },
            _ => Eventually.HoldsAsync(async () => await queue.CountAsync(CancellationToken.None) == 0));

        runs.ShouldBe(1);
    }

    [Fact]
    public async Task AStopInTheMiddleOfTheWork_EndsThePumpAtOnce()
    {
        var queue = SqliteStore.InMemory(TimeProvider.System).Queue("work");
        for (var round = 0; round < 50; round++)
        {
            var done = 0;
            for (var i = 0; i < 100; i++)
            {
                await queue.SendAsync("work"u8.ToArray(), TimeSpan.Zero, CancellationToken.None);
            }

            await RunAsync(
                queue,
                (_, _) =>
                {
                    Interlocked.Increment(ref done);
                    return Task.CompletedTask;
                },
                _ => Eventually.HoldsAsync(() => Task.FromResult(done > 0)));
        }
    }

    private static async Task RunAsync(IMessageQueue queue, Func<ReceivedMessage, CancellationToken, Task> process, Func<Task, Task> meanwhile)
    {
        using var stop = new CancellationTokenSource();
        var options = new LocalHostOptions { MaxPollingInterval = TimeSpan.FromMilliseconds(10), VisibilityTimeout = VisibilityTimeout };
        var running = new QueuePump(queue, process, poison: null, options, TimeProvider.System, NullLogger<QueuePump>.Instance).RunAsync(stop.Token, CancellationToken.None);
        try
        {
            await meanwhile(running);
        }
        finally
        {
            await stop.CancelAsync();
            await running.WaitAsync(TimeSpan.FromSeconds(10));
        }
    }

    private sealed class BrokenQueue : IMessageQueue
    {
        private int _requests;

        public string Name => "broken";

        public int Requests => _requests;

        public Task<IReadOnlyList<ReceivedMessage>> ReceiveAsync(int count, TimeSpan visibilityTimeout, CancellationToken cancellation)
        {
            Interlocked.Increment(ref _requests);

            // Even what no port should throw.
            throw new FormatException("The reply broke off.");
        }

        public Task SendAsync(ReadOnlyMemory<byte> body, TimeSpan delay, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<ReceivedMessage?> ExtendAsync(ReceivedMessage message, TimeSpan visibilityTimeout, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<bool> DeleteAsync(ReceivedMessage message, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<IReadOnlyList<PeekedMessage>> PeekAsync(int count, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<int> CountAsync(CancellationToken cancellation) => throw new NotSupportedException();
    }
}
