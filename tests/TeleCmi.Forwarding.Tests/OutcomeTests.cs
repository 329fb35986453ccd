using System.Diagnostics;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TeleCmi.Events;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.TestSupport;

namespace TeleCmi.Forwarding.Tests;

public sealed class OutcomeTests(AzuriteFixture azurite)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnsweredCall_IsPostedOnce_AsACloudEvent(bool onAzurite)
    {
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var host = await Forwards.StartAsync(
            Forwards.Destination(0, "crm", new Uri(crm.Address, "/hooks/telecmi?tenant=7")), storage: onAzurite ? azurite.NewStorage() : null);

        await host.AcceptsAsync(Forwards.Answered("call-1"));
        await crm.HasAsync(1);
        await host.SettledAsync();

        var request = crm.Requests.ShouldHaveSingleItem();
        request.Line.ShouldBe("POST /hooks/telecmi?tenant=7");
        request.Headers["content-type"].ShouldBe("application/cloudevents+json; charset=utf-8");
        request.WebhookId.ShouldBe(Forwards.IdOf("call-1"));
        request.Json.GetProperty("specversion").GetString().ShouldBe("1.0");
        request.Json.GetProperty("id").GetString().ShouldBe(Forwards.IdOf("call-1"));
        request.Json.GetProperty("type").GetString().ShouldBe("com.telecmi.outgoing.answered");
        request.Json.GetProperty("data").GetProperty("cmiuuid").GetString().ShouldBe("call-1");
        (await host.Storage.JournalAsync()).ShouldHaveSingleItem().Text("Handler_Forward_crm").ShouldBe("done");
        (await host.Storage.DeadLettersAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task DuplicateEvent_ForwardsNothingAgain()
    {
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var host = await StartAsync(crm.Address);

        for (var i = 0; i < 3; i++)
        {
            await host.AcceptsAsync(Forwards.Answered("call-1"));
            await host.SettledAsync();
        }

        crm.Requests.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task EventForNobody_LeavesNoTraceInTheJournalsRow()
    {
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var host = await StartAsync(crm.Address, "AnsweredBy=customer");

        await host.AcceptsAsync(Forwards.Answered("call-1", leg: "a"));
        await Eventually.HoldsAsync(async () => (await host.Storage.JournalAsync()).Count == 1);
        await host.SettledAsync();

        crm.Requests.ShouldBeEmpty();
        (await host.Storage.JournalAsync()).Single()["Handler_Forward_crm"].ShouldBeNull();
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

        await host.AcceptsAsync(Forwards.Answered("call-1"));
        await crm.HasAsync(2);
        await host.SettledAsync();

        crm.Requests[1].WebhookId.ShouldBe(crm.Requests[0].WebhookId);
        crm.Requests[1].Body.ShouldBe(crm.Requests[0].Body);
        (await host.Storage.DeadLettersAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task RetryAfter_IsHonoured()
    {
        await using var crm = await CrmUnderTest.StartAsync((context, number) =>
        {
            context.Response.StatusCode = number == 0 ? 429 : 200;
            context.Response.Headers.RetryAfter = "3";
            return Task.CompletedTask;
        });
        await using var host = await StartAsync(crm.Address);

        await host.AcceptsAsync(Forwards.Answered("call-1"));
        await crm.HasAsync(2);

        Stopwatch.GetElapsedTime(crm.Requests[0].At, crm.Requests[1].At).ShouldBeGreaterThan(TimeSpan.FromSeconds(2.9));
        await host.SettledAsync();
    }

    [Fact]
    public async Task ResponseThatDoesNotComeInTime_IsTriedAgain()
    {
        await using var crm = await CrmUnderTest.StartAsync((context, number) => number == 0 ? CrmUnderTest.HoldAsync(context) : Task.CompletedTask);
        await using var host = await StartAsync(crm.Address, "Timeout=00:00:01");

        await host.AcceptsAsync(Forwards.Answered("call-1"));
        await crm.HasAsync(2);
        await host.SettledAsync();

        crm.Requests[1].WebhookId.ShouldBe(crm.Requests[0].WebhookId);
    }

    [Fact]
    public async Task RefusedConnection_IsTriedAgain_AndKeptInTheEnd()
    {
        await using var host = await StartAsync(CrmUnderTest.DeadAddress());

        await host.AcceptsAsync(Forwards.Answered("call-1"));

        var letter = (await host.Storage.DeadLettersAsync(1)).ShouldHaveSingleItem();
        letter.Text("Reason").ShouldBe("forward");
        letter.Text("Destination").ShouldBe("crm");
        letter.Text("EventId").ShouldBe(Forwards.IdOf("call-1"));
        letter.Number("Status").ShouldBeNull();
        letter.Text("Error").ShouldBe("The host did not take the connection (ConnectionError). That was attempt 4, the last.");
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(422)]
    public async Task RefusedEvent_IsKeptAtOnce_WithTheResponse(int status)
    {
        await using var crm = await CrmUnderTest.StartAsync(async (context, _) =>
        {
            context.Response.StatusCode = status;
            await context.Response.WriteAsync("""{"error":"no such contact"}""");
        });
        await using var host = await StartAsync(crm.Address);

        await host.AcceptsAsync(Forwards.Answered("call-1"));
        var letter = (await host.Storage.DeadLettersAsync(1)).ShouldHaveSingleItem();
        await host.SettledAsync();

        crm.Requests.ShouldHaveSingleItem();
        letter.Number("Status").ShouldBe(status);
        letter.Text("ResponseBody").ShouldBe("""{"error":"no such contact"}""");
        letter.Bytes("Body").ShouldBe(crm.Requests[0].Body);
    }

    [Fact]
    public async Task LongResponse_IsReadNoFurtherThanItsFirstKibibyte()
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

        await host.AcceptsAsync(Forwards.Answered("call-1"));

        (await host.Storage.DeadLettersAsync(1)).ShouldHaveSingleItem().Text("ResponseBody").ShouldBe(new string('x', 1024));
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

        await host.AcceptsAsync(Forwards.Answered("call-1"));
        var letter = (await host.Storage.DeadLettersAsync(1)).ShouldHaveSingleItem();

        letter.Number("Status").ShouldBe(307);
        elsewhere.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Gone_DisablesTheDestination_LoudlyAndForGood_UntilItsAddressChanges()
    {
        await using var crm = await CrmUnderTest.StartAsync(410);
        await using var host = await StartAsync(crm.Address);
        await host.AcceptsAsync(Forwards.Answered("call-1"));
        await host.Storage.DeadLettersAsync(1);
        await host.AcceptsAsync(Forwards.Answered("call-2"));
        await host.Storage.DeadLettersAsync(2);
        host.Log.Count(line => line.Level is LogLevel.Critical && line.Message.Contains("crm responded with 410 Gone and is DISABLED", StringComparison.Ordinal)).ShouldBe(1);
        await host.StopAsync();

        await using var restarted = await Forwards.StartAsync(Forwards.Destination(0, "crm", crm.Address), store: host.Store);
        await restarted.AcceptsAsync(Forwards.Answered("call-3"));
        await restarted.Storage.DeadLettersAsync(3);
        await restarted.StopAsync();
        crm.Requests.ShouldHaveSingleItem();

        await using var moved = await Forwards.StartAsync(Forwards.Destination(0, "crm", new Uri(crm.Address, "/new")), store: host.Store);
        await moved.AcceptsAsync(Forwards.Answered("call-4"));
        await moved.Storage.DeadLettersAsync(4);
        crm.Count.ShouldBe(2);
    }

    [Fact]
    public async Task DisabledDestination_CanBeResumed()
    {
        await using var crm = await CrmUnderTest.StartAsync(410, 200);
        await using var host = await StartAsync(crm.Address);
        await host.AcceptsAsync(Forwards.Answered("call-1"));
        await host.Storage.DeadLettersAsync(1);

        (await host.Services.GetRequiredService<DestinationStates>().ResumeAsync("crm", CancellationToken.None)).ShouldBeTrue();
        await host.AcceptsAsync(Forwards.Answered("call-2"));

        await crm.HasAsync(2);
    }

    [Fact]
    public async Task DeadLetter_CanBeReplayedToItsDestinationAlone()
    {
        await using var crm = await CrmUnderTest.StartAsync(400, 200);
        await using var other = await CrmUnderTest.StartAsync(200);
        await using var host = await Forwards.StartAsync([.. Forwards.Destination(0, "crm", crm.Address), .. Forwards.Destination(1, "other", other.Address)]);
        await host.AcceptsAsync(Forwards.Answered("call-1"));
        var letter = (await host.Storage.DeadLettersAsync(1)).Single();

        await host.Services.GetRequiredService<ForwardQueue>().SendAsync(letter.Text("Destination")!, EventOf(letter.Bytes("Body")!), CancellationToken.None);
        await crm.HasAsync(2);
        await host.SettledAsync();

        crm.Requests[1].WebhookId.ShouldBe(crm.Requests[0].WebhookId);
        other.Requests.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task ForwardToADestinationThatIsNoLongerThere_IsKept()
    {
        await using var host = await StartAsync(CrmUnderTest.DeadAddress());
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var source = await StartAsync(crm.Address);
        await source.AcceptsAsync(Forwards.Answered("call-1"));
        await crm.HasAsync(1);

        await host.Services.GetRequiredService<ForwardQueue>().SendAsync("former", EventOf(crm.Requests[0].Body), CancellationToken.None);

        var letter = (await host.Storage.DeadLettersAsync(1)).Single();
        letter.Text("Destination").ShouldBe("former");
        letter.Bytes("Body").ShouldBe(crm.Requests[0].Body);
    }

    [Theory]
    [InlineData("telecmi-forwards", "forward")]
    [InlineData("telecmi-forwards-poison", "poison")]
    public async Task MessageThatIsNoForward_IsKept(string queue, string reason)
    {
        await using var host = await StartAsync(CrmUnderTest.DeadAddress());
        await host.Store.Queue(queue).SendAsync("what is this?"u8.ToArray(), TimeSpan.Zero, CancellationToken.None);

        var letter = (await host.Storage.DeadLettersAsync(1)).Single();

        letter.Text("Reason").ShouldBe(reason);
        Encoding.UTF8.GetString(letter.Bytes("Body")!).ShouldBe("what is this?");
        await host.SettledAsync();
    }

    [Fact]
    public async Task Connection_IsUsedAgain()
    {
        await using var crm = await CrmUnderTest.StartAsync(async (context, _) => await context.Response.WriteAsync("""{"ok":true}"""));
        await using var host = await StartAsync(crm.Address);

        for (var i = 1; i <= 3; i++)
        {
            await host.AcceptsAsync(Forwards.Answered($"call-{i}"));
            await crm.HasAsync(i);
            await host.SettledAsync();
        }

        crm.Requests.Select(request => request.Connection).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
    }

    private static Task<ReceiverHost> StartAsync(Uri url, params string[] settings) => Forwards.StartAsync(Forwards.Destination(0, "crm", url, settings));

    private static EnvelopedEvent EventOf(byte[] envelope) =>
        EventEnvelope.TryReadAny(envelope, out var enveloped, out var fault) ? enveloped : throw new InvalidDataException(fault);
}
