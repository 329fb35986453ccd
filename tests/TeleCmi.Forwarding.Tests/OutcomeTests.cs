using System.Diagnostics;
using System.Text;
using Azure.Storage.Queues;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.TestSupport;

namespace TeleCmi.Forwarding.Tests;

public sealed class OutcomeTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task AnsweredCall_IsPostedOnce_AsACloudEvent()
    {
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var host = await StartAsync(new Uri(crm.Address, "/hooks/telecmi?tenant=7"));

        await host.PostAsync(ForwardHost.Answer("call-1"));
        await Eventually.HoldsAsync(() => Task.FromResult(crm.Calls.Count > 0));
        await host.SettledAsync();

        var call = crm.Calls.ShouldHaveSingleItem();
        call.Line.ShouldBe("POST /hooks/telecmi?tenant=7");
        call.Headers["content-type"].ShouldBe("application/cloudevents+json; charset=utf-8");
        call.WebhookId.ShouldBe(ForwardHost.IdOf("call-1"));
        call.Json.GetProperty("specversion").GetString().ShouldBe("1.0");
        call.Json.GetProperty("id").GetString().ShouldBe(ForwardHost.IdOf("call-1"));
        call.Json.GetProperty("type").GetString().ShouldBe("com.telecmi.outgoing.answered");
        call.Json.GetProperty("data").GetProperty("cmiuuid").GetString().ShouldBe("call-1");
        (await host.RowsAsync("CallEvents")).ShouldHaveSingleItem().GetString("Handler_Forward_crm").ShouldBe("done");
        (await host.DeadLettersAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task DuplicateEvent_ForwardsNothingAgain()
    {
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var host = await StartAsync(crm.Address);

        for (var i = 0; i < 3; i++)
        {
            await host.PostAsync(ForwardHost.Answer("call-1"));
            await host.SettledAsync();
        }

        crm.Calls.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task EventForNobody_LeavesNoTraceInTheJournalsRow()
    {
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var host = await StartAsync(crm.Address, "AnsweredBy=customer");

        await host.PostAsync(ForwardHost.Answer("call-1", leg: "a"));
        await Eventually.HoldsAsync(async () => (await host.RowsAsync("CallEvents")).Count == 1);
        await host.SettledAsync();

        crm.Calls.ShouldBeEmpty();
        (await host.RowsAsync("CallEvents")).Single().ContainsKey("Handler_Forward_crm").ShouldBeFalse();
    }

    [Theory]
    [InlineData(500)]
    [InlineData(429)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task FailureThatMayPass_IsTriedAgain_WithTheSameIdAndBody(int status)
    {
        await using var crm = await CrmUnderTest.StartAsync(status, 200);
        await using var host = await StartAsync(crm.Address);

        await host.PostAsync(ForwardHost.Answer("call-1"));
        await Eventually.HoldsAsync(() => Task.FromResult(crm.Calls.Count == 2));
        await host.SettledAsync();

        crm.Calls[1].WebhookId.ShouldBe(crm.Calls[0].WebhookId);
        crm.Calls[1].Body.ShouldBe(crm.Calls[0].Body);
        (await host.DeadLettersAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task RetryAfter_IsHonoured()
    {
        await using var crm = await CrmUnderTest.StartAsync((context, call) =>
        {
            context.Response.StatusCode = call == 0 ? 429 : 200;
            context.Response.Headers.RetryAfter = "3";
            return Task.CompletedTask;
        });
        await using var host = await StartAsync(crm.Address);

        await host.PostAsync(ForwardHost.Answer("call-1"));
        await Eventually.HoldsAsync(() => Task.FromResult(crm.Calls.Count == 2));

        // The clock of storage counts in whole seconds.
        Stopwatch.GetElapsedTime(crm.Calls[0].At, crm.Calls[1].At).ShouldBeGreaterThan(TimeSpan.FromSeconds(2));
        await host.SettledAsync();
    }

    [Fact]
    public async Task AnswerThatDoesNotComeInTime_IsTriedAgain()
    {
        await using var crm = await CrmUnderTest.StartAsync((context, call) => call == 0 ? CrmUnderTest.HoldAsync(context) : Task.CompletedTask);
        await using var host = await StartAsync(crm.Address, "Timeout=00:00:01");

        await host.PostAsync(ForwardHost.Answer("call-1"));
        await Eventually.HoldsAsync(() => Task.FromResult(crm.Calls.Count == 2));
        await host.SettledAsync();

        crm.Calls[1].WebhookId.ShouldBe(crm.Calls[0].WebhookId);
    }

    [Fact]
    public async Task RefusedConnection_IsTriedAgain_AndKeptInTheEnd()
    {
        await using var host = await StartAsync(await CrmUnderTest.DeadAddressAsync());

        await host.PostAsync(ForwardHost.Answer("call-1"));

        var letter = (await host.DeadLettersAsync(1)).ShouldHaveSingleItem();
        letter.GetString("Reason").ShouldBe("forward");
        letter.GetString("Destination").ShouldBe("crm");
        letter.GetString("EventId").ShouldBe(ForwardHost.IdOf("call-1"));
        letter.GetInt32("Status").ShouldBeNull();
        letter.GetString("Error").ShouldBe("The host did not take the connection (ConnectionError). That was attempt 4, the last.");
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(422)]
    public async Task RefusedEvent_IsKeptAtOnce_WithTheAnswer(int status)
    {
        await using var crm = await CrmUnderTest.StartAsync(async (context, _) =>
        {
            context.Response.StatusCode = status;
            await context.Response.WriteAsync("""{"error":"no such contact"}""");
        });
        await using var host = await StartAsync(crm.Address);

        await host.PostAsync(ForwardHost.Answer("call-1"));
        var letter = (await host.DeadLettersAsync(1)).ShouldHaveSingleItem();
        await host.SettledAsync();

        crm.Calls.ShouldHaveSingleItem();
        letter.GetInt32("Status").ShouldBe(status);
        letter.GetString("Answer").ShouldBe("""{"error":"no such contact"}""");
        letter.GetBinary("Body").ShouldBe(crm.Calls[0].Body);
    }

    [Fact]
    public async Task LongAnswer_IsReadNoFurtherThanItsFirstKibibyte()
    {
        await using var crm = await CrmUnderTest.StartAsync(async (context, _) =>
        {
            context.Response.StatusCode = 400;
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.WriteAsync(new string('x', 4096), context.RequestAborted);
            }
        });
        await using var host = await StartAsync(crm.Address);

        await host.PostAsync(ForwardHost.Answer("call-1"));

        (await host.DeadLettersAsync(1)).ShouldHaveSingleItem().GetString("Answer").ShouldBe(new string('x', 1024));
    }

    [Fact]
    public async Task Redirect_IsNotFollowed()
    {
        await using var elsewhere = await CrmUnderTest.StartAsync(200);
        await using var crm = await CrmUnderTest.StartAsync((context, _) =>
        {
            context.Response.Redirect(elsewhere.Address.AbsoluteUri, permanent: false, preserveMethod: true);
            return Task.CompletedTask;
        });
        await using var host = await StartAsync(crm.Address);

        await host.PostAsync(ForwardHost.Answer("call-1"));
        var letter = (await host.DeadLettersAsync(1)).ShouldHaveSingleItem();

        letter.GetInt32("Status").ShouldBe(307);
        elsewhere.Calls.ShouldBeEmpty();
    }

    [Fact]
    public async Task Gone_StopsTheDestination_LoudlyAndForGood_UntilItsAddressChanges()
    {
        var storage = azurite.NewStorage();
        await using var crm = await CrmUnderTest.StartAsync(410);
        await using (var host = await ForwardHost.StartAsync(storage, ForwardHost.Destination(0, "crm", crm.Address)))
        {
            await host.PostAsync(ForwardHost.Answer("call-1"));
            await host.DeadLettersAsync(1);
            await host.PostAsync(ForwardHost.Answer("call-2"));
            await host.DeadLettersAsync(2);
            host.Log.GetSnapshot().Count(line => line.Level is LogLevel.Critical && line.Message.Contains("crm answered 410 Gone and is STOPPED", StringComparison.Ordinal)).ShouldBe(1);
        }

        await using (var restarted = await ForwardHost.StartAsync(storage, ForwardHost.Destination(0, "crm", crm.Address)))
        {
            await restarted.PostAsync(ForwardHost.Answer("call-3"));
            await restarted.DeadLettersAsync(3);
        }

        crm.Calls.ShouldHaveSingleItem();
        await using var moved = await ForwardHost.StartAsync(storage, ForwardHost.Destination(0, "crm", new Uri(crm.Address, "/new")));
        await moved.PostAsync(ForwardHost.Answer("call-4"));
        await moved.DeadLettersAsync(4);
        crm.Calls.Count.ShouldBe(2);
    }

    [Fact]
    public async Task StoppedDestination_CanBeResumed()
    {
        await using var crm = await CrmUnderTest.StartAsync(410, 200);
        await using var host = await StartAsync(crm.Address);
        await host.PostAsync(ForwardHost.Answer("call-1"));
        await host.DeadLettersAsync(1);

        (await host.Services.GetRequiredService<StoppedDestinations>().ResumeAsync("crm", CancellationToken.None)).ShouldBeTrue();
        await host.PostAsync(ForwardHost.Answer("call-2"));

        await Eventually.HoldsAsync(() => Task.FromResult(crm.Calls.Count == 2));
    }

    [Fact]
    public async Task DeadLetter_CanBeReplayedToItsDestinationAlone()
    {
        await using var crm = await CrmUnderTest.StartAsync(400, 200);
        await using var other = await CrmUnderTest.StartAsync(200);
        await using var host = await ForwardHost.StartAsync(
            azurite.NewStorage(), [.. ForwardHost.Destination(0, "crm", crm.Address), .. ForwardHost.Destination(1, "other", other.Address)]);
        await host.PostAsync(ForwardHost.Answer("call-1"));
        var letter = (await host.DeadLettersAsync(1)).Single();

        await host.Services.GetRequiredService<ForwardQueue>().EnqueueAsync(letter.GetString("Destination"), letter.GetBinary("Body"), CancellationToken.None);
        await Eventually.HoldsAsync(() => Task.FromResult(crm.Calls.Count == 2));
        await host.SettledAsync();

        crm.Calls[1].WebhookId.ShouldBe(crm.Calls[0].WebhookId);
        other.Calls.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task ForwardToADestinationThatIsNoLongerThere_IsKept()
    {
        await using var host = await StartAsync(await CrmUnderTest.DeadAddressAsync());
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var source = await StartAsync(crm.Address);
        await source.PostAsync(ForwardHost.Answer("call-1"));
        await Eventually.HoldsAsync(() => Task.FromResult(crm.Calls.Count == 1));

        await host.Services.GetRequiredService<ForwardQueue>().EnqueueAsync("former", crm.Calls[0].Body, CancellationToken.None);

        var letter = (await host.DeadLettersAsync(1)).Single();
        letter.GetString("Destination").ShouldBe("former");
        letter.GetBinary("Body").ShouldBe(crm.Calls[0].Body);
    }

    [Theory]
    [InlineData("telecmi-forwards")]
    [InlineData("telecmi-forwards-poison")]
    public async Task MessageThatIsNoForward_IsKept(string queue)
    {
        await using var host = await StartAsync(await CrmUnderTest.DeadAddressAsync());
        var client = new QueueClient(host.Storage, queue, new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 });
        await client.CreateIfNotExistsAsync();
        await client.SendMessageAsync("what is this?");

        var letter = (await host.DeadLettersAsync(1)).Single();

        letter.GetString("Reason").ShouldBe("forward");
        Encoding.UTF8.GetString(letter.GetBinary("Body")).ShouldBe("what is this?");
        await host.SettledAsync();
    }

    [Fact]
    public async Task Connection_IsUsedAgain()
    {
        await using var crm = await CrmUnderTest.StartAsync(async (context, _) => await context.Response.WriteAsync("""{"ok":true}"""));
        await using var host = await StartAsync(crm.Address);

        for (var i = 1; i <= 3; i++)
        {
            await host.PostAsync(ForwardHost.Answer($"call-{i}"));
            await Eventually.HoldsAsync(() => Task.FromResult(crm.Calls.Count == i));
            await host.SettledAsync();
        }

        crm.Calls.Select(call => call.Connection).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
    }

    private Task<ForwardHost> StartAsync(Uri url, params string[] settings) =>
        ForwardHost.StartAsync(azurite.NewStorage(), ForwardHost.Destination(0, "crm", url, settings));
}
