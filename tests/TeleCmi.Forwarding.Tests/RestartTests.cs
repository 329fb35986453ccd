using TeleCmi.TestSupport;

namespace TeleCmi.Forwarding.Tests;

public sealed class RestartTests
{
    [Fact]
    public async Task HostKilledInMidForward_IsFollowedByTheSameRequestAgain_AndLosesNothing()
    {
        await using var crm = await CrmUnderTest.StartAsync((context, number) => number == 0 ? CrmUnderTest.HoldAsync(context) : Task.CompletedTask);
        using var folder = new TemporaryFolder();

        // A killed process keeps the event's handlers for as long as they may take, and 30 s.
        string[] arguments =
        [
            "--urls", "http://127.0.0.1:0", "--data", folder.Path, "--LocalHost:VisibilityTimeout=00:00:02", "--TeleCmi:HandlerDeadline=00:00:02",
            .. Forwards.Destination(0, "crm", crm.Address),
        ];
        await using (var first = HostProcess.LocalHost(null, arguments))
        {
            using var client = new HttpClient();
            using var body = new ByteArrayContent(Forwards.Answered("call-1"));
            using var response = await client.PostAsync(await first.Address, body);
            response.EnsureSuccessStatusCode();
            await crm.HasAsync(1);
        }

        await using var second = HostProcess.LocalHost(null, arguments);
        await crm.HasAsync(2, TimeSpan.FromSeconds(90));

        crm.Requests[0].WebhookId.ShouldBe(Forwards.IdOf("call-1"));
        crm.Requests[1].WebhookId.ShouldBe(crm.Requests[0].WebhookId);
        crm.Requests[1].Body.ShouldBe(crm.Requests[0].Body);
    }
}
