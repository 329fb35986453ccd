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

namespace TeleCmi.Forwarding.Tests;

/// <summary>A real HTTP server that a destination's address points to: it notes each call and answers as it is told.</summary>
internal sealed class CrmUnderTest : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Call> _calls = new();
    private readonly Func<HttpContext, int, Task> _answer;
    private int _count;

    private CrmUnderTest(Func<HttpContext, int, Task> answer, X509Certificate2? certificate)
    {
        _answer = answer;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
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

    /// <summary>The calls, in the order they came.</summary>
    public IReadOnlyList<Call> Calls => [.. _calls];

    /// <summary>One that answers each call with the next of these statuses, and all further ones with the last.</summary>
    public static Task<CrmUnderTest> StartAsync(params int[] statuses) => StartAsync((context, call) =>
    {
        context.Response.StatusCode = statuses[Math.Min(call, statuses.Length - 1)];
        return Task.CompletedTask;
    });

    /// <summary>One that answers as it is told; the second argument counts the calls from 0.</summary>
    public static async Task<CrmUnderTest> StartAsync(Func<HttpContext, int, Task> answer, X509Certificate2? certificate = null)
    {
        var crm = new CrmUnderTest(answer, certificate);
        await crm._app.StartAsync();
        return crm;
    }

    /// <summary>An address that nobody listens on.</summary>
    public static async Task<Uri> DeadAddressAsync()
    {
        var crm = await StartAsync(200);
        await using (crm)
        {
            return crm.Address;
        }
    }

    /// <summary>Holds a call until the caller gives up.</summary>
    public static async Task HoldAsync(HttpContext context) =>
        await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        _calls.Enqueue(new Call(
            TimeProvider.System.GetTimestamp(),
            $"{context.Request.Method} {context.Request.Path}{context.Request.QueryString}",
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body.ToArray(),
            context.Connection.Id));
        await _answer(context, Interlocked.Increment(ref _count) - 1);
    }
}

/// <summary>A call as it came.</summary>
internal sealed record Call(long At, string Line, IReadOnlyDictionary<string, string> Headers, byte[] Body, string Connection)
{
    public string WebhookId => Headers["webhook-id"];

    public JsonElement Json => JsonElement.Parse(Body);
}
