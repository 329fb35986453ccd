using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace TeleCmi.TestSupport;

/// <summary>Stands in for TeleCMI's call reports, as far as they are documented (https://doc.telecmi.com/chub/docs/out-answered).</summary>
public sealed class ReportServer : IAsyncDisposable
{
    public const string AppId = "2223343";
    public const string Secret = "secret-of-the-reports-7c1f";

    private readonly ConcurrentDictionary<string, List<JsonObject>> _reports = new(StringComparer.Ordinal);
    private readonly WebApplication _app;
    private int _requests;

    private ReportServer()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(RespondAsync);
    }

    /// <summary>The settings of a receiver or a tool that reads here, as on the command line.</summary>
    public IReadOnlyList<(string Name, string Value)> Settings =>
    [
        ("TeleCmi:AcceptedEvents", "*"),
        ("TeleCmi:Reconcile:AppId", AppId), ("TeleCmi:Reconcile:Secret", Secret), ("TeleCmi:Reconcile:Url", $"{_app.Urls.Single()}/v2"),
    ];

    /// <summary>How many requests have come.</summary>
    public int Requests => _requests;

    /// <summary>Responds in the place of the report, or does something before it; true when it has responded.</summary>
    public Func<int, HttpContext, Task<bool>> Before { get; set; } = (_, _) => Task.FromResult(false);

    public static async Task<ReportServer> StartAsync()
    {
        var server = new ReportServer();
        await server._app.StartAsync();
        return server;
    }

    /// <summary>Adds a call to a report; of two with the same fields one is a number where the other is a text.</summary>
    public ReportServer Add(
        string report, DateTimeOffset time, string? cmiuid = null, string? agent = CallScenario.Agent, string from = "440000000000", string to = CallScenario.Customer, long? seconds = 6, JsonObject? more = null)
    {
        var record = more ?? [];
        record["cmiuid"] = cmiuid;
        record["agent"] = agent;
        record["from"] = from;
        record["to"] = long.TryParse(to, CultureInfo.InvariantCulture, out var number) ? number : to;
        record["time"] = time.ToUnixTimeMilliseconds();
        record["duration"] ??= seconds + 3;
        record["billedsec"] ??= seconds?.ToString(CultureInfo.InvariantCulture);
        record["rate"] = 0.0231;
        record["name"] = "unknown";
        record["notes"] = new JsonArray(new JsonObject { ["msg"] = "a note", ["date"] = time.ToUnixTimeMilliseconds(), ["agent"] = agent });
        if (report.EndsWith("answered", StringComparison.Ordinal))
        {
            record["filename"] = $"{cmiuid}.mp3";
            record["record"] = "true";
        }

        var records = _reports.GetOrAdd(report, _ => []);
        lock (records)
        {
            records.Add(record);
        }

        return this;
    }

    /// <summary>Takes a call out of a report.</summary>
    public void Remove(string report, string cmiuid)
    {
        var records = _reports[report];
        lock (records)
        {
            records.RemoveAll(record => (string?)record["cmiuid"] == cmiuid);
        }
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task RespondAsync(HttpContext context)
    {
        if (await Before(Interlocked.Increment(ref _requests), context))
        {
            return;
        }

        var body = await JsonNode.ParseAsync(context.Request.Body);
        var (status, response) = !HttpMethods.IsPost(context.Request.Method) || context.Request.Path.Value!.Split('/') is not ["", "v2", "answered" or "missed" or "out_answered" or "out_missed"] ? (404, Code(404))
            : body?["appid"] is null || body["secret"] is null ? (400, Code(400))
            : (string?)body["secret"] != Secret || body["appid"]!.ToString() != AppId ? (404, Code(404))
            : (200, Page(context.Request.Path.Value![4..], body));
        context.Response.StatusCode = status;
        await context.Response.WriteAsync(response.ToJsonString());
    }

    // The newest first, as portals list calls; the order is not documented.
    private JsonObject Page(string report, JsonNode query)
    {
        var (from, to) = ((long)query["start_date"]!, (long)query["end_date"]!);
        var (page, limit) = ((int)(query["page"] ?? 1), Math.Min((int)(query["limit"] ?? 10), 20));
        var records = _reports.GetOrAdd(report, _ => []);
        JsonObject[] found;
        lock (records)
        {
            found = [.. records.Where(record => (long)record["time"]! >= from && (long)record["time"]! <= to).OrderByDescending(record => (long)record["time"]!)];
        }

        return new JsonObject
        {
            ["count"] = found.Length,
            ["cdr"] = new JsonArray([.. found.Skip((page - 1) * limit).Take(limit).Select(record => record.DeepClone())]),
            ["code"] = 200,
        };
    }

    // The real one may say more than it should.
    private static JsonObject Code(int code) => new() { ["code"] = code, ["msg"] = $"invalid {Secret}" };
}
