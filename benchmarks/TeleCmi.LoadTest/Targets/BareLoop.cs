using System.Diagnostics;
using Azure.Data.Tables;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;

namespace TeleCmi.LoadTest.Targets;

/// <summary>What processing is when nothing is read, checked or logged: receive, insert a row of the journal's size, delete.</summary>
internal sealed class BareLoop(QueueClient queue, TableClient table)
{
    // As the LocalHost's pump has them.
    private const int BatchSize = 16;
    private const int MaxInFlight = 24;

    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    /// <summary>Takes so many messages.</summary>
    public async Task<Drained> RunAsync(int count)
    {
        await table.CreateIfNotExistsAsync();
        using var slots = new SemaphoreSlim(MaxInFlight);
        var began = Stopwatch.GetTimestamp();
        var works = new List<Task>(count);
        while (works.Count < count)
        {
            await slots.WaitAsync();
            var free = 1;
            while (free < BatchSize && await slots.WaitAsync(TimeSpan.Zero))
            {
                free++;
            }

            QueueMessage[] messages = await queue.ReceiveMessagesAsync(free, Lease);
            works.AddRange(messages.Select(async message =>
            {
                await WorkAsync(message);
                slots.Release();
            }));
            if (messages.Length < free)
            {
                slots.Release(free - messages.Length);
            }
        }

        await Task.WhenAll(works);
        return new Drained(works.Count, 0, Stopwatch.GetElapsedTime(began));
    }

    private async Task WorkAsync(QueueMessage message)
    {
        var now = TimeProvider.System.GetUtcNow();
        await table.AddEntityAsync(new TableEntity("2022-04-22", $"ccd826f9-67a4-4467-acfb-a53093ff5c9d|2223343:event:{message.MessageId}:a:answered")
        {
            ["Kind"] = "outgoing.answered",
            ["EventId"] = message.MessageId,
            ["Leg"] = "a",
            ["AnsweredBy"] = "agent",
            ["User"] = "202_2222223",
            ["CallerId"] = "442000000000",
            ["To"] = "442000000001",
            ["AppId"] = "2223343",
            ["ConversationId"] = "ccd826f9-67a4-4467-acfb-a53093ff5c9d",
            ["RequestId"] = "bvS68LlqtFunYMQO0db6g9klSdfS0UHHDoK9S9Qvaed",
            ["EventTime"] = now,
            ["ReceivedAt"] = now,
            ["ContentHash"] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            ["Event"] = message.Body.ToString(),
            ["ProcessedAt"] = now,
        });
        await queue.DeleteMessageAsync(message.MessageId, message.PopReceipt);
    }
}
