using System.Buffers;
using System.Net;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TeleCmi.Events;
using TeleCmi.Pipeline;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Processing;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Sqlite;

namespace TeleCmi.Cli.Tests;

/// <summary>What one run of the tool said.</summary>
internal sealed record CliResult(int ExitCode, string Out, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Out).RootElement;

    /// <summary>The characters that a terminal would obey, or that turn its reading direction.</summary>
    public string Unsafe => string.Concat((Out + Error).Replace("\r\n", "\n", StringComparison.Ordinal).Where(letter => (char.IsControl(letter) && letter is not '\n') || letter is '\u202e'));
}

/// <summary>One store and the tool that is pointed at it.</summary>
internal sealed record Operator
{
    /// <summary>Null: the one that the settings name.</summary>
    public IStore? Store { get; init; } = SqliteStore.InMemory(TimeProvider.System);

    public Dictionary<string, string?> Settings { get; } = new(StringComparer.Ordinal);

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public bool OutIsTerminal { get; init; }

    public IMessageQueue Queue => Store!.Queue("telecmi-events");

    public Task<List<TableRow>> DeadLettersAsync() => RowsAsync(DeadLetterStore.TableName);

    public Task<List<TableRow>> JournalAsync() => RowsAsync(Journal.TableName);

    public Task<CliResult> RunAsync(params string[] args) => RunAsync(args, answer: null, CancellationToken.None);

    /// <summary>Runs with a person at the terminal who types this.</summary>
    public Task<CliResult> AskedAsync(string answer, params string[] args) => RunAsync(args, answer, CancellationToken.None);

    public async Task<CliResult> RunAsync(string[] args, string? answer, CancellationToken cancellation)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await CliApp.RunAsync(
            args,
            new CliHost
            {
                Out = output,
                Error = error,
                In = new StringReader(answer ?? ""),
                Settings = Configuration(),
                Clock = Clock,
                Store = Store,
                IsInteractive = answer is not null,
                OutIsTerminal = OutIsTerminal,
            },
            cancellation);
        return new CliResult(exitCode, output.ToString(), error.ToString());
    }

    public async Task<string> KeepAsync(DeadLetter letter)
    {
        await using var services = Services();
        await services.GetRequiredService<DeadLetterStore>().KeepAsync(letter, CancellationToken.None);
        return DeadLetterId.Of(letter).ToString();
    }

    public Task<string> KeepRejectedAsync(string body, string day = "2026-03-01") => KeepRejectedAsync(Encoding.UTF8.GetBytes(body), day);

    public Task<string> KeepRejectedAsync(byte[] body, string day = "2026-03-01") => KeepAsync(new DeadLetter
    {
        Reason = DeadLetterReason.Rejected,
        ReceivedAt = DateTimeOffset.Parse($"{day}T10:00:00Z", null),
        Error = "The text is not valid JSON.",
        Body = body,
        Discriminator = Guid.NewGuid().ToString("N"),
    });

    public Task<string> KeepPoisonAsync(string notice, string day = "2026-03-02")
    {
        var receivedAt = DateTimeOffset.Parse($"{day}T10:00:00Z", null);
        var envelope = EnvelopeOf(notice, receivedAt);
        EventEnvelope.TryRead(envelope, out var callEvent, out _).ShouldBeTrue();
        return KeepAsync(new DeadLetter
        {
            Reason = DeadLetterReason.Poison,
            Kind = callEvent!.Kind.Name(),
            EventId = callEvent.Id,
            ReceivedAt = receivedAt,
            Error = "Processing failed too often.",
            Body = envelope,
            Discriminator = Guid.NewGuid().ToString("N"),
        });
    }

    public static byte[] EnvelopeOf(string notice, DateTimeOffset receivedAt)
    {
        Notice.TryRead(Encoding.UTF8.GetBytes(notice), out var read, out _).ShouldBeTrue();
        var envelope = new ArrayBufferWriter<byte>();
        EventEnvelope.Write(envelope, read!, receivedAt, traceParent: null);
        return envelope.WrittenSpan.ToArray();
    }

    /// <summary>Writes events down as the pipeline does.</summary>
    public async Task WriteAsync(params string[] notices)
    {
        foreach (var notice in notices)
        {
            await WriteAsync(notice, TimeProvider.System.GetUtcNow());
        }
    }

    public async Task WriteAsync(string notice, DateTimeOffset receivedAt)
    {
        await Queue.SendAsync(EnvelopeOf(notice, receivedAt), TimeSpan.Zero, CancellationToken.None);
        await ProcessAsync();
    }

    /// <summary>Writes composed events down in the order given.</summary>
    public async Task WriteAsync(params IEnumerable<CallEvent> events)
    {
        foreach (var callEvent in events)
        {
            await Queue.SendAsync(callEvent.Envelope.ToArray(), TimeSpan.Zero, CancellationToken.None);
        }

        await ProcessAsync();
    }

    /// <summary>Processes the events that are queued, until there are none.</summary>
    public async Task ProcessAsync()
    {
        await using var services = Services();
        var processor = services.GetRequiredService<EventProcessor>();
        while (await Queue.ReceiveAsync(IMessageQueue.MaxBatch, TimeSpan.FromMinutes(1), CancellationToken.None) is { Count: > 0 } messages)
        {
            foreach (var message in messages)
            {
                await processor.ProcessAsync(message.Body, CancellationToken.None);
                await Queue.DeleteAsync(message, CancellationToken.None);
            }
        }
    }

    /// <summary>Makes the attempts that are due, until there are none.</summary>
    public async Task ForwardAsync()
    {
        await using var services = Services();
        var (forwards, processor) = (Store!.Queue("telecmi-forwards"), services.GetRequiredService<ForwardProcessor>());
        while (await forwards.ReceiveAsync(IMessageQueue.MaxBatch, TimeSpan.FromMinutes(1), CancellationToken.None) is { Count: > 0 } messages)
        {
            foreach (var message in messages)
            {
                await processor.ProcessAsync(message.Body, message.InsertedOn, CancellationToken.None);
                await forwards.DeleteAsync(message, CancellationToken.None);
            }
        }
    }

    /// <summary>The webhook of the receiver, on this store.</summary>
    public Task<TestServer> StartReceiverAsync()
    {
        var services = Services();
        var receiver = services.GetRequiredService<EventReceiver>();
        var tokens = services.GetRequiredService<AccessTokens>();
        return TestServer.StartAsync("/api/telecmi/events", async context =>
        {
            var request = context.Request;
            var isKnown = request.Path.Value!.Split('/') is ["", "api", "telecmi", "events"] || (request.Path.Value.Split('/') is [.., var token, "events"] && tokens.IsValid(token));
            var response = isKnown
                ? await receiver.ReceiveAsync(new WebhookRequest(
                    HttpMethods.IsPost(request.Method), request.QueryString.Value ?? "", request.Body, request.ContentType, request.ContentLength, request.Headers.TransferEncoding.Count > 0))
                : WebhookCase.NotFound.Respond();
            context.Response.StatusCode = response.Status;
            await context.Response.BodyWriter.WriteAsync(response.Body);
        });
    }

    private ServiceProvider Services() => new ServiceCollection()
        .AddSingleton<IConfiguration>(Configuration())
        .AddSingleton(Store!)
        .AddLogging()
        .AddTeleCmiPipeline()
        .BuildServiceProvider();

    private IConfigurationRoot Configuration() => new ConfigurationBuilder().AddInMemoryCollection(Settings).Build();

    private Task<List<TableRow>> RowsAsync(string table) => Store!.Table(table).RowsAsync(new TableQuery(), CancellationToken.None).ToListAsync().AsTask();
}

/// <summary>A web server on a free port of this machine.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestServer(WebApplication app, string path) => (_app, Url) = (app, $"{app.Urls.Single()}{path}");

    public string Url { get; }

    public static async Task<TestServer> StartAsync(string path, RequestDelegate respond)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.Run(respond);
        await app.StartAsync();
        return new TestServer(app, path);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}

/// <summary>Tells of every request to a store before it is made.</summary>
public class WatchedStore : DispatchProxy
{
    private object _target = null!;
    private Action<MethodInfo, object?[]> _watch = null!;

    public static IStore Over(IStore store, Action<MethodInfo, object?[]> watch) => (IStore)Over(typeof(IStore), store, watch);

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        _watch(targetMethod!, args!);
        var result = targetMethod!.Invoke(_target, BindingFlags.DoNotWrapExceptions, binder: null, args, culture: null);
        return result is IMessageQueue or ITable ? Over(targetMethod.ReturnType, result, _watch) : result;
    }

    private static object Over(Type port, object target, Action<MethodInfo, object?[]> watch)
    {
        var proxy = Create(port, typeof(WatchedStore));
        ((WatchedStore)proxy)._target = target;
        ((WatchedStore)proxy)._watch = watch;
        return proxy;
    }
}

/// <summary>Notices to try with.</summary>
internal static class Notices
{
    public static string Answered(
        string cmiuuid = "leg-1", string conversation = "conversation-1", string leg = "a", string user = "202_2222223", string to = "442000000001",
        string time = "1772359200000", string status = "answered") =>
        JsonSerializer.Serialize(new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["type"] = "event",
            ["direction"] = "outbound",
            ["status"] = status,
            ["leg"] = leg,
            ["cmiuuid"] = cmiuuid,
            ["conversation_uuid"] = conversation,
            ["app_id"] = 2223343,
            ["user"] = user,
            ["callerid"] = "442000000000",
            ["to"] = to,
            ["time"] = long.Parse(time, null),
        });
}

/// <summary>A clock that stands still.</summary>
internal sealed class StoppedClock(DateTimeOffset now) : TimeProvider
{
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow() => now;
}
