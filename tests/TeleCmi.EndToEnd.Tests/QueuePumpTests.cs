using System.Net;
using Azure.Core.Pipeline;
using Azure.Storage.Queues;
using Microsoft.Extensions.Logging.Abstractions;
using TeleCmi.LocalHost;
using TeleCmi.TestSupport;

namespace TeleCmi.EndToEnd.Tests;

public sealed class QueuePumpTests
{
    [Fact]
    public async Task AReplyThatBreaksOff_DoesNotEndThePump()
    {
        var storage = new BrokenStorage();
        var options = new QueueClientOptions { Transport = new HttpClientTransport(storage), Retry = { MaxRetries = 0 } };
        using var pump = new QueuePump(
            new QueueClient(new Uri("http://127.0.0.1/account/queue"), options),
            (_, _, _) => Task.CompletedTask,
            poison: null,
            new LocalHostOptions { MaxPollingInterval = TimeSpan.FromMilliseconds(10) },
            TimeProvider.System,
            NullLogger<QueuePump>.Instance);

        await pump.StartAsync(CancellationToken.None);

        await Eventually.HoldsAsync(() => Task.FromResult(storage.Requests > 2));
        pump.ExecuteTask!.IsCompleted.ShouldBeFalse();
        await pump.StopAsync(CancellationToken.None);
    }

    private sealed class BrokenStorage : HttpMessageHandler
    {
        private int _requests;

        public int Requests => _requests;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _requests);
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("<QueueMessagesList><QueueMess") });
        }
    }
}
