using System.Text.Json;
using TeleCmi.TestSupport;

namespace TeleCmi.Forwarding.Tests;

/// <summary>A destination that wants calls, over HTTP and storage as they are.</summary>
public sealed class CallTests(AzuriteFixture azurite)
{
    private static readonly DateTimeOffset Start = TimeProvider.System.GetUtcNow();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ReachedCall_WhoseEightNoticesAreSentShuffledAndTwice_IsOneCompletedCall_AndALateCdrItsSecondRevision(bool onAzurite)
    {
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var host = await Forwards.StartAsync(
            ["--TeleCmi:AcceptedEvents=*", "--TeleCmi:Forward:SettleTime=00:00:02", .. Forwards.Destination(0, "crm", crm.Address, "Send=calls")],
            storage: onAzurite ? azurite.NewStorage() : null);
        var scenario = new CallScenario(Start).Reached();
        var twice = scenario.Events.Concat(scenario.Events).ToArray();
        new Random(15).Shuffle(twice);

        foreach (var notice in twice)
        {
            await host.AcceptsAsync(notice.Notice.Json.ToArray());
        }

        await crm.HasAsync(1);
        await host.SettledAsync();

        var request = crm.Requests.ShouldHaveSingleItem();
        request.WebhookId.ShouldBe($"{scenario.Id}:1");
        request.Headers["webhook-signature"].ShouldStartWith("v1,");
        var data = request.Json.GetProperty("data");
        data.GetProperty("outcome").GetString().ShouldBe("reached");
        data.GetProperty("talkSeconds").GetInt64().ShouldBe(6);
        data.GetProperty("recording").GetString().ShouldNotBeNull();
        data.GetProperty("events").GetArrayLength().ShouldBe(8);

        scenario.OutgoingCdr("answered", "b", ("answeredsec", 61));
        await host.AcceptsAsync(scenario.Events[^1].Notice.Json.ToArray());
        await crm.HasAsync(2);
        await host.SettledAsync();

        crm.Requests[1].WebhookId.ShouldBe($"{scenario.Id}:2");
        crm.Requests[1].Json.GetProperty("data").GetProperty("talkSeconds").GetInt64().ShouldBe(61);
        crm.Count.ShouldBe(2);
        (await host.Storage.DeadLettersAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task HostKilledAgainAndAgain_LosesNoCall_AndRepeatsOnlyTheSameRequest()
    {
        const int Calls = 20;
        await using var crm = await CrmUnderTest.StartAsync(200);
        using var folder = new TemporaryFolder();
        string[] arguments =
        [
            "--urls", "http://127.0.0.1:0", "--data", folder.Path, "--LocalHost:VisibilityTimeout=00:00:02", "--TeleCmi:HandlerDeadline=00:00:02",
            "--TeleCmi:AcceptedEvents=*", "--TeleCmi:Forward:SettleTime=00:00:02", .. Forwards.Destination(0, "crm", crm.Address, "Send=calls"),
        ];
        var scenarios = Enumerable.Range(0, Calls).Select(_ => new CallScenario(Start).Reached()).ToArray();
        foreach (var batch in scenarios.Chunk(5))
        {
            var before = crm.Count;
            await using var host = HostProcess.LocalHost(null, arguments);
            using var client = new HttpClient();
            var webhook = await host.Address;
            foreach (var notice in batch.SelectMany(call => call.Events))
            {
                using var body = new ByteArrayContent(notice.Notice.Json.ToArray());
                using var response = await client.PostAsync(webhook, body);
                response.EnsureSuccessStatusCode();
            }

            // In the midst of it: the first call has arrived, the others are being looked at.
            await crm.HasAsync(before + 1, TimeSpan.FromSeconds(60));
            await host.KillAsync();
        }

        await using var last = HostProcess.LocalHost(null, arguments);
        await last.Address;
        using var judge = StorageUnderTest.Open(folder.Store);
        await Eventually.HoldsAsync(async () => await judge.QueuedAsync() == 0, TimeSpan.FromSeconds(90));

        var sent = crm.Requests.ToLookup(request => request.WebhookId, StringComparer.Ordinal);
        sent.ShouldAllBe(call => call.Select(request => Convert.ToHexString(request.Body)).Distinct(StringComparer.Ordinal).Count() == 1);
        scenarios.Select(call => call.Id).Except(sent.Select(call => Data(call.First()).GetProperty("id").GetString()!), StringComparer.Ordinal).ShouldBeEmpty();
        foreach (var call in scenarios)
        {
            var newest = crm.Requests.Select(Data).Where(data => data.GetProperty("id").GetString() == call.Id).MaxBy(data => data.GetProperty("revision").GetInt32());
            newest.GetProperty("complete").GetBoolean().ShouldBeTrue();
        }

        (await judge.DeadLettersAsync()).ShouldBeEmpty();
    }

    private static JsonElement Data(CrmRequest request) => request.Json.GetProperty("data");
}
