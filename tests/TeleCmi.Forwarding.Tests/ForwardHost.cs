using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Azure.Data.Tables;
using Azure.Storage.Queues;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using TeleCmi.Events.Samples;
using TeleCmi.LocalHost;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.TestSupport;

namespace TeleCmi.Forwarding.Tests;

/// <summary>The receiver in this process, with destinations.</summary>
internal sealed class ForwardHost : IAsyncDisposable
{
    public const string Secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    public const string OldSecret = "whsec_ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7";

    private readonly WebApplication _app;
    private readonly HttpClient _client = new();

    private ForwardHost(WebApplication app, FakeLogCollector log, string storage)
    {
        _app = app;
        Log = log;
        Storage = storage;
    }

    public string Storage { get; }

    public FakeLogCollector Log { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>The settings of one destination on this machine.</summary>
    public static string[] Destination(int number, string name, Uri url, params string[] settings) =>
    [
        "--TeleCmi:Forward:AllowedNetworks=loopback",
        Setting(number, "Url", url.AbsoluteUri),
        Setting(number, "Name", name),
        .. settings.Any(setting => setting.StartsWith("Secrets=", StringComparison.Ordinal)) ? (string[])[] : [Setting(number, "Secrets", Secret)],
        .. settings.Select(setting => setting.Split('=', 2)).Select(setting => Setting(number, setting[0], setting[1])),
    ];

    public static async Task<ForwardHost> StartAsync(string storage, IEnumerable<string> settings, RetrySchedule? schedule = null, Action<IServiceCollection>? configure = null)
    {
        var builder = LocalHostApp.CreateBuilder(
        [
            "--urls", "http://127.0.0.1:0", "--storage", storage,
            "--LocalHost:RetryPause=00:00:00", "--LocalHost:MaxPollingInterval=00:00:00.05", .. settings,
        ]);
        builder.Logging.ClearProviders().AddFakeLogging();
        builder.Services.AddSingleton(schedule ?? Schedule(retries: 3));
        configure?.Invoke(builder.Services);
        var app = LocalHostApp.Build(builder);
        await app.StartAsync();
        return new ForwardHost(app, app.Services.GetFakeLogCollector(), storage);
    }

    /// <summary>So many retries, without a pause.</summary>
    public static RetrySchedule Schedule(int retries) => new([.. Enumerable.Repeat(TimeSpan.Zero, retries)]);

    /// <summary>A customer's answer, or the agent's, in a call of its own.</summary>
    public static byte[] Answer(string call, string leg = "b", string? conversation = null)
    {
        var notice = JsonNode.Parse(DocumentedNotices.OutgoingAnswered.Json)!.AsObject();
        notice["leg"] = leg;
        notice["cmiuuid"] = call;
        notice["conversation_uuid"] = conversation ?? call;
        return Encoding.UTF8.GetBytes(notice.ToJsonString());
    }

    public static string IdOf(string call, string leg = "b") => $"2223343:event:{call}:{leg}:answered";

    public async Task PostAsync(byte[] body, string? traceParent = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(new Uri(_app.Urls.Single()), "/api/telecmi/events"));
        request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        if (traceParent is not null)
        {
            request.Headers.Add("traceparent", traceParent);
        }

        using var response = await _client.SendAsync(request);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Waits until no queue has a message, hidden ones included.</summary>
    public Task SettledAsync() => Eventually.HoldsAsync(async () =>
        await CountAsync("telecmi-events") + await CountAsync("telecmi-forwards") + await CountAsync("telecmi-forwards-poison") == 0);

    public async Task<int> CountAsync(string queue)
    {
        var client = new QueueClient(Storage, queue);
        return await client.ExistsAsync() ? (await client.GetPropertiesAsync()).Value.ApproximateMessagesCount : 0;
    }

    public async Task<IReadOnlyList<TableEntity>> RowsAsync(string table)
    {
        var client = new TableServiceClient(Storage);
        await client.CreateTableIfNotExistsAsync(table);
        var rows = new List<TableEntity>();
        await foreach (var row in client.GetTableClient(table).QueryAsync<TableEntity>())
        {
            rows.Add(row);
        }

        return rows;
    }

    public Task<IReadOnlyList<TableEntity>> DeadLettersAsync() => RowsAsync(DeadLetterStore.TableName);

    /// <summary>Waits for so many dead letters.</summary>
    public async Task<IReadOnlyList<TableEntity>> DeadLettersAsync(int count)
    {
        await Eventually.HoldsAsync(async () => (await DeadLettersAsync()).Count >= count);
        return await DeadLettersAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static string Setting(int number, string name, string value) =>
        string.Create(CultureInfo.InvariantCulture, $"--TeleCmi:Forward:{number}:{name}={value}");
}
