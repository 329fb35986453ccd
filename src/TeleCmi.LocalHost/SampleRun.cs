using System.Net.Http.Headers;
using System.Text.Json;
using Azure;
using Azure.Data.Tables;
using TeleCmi.Events;
using TeleCmi.Events.Samples;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LocalHost;

/// <summary>Sends the documented sample to the receiver by POST and by GET, and looks whether the journal has it.</summary>
internal sealed class SampleRun(StorageClients clients, TimeProvider clock, TextWriter output)
{
    private static readonly TimeSpan JournalDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    private readonly TableClient _journal = clients.Table(Journal.TableName);

    /// <summary>Runs it.</summary>
    /// <returns>0 when both answers are as promised and the journal row is really there; otherwise 1.</returns>
    public async Task<int> RunAsync(Uri webhook, CancellationToken cancellation)
    {
        var sample = DocumentedNotices.OutgoingAnswered;
        if (!Notice.TryRead(sample.Utf8, out var notice, out var fault))
        {
            throw new InvalidDataException(fault);
        }

        var (partition, row) = JournalKey.Of(new CallEvent
        {
            Id = notice.Id,
            Kind = notice.Kind,
            ReceivedAt = default,
            Notice = notice,
            Envelope = default,
        });

        // The row of an earlier run would prove nothing about this one.
        await RemoveAsync(partition, row, cancellation);
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        using var post = new HttpRequestMessage(HttpMethod.Post, webhook)
        {
            Content = new ByteArrayContent(sample.Utf8) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        using var get = new HttpRequestMessage(HttpMethod.Get, new Uri(webhook, $"?{QueryOf(sample)}"));
        if (!await SendAsync(client, post, notice.Id, cancellation) || !await SendAsync(client, get, notice.Id, cancellation))
        {
            return 1;
        }

        return await WaitForRowAsync(partition, row, cancellation) is { } found ? Show(found) : Missing();
    }

    private async Task<bool> SendAsync(HttpClient client, HttpRequestMessage request, string id, CancellationToken cancellation)
    {
        var started = clock.GetTimestamp();
        using var response = await client.SendAsync(request, cancellation);
        var answer = await response.Content.ReadAsStringAsync(cancellation);
        await output.WriteLineAsync($"{request.Method,-4} -> {(int)response.StatusCode} in {clock.GetElapsedTime(started).TotalMilliseconds:F0} ms  {answer}");
        using var json = JsonDocument.Parse(answer);
        var accepted = response.IsSuccessStatusCode && json.RootElement.TryGetProperty("id", out var answered) && answered.ValueEquals(id);
        if (!accepted)
        {
            await output.WriteLineAsync($"FAILED: the answer should be 200 with the id {id}.");
        }

        return accepted;
    }

    private async Task RemoveAsync(string partition, string row, CancellationToken cancellation)
    {
        try
        {
            await _journal.CreateIfNotExistsAsync(cancellation);
            await _journal.DeleteEntityAsync(partition, row, cancellationToken: cancellation);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            throw new StartupException($"The storage at {_journal.Uri.GetLeftPart(UriPartial.Authority)} does not answer: start it, or correct TeleCmiStorage (--storage).", e);
        }
    }

    private async Task<TableEntity?> WaitForRowAsync(string partition, string row, CancellationToken cancellation)
    {
        var started = clock.GetTimestamp();
        do
        {
            var found = await _journal.GetEntityIfExistsAsync<TableEntity>(partition, row, cancellationToken: cancellation);
            if (found is { HasValue: true, Value: { } entity } && entity.GetDateTimeOffset(JournalRow.ProcessedAt) is not null)
            {
                return entity;
            }

            await Task.Delay(LookInterval, clock, cancellation);
        }
        while (clock.GetElapsedTime(started) < JournalDeadline);

        return null;
    }

    private int Show(TableEntity row)
    {
        output.WriteLine($"Journal row in table {Journal.TableName}:");
        foreach (var (column, value) in row.Where(column => column.Key is not ("odata.etag" or "Timestamp")))
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

    private static string QueryOf(DocumentedNotice sample)
    {
        using var json = JsonDocument.Parse(sample.Json);
        return string.Join('&', json.RootElement.EnumerateObject().Select(field =>
            $"{Uri.EscapeDataString(field.Name)}={Uri.EscapeDataString(field.Value.ToString())}"));
    }
}
