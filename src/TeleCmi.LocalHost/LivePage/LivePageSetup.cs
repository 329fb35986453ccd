using System.Reflection;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.StaticFiles;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>The live page: its parts and its addresses. Apart from the hub, each part is made when somebody asks for it.</summary>
internal static class LivePageSetup
{
    private const int LongestBody = 64 * 1024;

    private static readonly FileExtensionContentTypeProvider Types = new();

    public static void AddLivePage(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, LiveJson.Default);
            json.SerializerOptions.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
            json.SerializerOptions.RespectNullableAnnotations = true;
            json.SerializerOptions.RespectRequiredConstructorParameters = true;
        });
        services.AddSingleton<LiveHub>();
        services.AddSingleton<LivePageKey>();
        services.AddSingleton<PageGuard>();
        services.AddSingleton<LiveStream>();
        services.AddSingleton<JourneyDetails>();
        services.AddSingleton<PageSender>();
        services.AddSingleton<DeadLetterService>();
        services.AddSingleton<LiveCalls>();
        services.AddSingleton<LiveAttention>();
    }

    public static void MapLivePage(this WebApplication app)
    {
        if (app.Services.GetService<LiveHub>() is null)
        {
            return;
        }

        // A pipeline of its own: no other request passes the page's routes, and nothing of it is made before somebody asks.
        var pipeline = new Lazy<RequestDelegate>(() =>
        {
            var page = new ApplicationBuilder(app.Services);
            page.Use(app.Services.GetRequiredService<PageGuard>().Protect);
            page.UseStatusCodePages(ExplainInvalidRequestAsync);
            page.UseRouting();
            page.UseEndpoints(MapEndpoints);
            return page.Build();
        });
        app.Use(next => context => context.Request.Path is var path && (path == "/" || path.StartsWithSegments("/live", StringComparison.OrdinalIgnoreCase))
            ? pipeline.Value(context)
            : next(context));
    }

    private static void MapEndpoints(IEndpointRouteBuilder endpoints)
    {
        var page = endpoints.MapGroup("").WithMetadata(new RequestSizeLimitAttribute(LongestBody)).AddEndpointFilter(ExplainStorageFaultsAsync);
        page.MapGet("/", () => FileOf("index.html"));
        page.MapGet("/live/{file}", FileOf);
        page.MapGet("/live/events", (LiveStream stream, CancellationToken cancellation) => TypedResults.ServerSentEvents(stream.FollowAsync(cancellation)));
        page.MapGet("/live/detail", async (string id, string? partition, string? row, JourneyDetails details, CancellationToken cancellation) =>
            OkOr404(await details.FindAsync(id, partition, row, cancellation)));
        page.MapGet("/live/journal", async (string day, string? after, JournalReader journal, CancellationToken cancellation) =>
            OkOr404(await JournalViews.ReadPageAsync(journal, day, after, cancellation)));
        page.MapGet("/live/calls", async Task<Results<Ok<CallsView>, ProblemHttpResult>> (
            [AsParameters] CallQuestion question, bool? reveal, LiveCalls calls, CancellationToken cancellation) =>
            question.TryRead(calls.Today, out var filter, out var fault)
                ? TypedResults.Ok(await calls.ListAsync(filter, reveal == true, cancellation))
                : ProblemOf(StatusCodes.Status400BadRequest, fault));
        page.MapGet("/live/calls/call", async (string id, bool? reveal, LiveCalls calls, CancellationToken cancellation) =>
            OkOr404(await calls.FindAsync(id, reveal == true, cancellation)));
        page.MapGet("/live/dead-letters", async (DeadLetterService letters, CancellationToken cancellation) =>
            TypedResults.Ok(await letters.ListAsync(cancellation)));
        page.MapGet("/live/dead-letters/body", async (string id, DeadLetterService letters, CancellationToken cancellation) =>
            OkOr404(await letters.FindBodyAsync(id, cancellation)));

        page.MapPost("/live/sample", async (SampleToSend sample, PageSender sender) => OkOr404(await sender.SendSampleAsync(sample)));
        page.MapPost("/live/send-again", async (EventToSend again, PageSender sender, CancellationToken cancellation) =>
            OkOr404(await sender.SendAgainAsync(again, cancellation)));
        page.MapPost("/live/dead-letters/replay", async (DeadLetterIds ids, DeadLetterService letters, CancellationToken cancellation) =>
            TypedResults.Ok(await letters.ReplayAsync(ids.Ids, cancellation)));
        page.MapPost("/live/dead-letters/discard", async (DeadLetterIds ids, DeadLetterService letters, CancellationToken cancellation) =>
            TypedResults.Ok(await letters.DiscardAsync(ids.Ids, cancellation)));
    }

    // The page's files are in this assembly, so that there is nothing to deploy or to find.
    private static Results<FileStreamHttpResult, NotFound> FileOf(string file) =>
        Types.TryGetContentType(file, out var type) && Assembly.GetExecutingAssembly().GetManifestResourceStream($"live-page/{file}") is { } stream
            ? TypedResults.Stream(stream, type)
            : TypedResults.NotFound();

    private static Results<Ok<T>, ProblemHttpResult> OkOr404<T>(T? found)
        where T : class =>
        found is null ? ProblemOf(StatusCodes.Status404NotFound, "It is not there any more.") : TypedResults.Ok(found);

    private static ProblemHttpResult ProblemOf(int status, string fault) => TypedResults.Problem(fault, statusCode: status);

    // The framework refuses what it cannot read without saying why.
    private static Task ExplainInvalidRequestAsync(StatusCodeContext context) => context.HttpContext.Response.StatusCode == StatusCodes.Status400BadRequest
        ? ProblemOf(StatusCodes.Status400BadRequest, "The request lacks something that this address needs, or has it in another form: send JSON with every field, as the page does.")
            .ExecuteAsync(context.HttpContext)
        : Task.CompletedTask;

    // The person who asked gets storage's message: nobody reads the log for them.
    private static async ValueTask<object?> ExplainStorageFaultsAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (StorageException e)
        {
            return ProblemOf(StatusCodes.Status503ServiceUnavailable, e.Message);
        }
    }
}
