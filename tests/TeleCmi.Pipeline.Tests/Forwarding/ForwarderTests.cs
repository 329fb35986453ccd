using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Storage;
using static TeleCmi.Pipeline.Tests.PipelineUnderTest;

namespace TeleCmi.Pipeline.Tests.Forwarding;

public sealed class ForwarderTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task SlowDestination_TakesItsShareOfTheWorkers_AndDoesNotDelayAnother()
    {
        const int All = PipelineQueues.MaxInFlight;
        const int Share = (All - 1) / 2;
        using var receivers = new Receivers();
        await using var pipeline = PipelineWith(receivers, "slow", "quick");
        var processing = new List<Task>();
        for (var call = 0; call < All; call++)
        {
            var atSlow = receivers.NextAtSlow();
            processing.Add(pipeline.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredCall($"call-{call}"))));
            await Task.WhenAny(processing[^1], atSlow).WaitAsync(Patience);
        }

        // No time has passed: whether an event found room at the slow one or not, the quick one has it.
        receivers.Of("slow").ShouldBe(Share);
        receivers.Of("quick").ShouldBe(All);
        await Task.WhenAll(processing.Skip(Share)).WaitAsync(Patience);

        pipeline.Clock.Advance(TimeSpan.FromSeconds(5));
        await Task.WhenAll(processing).WaitAsync(Patience);
        receivers.Of("quick").ShouldBe(All);
        (await pipeline.Queues.Forwards.CountAsync(CancellationToken.None)).ShouldBe(All, "each event waits for its next attempt at the slow one");
    }

    [Fact]
    public async Task SameEventTwiceAtOnce_IsForwardedOnce()
    {
        const int Pairs = 200;
        using var receivers = new Receivers();
        await using var pipeline = PipelineWith(receivers, "quick");

        await Task.WhenAll(Enumerable.Range(0, 2 * Pairs)
            .Select(number => Task.Run(() => pipeline.ProcessAsync(EnvelopeOf(SampleNotices.AnsweredCall($"call-{number / 2}"), Start.AddSeconds(number % 2)))))).WaitAsync(Patience);

        // What found no room at the destination waits for its attempt in the queue.
        (receivers.Of("quick") + await pipeline.Queues.Forwards.CountAsync(CancellationToken.None)).ShouldBe(Pairs);
    }

    [Fact]
    public async Task UnreadableForward_IsOneDeadLetter_HoweverOftenItIsDelivered()
    {
        await using var pipeline = new PipelineUnderTest();
        for (var delivery = 0; delivery < 3; delivery++)
        {
            await pipeline.Get<ForwardProcessor>().ProcessAsync("hello"u8.ToArray(), Start, CancellationToken.None);
            pipeline.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        var row = await pipeline.DeadLetterRowAsync();
        row.Text("Reason").ShouldBe("forward");
        row.Bytes("Body").ShouldBe("hello"u8.ToArray());
    }

    private static PipelineUnderTest PipelineWith(Receivers receivers, params string[] names) => new(
        services => services.AddHttpClient(EventSender.ClientName).ConfigurePrimaryHttpMessageHandler(() => receivers),
        [
            .. names.SelectMany((name, index) => new (string, string)[]
            {
                ($"TeleCmi:Forward:{index}:Url", $"https://{name}.example.com"),
                ($"TeleCmi:Forward:{index}:Secrets", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
                ($"TeleCmi:Forward:{index}:MaxConcurrency", "100"),
            }),
        ]);

    /// <summary>The destination <c>slow</c> never responds, <c>quick</c> does at once.</summary>
    private sealed class Receivers : HttpMessageHandler
    {
        private readonly ConcurrentDictionary<string, int> _requests = new(StringComparer.Ordinal);
        private TaskCompletionSource _atSlow = new();

        public int Of(string name) => _requests.GetValueOrDefault(name);

        /// <summary>Completes with the next request to the slow one.</summary>
        public Task NextAtSlow() => (_atSlow = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var name = request.RequestUri!.Host.Split('.')[0];
            _requests.AddOrUpdate(name, 1, (_, requests) => requests + 1);
            if (name == "slow")
            {
                _atSlow.TrySetResult();
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            return new HttpResponseMessage(HttpStatusCode.OK);
        }
    }
}
