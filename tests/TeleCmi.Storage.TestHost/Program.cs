using System.Globalization;
using System.Text;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Sqlite;

// send <file> <queue>: sends numbers until it is killed, and prints each one that was acknowledged.
// drain <file> <queue>: receives and deletes until the queue is empty, and prints what it got.
await using var store = new SqliteStore(args[1], TimeProvider.System);
var queue = store.Queue(args[2]);
var output = TextWriter.Synchronized(new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = true });
var last = 0;
await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(args[0] == "send" ? SendAsync : DrainAsync)));

async Task SendAsync()
{
    while (true)
    {
        var number = Interlocked.Increment(ref last).ToString(CultureInfo.InvariantCulture);
        await queue.SendAsync(Encoding.UTF8.GetBytes(number), TimeSpan.Zero, CancellationToken.None);
        await store.Table("Sent").UpsertAsync(new TableRow(new RowKey("all", number)) { ["Text"] = new string('x', 500) }, CancellationToken.None);
        await output.WriteLineAsync(number);
    }
}

async Task DrainAsync()
{
    while (await queue.ReceiveAsync(4, TimeSpan.FromMinutes(5), CancellationToken.None) is { Count: > 0 } messages)
    {
        foreach (var message in messages)
        {
            if (await queue.DeleteAsync(message, CancellationToken.None))
            {
                await output.WriteLineAsync(Encoding.UTF8.GetString(message.Body.Span));
            }
        }
    }
}
