using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Azure;
using TeleCmi.Pipeline.Observing;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>The live page: its parts and its addresses.</summary>
internal static class LivePageSetup
{
    private const int LongestOrder = 4 * 1024;

    public static void AddLivePage(this IServiceCollection services)
    {
        services.AddSingleton<LiveHub>();
        services.AddSingleton<IPipelineObserver>(provider => provider.GetRequiredService<LiveHub>());
        services.AddSingleton<QueueDepths>();
        services.AddHostedService(provider => provider.GetRequiredService<QueueDepths>());
        services.AddSingleton<PageGuard>();
        services.AddSingleton<LiveStream>();
        services.AddSingleton<JournalPages>();
        services.AddSingleton<JourneyDetails>();
        services.AddSingleton<Sender>();
        services.AddSingleton<DeadLetterDesk>();
    }

    public static void MapLivePage(this WebApplication app)
    {
        if (app.Services.GetService<LiveHub>() is null)
        {
            return;
        }

        var guard = app.Services.GetRequiredService<PageGuard>();
        foreach (var file in PageFiles.All)
        {
            app.MapGet(file.Name == PageFile.Index ? "/" : $"/live/{file.Name}", guard.Guard(file.SendAsync));
        }

        // Everything else is made when somebody asks for it: a start should not wait for a page that nobody looks at.
        app.MapGet("/live/events", guard.Guard(context => The<LiveStream>(context).RunAsync(context)));
        MapReading(app, guard);
        MapOrders(app, guard);
    }

    private static void MapReading(WebApplication app, PageGuard guard)
    {
        app.MapGet("/live/detail", guard.Guard(context => AnswerAsync(
            context,
            cancellation => The<JourneyDetails>(context).FindAsync(Query(context, "id"), Query(context, "partition"), Query(context, "row"), cancellation),
            LiveJson.Default.DetailView)));
        app.MapGet("/live/dead-letters", guard.Guard(context => AnswerAsync<DeadLettersView>(
            context, async cancellation => await The<DeadLetterDesk>(context).ListAsync(cancellation), LiveJson.Default.DeadLettersView)));
        app.MapGet("/live/journal", guard.Guard(context => AnswerAsync(
            context,
            async cancellation => await The<JournalPages>(context).ReadAsync(Query(context, "day"), Query(context, "after"), cancellation),
            LiveJson.Default.JournalPageView)));
    }

    private static void MapOrders(WebApplication app, PageGuard guard)
    {
        app.MapPost("/live/sample", guard.Guard(context => CarryOutAsync(
            context, LiveJson.Default.SampleOrder, (order, _) => The<Sender>(context).SendSampleAsync(order), LiveJson.Default.SentView)));
        app.MapPost("/live/send-again", guard.Guard(context => CarryOutAsync(
            context, LiveJson.Default.SendAgainOrder, The<Sender>(context).SendAgainAsync, LiveJson.Default.SentView)));
        app.MapPost("/live/dead-letters/replay", guard.Guard(context => CarryOutAsync(
            context, LiveJson.Default.DeadLetterOrder, The<DeadLetterDesk>(context).ReplayAsync, LiveJson.Default.DoneView)));
        app.MapPost("/live/dead-letters/discard", guard.Guard(context => CarryOutAsync(
            context, LiveJson.Default.DeadLetterOrder, The<DeadLetterDesk>(context).DiscardAsync, LiveJson.Default.DoneView)));
    }

    private static T The<T>(HttpContext context)
        where T : notnull => context.RequestServices.GetRequiredService<T>();

    private static async Task CarryOutAsync<TOrder, TAnswer>(
        HttpContext context,
        JsonTypeInfo<TOrder> orderType,
        Func<TOrder, CancellationToken, Task<TAnswer?>> carryOut,
        JsonTypeInfo<TAnswer> answerType)
        where TAnswer : class
    {
        if (await ReadAsync(context, orderType) is { } order)
        {
            await AnswerAsync(context, cancellation => carryOut(order, cancellation), answerType);
        }
        else
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
        }
    }

    private static async Task<T?> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
    {
        if (context.Request.ContentLength is not (> 0 and <= LongestOrder))
        {
            return default;
        }

        try
        {
            return await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted);
        }
        catch (JsonException)
        {
            return default;
        }
    }

    // Storage's word goes to the person who asked, because nobody else will read the log for them.
    private static async Task AnswerAsync<T>(HttpContext context, Func<CancellationToken, Task<T?>> ask, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            if (await ask(context.RequestAborted) is { } answer)
            {
                await WriteAsync(context, StatusCodes.Status200OK, answer, type);
            }
            else
            {
                await WriteAsync(context, StatusCodes.Status404NotFound, new DoneView(Done: false, "It is not there any more."), LiveJson.Default.DoneView);
            }
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException or TimeoutException)
        {
            await WriteAsync(context, StatusCodes.Status503ServiceUnavailable, new DoneView(Done: false, $"Storage does not answer as it should: {e.Message}"), LiveJson.Default.DoneView);
        }
    }

    private static async Task WriteAsync<T>(HttpContext context, int status, T answer, JsonTypeInfo<T> type)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await JsonSerializer.SerializeAsync(context.Response.Body, answer, type, context.RequestAborted);
    }

    private static string Query(HttpContext context, string name) => context.Request.Query[name].ToString();
}
