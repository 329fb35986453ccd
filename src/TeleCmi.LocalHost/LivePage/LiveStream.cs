using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Options;
using TeleCmi.Events.Samples;
using TeleCmi.Pipeline;
using TeleCmi.Pipeline.Receiving;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>The server-sent events of the page: all there is, then each change as it happens, and the counts every second.</summary>
internal sealed class LiveStream(
    LiveHub hub, QueueDepths depths, AccessTokens tokens, IOptions<TeleCmiOptions> options, IHostApplicationLifetime lifetime, TimeProvider clock)
{
    private static readonly TimeSpan StatisticsInterval = TimeSpan.FromSeconds(1);

    // Under load the page gets a batch at a time.
    private static readonly TimeSpan BatchPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan WriteDeadline = TimeSpan.FromSeconds(10);

    public async Task RunAsync(HttpContext context)
    {
        // A stream would otherwise hold up the stop until its time has passed.
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        context.Response.ContentType = "text/event-stream";
        using var watch = hub.Begin(out var journeys, out var dropped);
        try
        {
            await SendAsync(
                context,
                "hello",
                new HelloView(hub.Instance, tokens.Any, options.Value.AcceptedEvents, DocumentedNotices.OutgoingAnswered.Json, journeys, dropped),
                LiveJson.Default.HelloView,
                ended.Token);
            await FollowAsync(context, watch, ended.Token);
        }
        catch (OperationCanceledException)
        {
            // The page was closed or does not read, or the host stops.
        }
    }

    private async Task FollowAsync(HttpContext context, LiveHub.Watch watch, CancellationToken ended)
    {
        var tick = Task.CompletedTask;
        var change = watch.WaitAsync(ended);
        while (true)
        {
            if (change.IsCompleted)
            {
                await change;
                await SendAsync(context, "journeys", new JourneysView(watch.Take()), LiveJson.Default.JourneysView, ended);
                change = watch.WaitAsync(ended);
            }

            if (tick.IsCompleted)
            {
                await tick;
                await SendAsync(context, "stats", hub.Statistics(depths.Latest), LiveJson.Default.StatsView, ended);
                tick = Task.Delay(StatisticsInterval, clock, ended);
            }

            await Task.WhenAny(change, tick);
            await Task.Delay(BatchPause, clock, ended);
        }
    }

    private static async Task SendAsync<T>(HttpContext context, string name, T data, JsonTypeInfo<T> type, CancellationToken ended)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ended);
        deadline.CancelAfter(WriteDeadline);
        try
        {
            // JSON as it is written here has no line breaks, so it is one data line.
            await context.Response.WriteAsync($"event: {name}\ndata: {JsonSerializer.Serialize(data, type)}\n\n", deadline.Token);
            await context.Response.Body.FlushAsync(deadline.Token);
        }
        catch (OperationCanceledException) when (!ended.IsCancellationRequested)
        {
            // A page that does not read must not pile up here; it connects again when it does.
            context.Abort();
            throw;
        }
    }
}
