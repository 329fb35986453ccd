using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Options;
using TeleCmi.Events;
using TeleCmi.Events.Samples;
using TeleCmi.Pipeline;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>The server-sent events of the page: all there is, then each change as it happens, and the counts every second.</summary>
internal sealed class LiveStream(
    LiveHub hub, LiveAttention attention, PipelineQueues queues, AccessTokens tokens, IOptions<TeleCmiOptions> options, IHostApplicationLifetime lifetime, TimeProvider clock)
{
    private static readonly string[] Kinds = [.. EventKinds.All.Select(kind => kind.Name())];

    private static readonly TimeSpan StatisticsInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan QueuesInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AttentionInterval = TimeSpan.FromSeconds(4);

    // Under load the page gets a batch at a time.
    private static readonly TimeSpan BatchInterval = TimeSpan.FromMilliseconds(50);

    public async IAsyncEnumerable<SseItem<byte[]>> FollowAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken closed)
    {
        // A stream would otherwise hold up the stop until its time has passed.
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(closed, lifetime.ApplicationStopping);
        using var watch = hub.Begin(out var journeys, out var dropped);
        yield return Item(
            "hello",
            new HelloView(hub.Instance, tokens.Any, options.Value.AcceptedEvents, Kinds, DocumentedNotices.OutgoingAnswered.Json, journeys, dropped),
            LiveJson.Default.HelloView);

        IReadOnlyList<QueueView> states = [];
        var asking = GetQueuesAsync(states, TimeSpan.Zero, ended.Token);
        var needs = attention.GetAsync(ended.Token);
        var change = watch.WaitAsync(ended.Token);
        var tick = Task.CompletedTask;
        while (!ended.IsCancellationRequested)
        {
            if (change.IsCompletedSuccessfully)
            {
                yield return Item("journeys", new JourneysView(watch.Take()), LiveJson.Default.JourneysView);
                change = watch.WaitAsync(ended.Token);
            }

            if (asking.IsCompletedSuccessfully)
            {
                states = await asking;
                asking = GetQueuesAsync(states, QueuesInterval, ended.Token);
            }

            if (needs.IsCompletedSuccessfully)
            {
                yield return Item("attention", await needs, LiveJson.Default.AttentionView);
                needs = GetAttentionAsync(ended.Token);
            }

            if (tick.IsCompleted)
            {
                yield return Item("stats", hub.Statistics(states), LiveJson.Default.StatsView);
                tick = Task.Delay(StatisticsInterval, clock, ended.Token);
            }

            await Task.WhenAny(change, tick);
            await Task.Delay(BatchInterval, clock, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<AttentionView> GetAttentionAsync(CancellationToken ended)
    {
        await Task.Delay(AttentionInterval, clock, ended);
        return await attention.GetAsync(ended);
    }

    private async Task<IReadOnlyList<QueueView>> GetQueuesAsync(IReadOnlyList<QueueView> before, TimeSpan delay, CancellationToken ended)
    {
        await Task.Delay(delay, clock, ended);
        try
        {
            return [.. (await queues.GetStatesAsync(ended)).Select(queue => new QueueView(queue.Name, queue.IsPoison, queue.Messages))];
        }
        catch (StorageException)
        {
            // The page says "unknown", and asks again.
            return [.. before.Select(queue => queue with { Depth = null })];
        }
    }

    private static SseItem<byte[]> Item<T>(string name, T data, JsonTypeInfo<T> type) => new(JsonSerializer.SerializeToUtf8Bytes(data, type), name);
}
