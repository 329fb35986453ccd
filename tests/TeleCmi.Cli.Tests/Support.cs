using System.Text;
using System.Text.Json;
using Azure.Data.Tables;
using Azure.Storage.Queues;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TeleCmi.Events;
using TeleCmi.LocalHost;
using TeleCmi.Pipeline;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Processing;
using TeleCmi.TestSupport;

[assembly: AssemblyFixture(typeof(AzuriteFixture))]

namespace TeleCmi.Cli.Tests;

/// <summary>What one run of the tool said.</summary>
internal sealed record CliResult(int ExitCode, string Out, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Out).RootElement;
}

/// <summary>One storage account and the tool that is pointed at it.</summary>
internal sealed class Operator(string storage)
{
    public string Storage { get; } = storage;

    public Dictionary<string, string?> Settings { get; } = new(StringComparer.Ordinal) { ["TeleCmiStorage"] = storage };

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public TableClient DeadLettersTable => new(Storage, DeadLetterStore.TableName);

    public TableClient JournalTable => new(Storage, Journal.TableName);

    public QueueClient Queue => new(Storage, "telecmi-events", new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 });

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
                Settings = new ConfigurationBuilder().AddInMemoryCollection(Settings).Build(),
                Clock = Clock,
                IsInteractive = answer is not null,
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
        var envelope = new System.Buffers.ArrayBufferWriter<byte>();
        EventEnvelope.Write(envelope, read!, receivedAt, traceParent: null);
        return envelope.WrittenSpan.ToArray();
    }

    /// <summary>Writes events down as the pipeline does.</summary>
    public async Task JournalAsync(params string[] notices)
    {
        await using var services = Services();
        var processor = services.GetRequiredService<EventProcessor>();
        foreach (var notice in notices)
        {
            await processor.ProcessAsync(EnvelopeOf(notice, TimeProvider.System.GetUtcNow()), CancellationToken.None);
        }
    }

    public ServiceProvider Services() => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(Settings).Build())
        .AddLogging()
        .AddTeleCmiPipeline()
        .BuildServiceProvider();

    public Task<Receiver> StartReceiverAsync(params string[] args) => Receiver.StartAsync(["--storage", Storage, .. args]);
}

/// <summary>The one-machine receiver, in this process.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Receiver(WebApplication app) => _app = app;

    public string Url => $"{_app.Urls.First()}/api/telecmi/events";

    public static async Task<Receiver> StartAsync(string[] args)
    {
        var builder = LocalHostApp.CreateBuilder(["--urls", "http://127.0.0.1:0", "--LocalHost:MaxPollingInterval", "00:00:00.050", .. args]);
        builder.Logging.ClearProviders();
        var app = LocalHostApp.Build(builder);
        await app.StartAsync();
        return new Receiver(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}

internal static class TableRows
{
    /// <summary>Every row; none when the table is not there yet.</summary>
    public static async Task<List<TableEntity>> RowsAsync(this TableClient table)
    {
        try
        {
            return await table.QueryAsync<TableEntity>().ToListAsync();
        }
        catch (Azure.RequestFailedException e) when (e.ErrorCode == "TableNotFound")
        {
            return [];
        }
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
