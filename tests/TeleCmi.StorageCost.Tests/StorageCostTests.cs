using System.Net;
using Azure.Storage.Queues;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using TeleCmi.Events.Samples;
using TeleCmi.LocalHost;
using TeleCmi.TestSupport;

namespace TeleCmi.StorageCost.Tests;

/// <summary>Each request to storage is money and time, so their number is a promise.</summary>
public sealed class StorageCostTests
{
    private const string Enqueue = "POST /telecmi-events/messages";
    private const string Insert = "POST /CallEvents";
    private const int Events = 20;

    [Fact]
    public async Task Receiving_an_event_costs_one_request()
    {
        await using var azurite = await LoggedAzurite.StartAsync();
        await using var app = await StartAsync(azurite, withPumps: false);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };

        // The first event makes the queue.
        await PostAsync(client, DocumentedNotices.OutgoingAnswered, 0);
        await azurite.TakeRequestsAsync();
        for (var number = 1; number <= Events; number++)
        {
            await PostAsync(client, DocumentedNotices.OutgoingAnswered, number);
        }

        (await azurite.TakeRequestsAsync()).ShouldBe(Enumerable.Repeat(Enqueue, Events));
    }

    [Fact]
    public async Task A_notice_that_is_not_wanted_costs_none()
    {
        await using var azurite = await LoggedAzurite.StartAsync();
        await using var app = await StartAsync(azurite, withPumps: false);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        await azurite.TakeRequestsAsync();

        await PostAsync(client, DocumentedNotices.Load().Single(notice => notice.Name == "chub-event-outgoing-hangup-a"), 1);

        (await azurite.TakeRequestsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Processing_an_event_costs_one_request_and_the_queues_own_receive_and_delete()
    {
        await using var azurite = await LoggedAzurite.StartAsync();
        await using var app = await StartAsync(azurite, withPumps: true);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        var queue = new QueueClient(azurite.Storage, "telecmi-events");

        // The first event makes the queue and the table.
        await PostAsync(client, DocumentedNotices.OutgoingAnswered, 0);
        await WhenEmptyAsync(queue);
        await azurite.TakeRequestsAsync();
        for (var number = 1; number <= Events; number++)
        {
            await PostAsync(client, DocumentedNotices.OutgoingAnswered, number);
        }

        await WhenEmptyAsync(queue);
        var requests = await azurite.TakeRequestsAsync();
        requests.Count(request => request == Enqueue).ShouldBe(Events);
        requests.Count(request => request == Insert).ShouldBe(Events);
        requests.Count(request => request.StartsWith("DELETE /telecmi-events/messages/", StringComparison.Ordinal)).ShouldBe(Events);

        // The rest is pumps that look for messages, and this test that looks whether the queue is empty.
        requests.Where(request => request is not (Enqueue or Insert) && !request.StartsWith("DELETE ", StringComparison.Ordinal))
            .ShouldAllBe(request => request.StartsWith("GET /telecmi-", StringComparison.Ordinal));
    }

    private static async Task<WebApplication> StartAsync(LoggedAzurite azurite, bool withPumps)
    {
        var builder = LocalHostApp.CreateBuilder(
            ["--storage", azurite.Storage, "--urls", "http://127.0.0.1:0", "--LocalHost:LivePage=false", "--LocalHost:MaxPollingInterval=00:00:00.100"]);
        if (!withPumps)
        {
            foreach (var pump in builder.Services.Where(service => service.ServiceType == typeof(IHostedService) && service.ImplementationFactory is not null).ToArray())
            {
                builder.Services.Remove(pump);
            }
        }

        var app = LocalHostApp.Build(builder);
        await app.StartAsync();
        return app;
    }

    private static async Task PostAsync(HttpClient client, DocumentedNotice notice, int number)
    {
        var json = notice.Json.Replace("a53093ff5c9d", number.ToString("x12", System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        using var content = new StringContent(json);
        using var answer = await client.PostAsync(new Uri("/api/telecmi/events", UriKind.Relative), content);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static Task WhenEmptyAsync(QueueClient queue) =>
        Eventually.HoldsAsync(async () => (await queue.GetPropertiesAsync()).Value.ApproximateMessagesCount == 0);
}
