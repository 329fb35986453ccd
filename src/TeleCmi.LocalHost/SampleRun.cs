using System.Net.Http.Headers;
using System.Text.Json;
using TeleCmi.Events;
using TeleCmi.Events.Samples;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LocalHost;

/// <summary>Sends the documented sample to the receiver by POST and by GET, and checks that the journal has it.</summary>
internal sealed class SampleRun(IStore store, TimeProvider clock, TextWriter output)
{
    private static readonly TimeSpan JournalDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private readonly ITable _journal = store.Table(Journal.TableName);

    /// <summary>Queues of the sample's own: beside a running receiver it must not take that one's events.</summary>
    public static string[] Settings { get; } = [$"--{QueueOptions.EventsSetting}=telecmi-sample-events", $"--{QueueOptions.ForwardsSetting}=telecmi-sample-forwards"];

    /// <summary>Runs it.</summary>
    /// <returns>0 when both responses are as promised and the journal row is really there; otherwise 1.</returns>
    /// <exception cref="StorageException">Storage does not work.</exception>
    public async Task<int> RunAsync(Uri webhook, CancellationToken cancellation)
    {
        var sample = DocumentedNotices.OutgoingAnswered;
        if (!Notice.TryRead(sample.Utf8, out var notice, out var fault))
        {
            throw new InvalidDataException(fault);
        }

        // The row of an earlier run would prove nothing about this one.
        var key = JournalKey.Of(notice);
        await _journal.DeleteAsync(key, version: null, cancellation);
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        using var post = new HttpRequestMessage(HttpMethod.Post, webhook)
        {
            Content = new ByteArrayContent(sample.Utf8) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        using var get = new HttpRequestMessage(HttpMethod.Get, new Uri(webhook, $"?{sample.ToQuery()}"));
        return await SendAsync(client, post, notice.Id, cancellation) && await SendAsync(client, get, notice.Id, cancellation)
            ? await WaitForRowAsync(key, cancellation) is { } found ? Show(found) : Missing()
            : 1;
    }

    private async Task<bool> SendAsync(HttpClient client, HttpRequestMessage request, string id, CancellationToken cancellation)
    {
        var started = clock.GetTimestamp();
        using var response = await client.SendAsync(request, cancellation);
        var body = await response.Content.ReadAsStringAsync(cancellation);
        await output.WriteLineAsync($"{request.Method,-4} -> {(int)response.StatusCode} in {clock.GetElapsedTime(started).TotalMilliseconds:F0} ms  {body}");
        using var json = JsonDocument.Parse(body);
        var isAccepted = response.IsSuccessStatusCode && json.RootElement.TryGetProperty("id", out var accepted) && accepted.ValueEquals(id);
        if (!isAccepted)
        {
            await output.WriteLineAsync($"FAILED: the response should be 200 with the id {id}.");
        }

        return isAccepted;
    }

    private async Task<TableRow?> WaitForRowAsync(RowKey key, CancellationToken cancellation)
    {
        var started = clock.GetTimestamp();
        do
        {
            if (await _journal.FindAsync(key, columns: null, cancellation) is { } row && row.Time(JournalColumns.ProcessedAt) is not null)
            {
                return row;
            }

            await Task.Delay(PollInterval, clock, cancellation);
        }
        while (clock.GetElapsedTime(started) < JournalDeadline);

        return null;
    }

    private int Show(TableRow row)
    {
        output.WriteLine($"Journal row in table {Journal.TableName}:");
        foreach (var (column, value) in row.OrderBy(column => column.Key, StringComparer.Ordinal).Prepend(new("RowKey", row.Key.Row)).Prepend(new("PartitionKey", row.Key.Partition)))
        {
            output.WriteLine($"  {column,-16} {(value is DateTimeOffset time ? time.ToString("O") : value)}");
        }

        output.WriteLine("OK: received, queued, processed, journaled.");
        return 0;
    }

    private int Missing()
    {
        output.WriteLine($"FAILED: no finished journal row within {JournalDeadline.TotalSeconds} s; the log above says why.");
        return 1;
    }
}
