using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Storage.Azure;
using TeleCmi.TestSupport;

namespace TeleCmi.Storage.Tests;

/// <summary>Something else answers in the place of the storage account: a proxy, a portal, a wrong port.</summary>
public sealed class StrangerTests
{
    [Theory]
    [InlineData(200, "text/html", "<html><body>Please log in</body></html>")]
    [InlineData(201, "application/xml", "<QueueMessagesList />")]
    [InlineData(200, "application/xml", "<QueueMessagesList><QueueMessage /></QueueMessagesList>")]
    [InlineData(200, "application/json", "[]")]
    [InlineData(200, "application/json", "{\"value\":7}")]
    [InlineData(204, "text/plain", "")]
    [InlineData(200, "text/plain", "")]
    public async Task WhateverItSays_NothingButAStorageExceptionIsThrown(int status, string type, string body)
    {
        await using var stranger = await CrmUnderTest.StartAsync((context, _) =>
        {
            (context.Response.StatusCode, context.Response.ContentType) = (status, type);
            return context.Response.WriteAsync(body);
        });
        var port = stranger.Address.Port;
        var store = new AzureStore(Options.Create(new AzureStorageOptions { ConnectionString = Azurite.ConnectionStringFor(new AzuritePorts(port, port, port)) }));
        var (queue, table, row) = (store.Queue("telecmi-events"), store.Table("CallEvents"), new TableRow(new RowKey("p", "r")) { ["Text"] = "text" });
        var message = new ReceivedMessage("id", "receipt", "{}"u8.ToArray(), TimeProvider.System.GetUtcNow(), 1);
        var send = (CancellationToken token) => queue.SendAsync("{}"u8.ToArray(), TimeSpan.Zero, token);
        Func<CancellationToken, Task>[] operations =
        [
            store.CheckAsync,
            send,
            token => queue.ReceiveAsync(5, TimeSpan.FromSeconds(1), token),
            token => queue.ExtendAsync(message, TimeSpan.FromSeconds(1), token),
            token => queue.DeleteAsync(message, token),
            token => queue.PeekAsync(5, token),
            queue.CountAsync,
            token => table.TryInsertAsync(row, token),
            token => table.UpsertAsync(row, token),
            token => table.FindAsync(row.Key, columns: null, token),
            token => table.DeleteAsync(row.Key, version: null, token),
            async token => await table.RowsAsync(new TableQuery(), token).ToListAsync(token),
        ];

        foreach (var operation in operations)
        {
            var failure = await Record.ExceptionAsync(() => operation(TestContext.Current.CancellationToken));
            (failure is StorageException || (failure is null && operation != send)).ShouldBeTrue($"{failure}");
        }
    }
}
