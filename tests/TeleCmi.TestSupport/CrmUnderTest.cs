using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace TeleCmi.TestSupport;

/// <summary>A real HTTP server that a destination's address points to: it notes each request and responds as the test says.</summary>
public sealed class CrmUnderTest : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<CrmRequest> _requests = new();
    private readonly Func<HttpContext, int, Task> _respond;
    private int _count;

    private CrmUnderTest(Func<HttpContext, int, Task> respond, X509Certificate2? certificate, int port)
    {
        _respond = respond;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            if (certificate is not null)
            {
                listen.UseHttps(certificate);
            }
        }));
        _app = builder.Build();
        _app.Run(TakeAsync);
    }

    /// <summary>Where it listens.</summary>
    public Uri Address => new(_app.Urls.Single());

    /// <summary>The requests, in the order they came.</summary>
    public IReadOnlyList<CrmRequest> Requests => [.. _requests];

    /// <summary>How many there are.</summary>
    public int Count => _requests.Count;

    /// <summary>One that responds to each request with the next of these statuses, and to all further ones with the last.</summary>
    public static Task<CrmUnderTest> StartAsync(params int[] statuses) => StartAsync((context, number) =>
    {
        context.Response.StatusCode = statuses[Math.Min(number, statuses.Length - 1)];
        return Task.CompletedTask;
    });

    /// <summary>One whose responses a function makes; its second argument counts the requests from 0.</summary>
    public static async Task<CrmUnderTest> StartAsync(Func<HttpContext, int, Task> respond, X509Certificate2? certificate = null, int port = 0)
    {
        var crm = new CrmUnderTest(respond, certificate, port);
        await crm._app.StartAsync();
        return crm;
    }

    /// <summary>An address that nobody listens on.</summary>
    public static Uri DeadAddress() => new($"http://127.0.0.1:{LoopbackPort.Free()}");

    /// <summary>Holds a request until its sender gives up.</summary>
    public static async Task HoldAsync(HttpContext context) =>
        await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>Waits for so many requests.</summary>
    public Task HasAsync(int requests, TimeSpan? deadline = null) => Eventually.HoldsAsync(() => Task.FromResult(Count >= requests), deadline);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        _requests.Enqueue(new CrmRequest(
            TimeProvider.System.GetTimestamp(),
            $"{context.Request.Method} {context.Request.Path}{context.Request.QueryString}",
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body.ToArray(),
            context.Connection.Id));
        await _respond(context, Interlocked.Increment(ref _count) - 1);
    }
}

/// <summary>A request as it came.</summary>
public sealed record CrmRequest(long At, string Line, IReadOnlyDictionary<string, string> Headers, byte[] Body, string Connection)
{
    public string WebhookId => Headers["webhook-id"];

    public JsonElement Json => JsonElement.Parse(Body);
}
