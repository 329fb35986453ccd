using System.Globalization;
using TeleCmi.TestSupport;

namespace TeleCmi.Forwarding.Tests;

public sealed class IsolationTests(AzuriteFixture azurite)
{
    private const int Events = 40;

    // Half of what one call to the hanging destination may take: nobody waited for it.
    private static readonly TimeSpan InTime = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DestinationThatIsDown_HoldsUpNeitherTheJournalNorAnotherDestination(bool hangs)
    {
        await using var healthy = await CrmUnderTest.StartAsync(200);
        await using var hanging = await CrmUnderTest.StartAsync((context, _) => CrmUnderTest.HoldAsync(context));
        var down = hangs ? hanging.Address : await CrmUnderTest.DeadAddressAsync();
        await using var host = await ForwardHost.StartAsync(
            azurite.NewStorage(),
            [.. ForwardHost.Destination(0, "down", down, "Timeout=00:01:00"), .. ForwardHost.Destination(1, "healthy", healthy.Address)],
            new([.. Enumerable.Repeat(TimeSpan.FromHours(1), 5)]));

        await Task.WhenAll(Enumerable.Range(0, Events).Select(i => host.PostAsync(ForwardHost.Answer(Name(i)))));
        await Eventually.HoldsAsync(() => Task.FromResult(healthy.Calls.Select(call => call.WebhookId).Distinct(StringComparer.Ordinal).Count() == Events), InTime);

        healthy.Calls.Count.ShouldBe(Events);
        (await host.RowsAsync("CallEvents")).Count(row => row.GetDateTimeOffset("ProcessedAt") is not null).ShouldBe(Events);
        hanging.Calls.Count.ShouldBeLessThanOrEqualTo(8);

        // Nothing is lost meanwhile: what the one that is down has not got waits for it.
        await Eventually.HoldsAsync(async () => await host.CountAsync("telecmi-forwards") == Events);
    }

    [Fact]
    public async Task OncePerConversation_TellsOfTheCustomersFirstAnswerOnly()
    {
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var all = await CrmUnderTest.StartAsync(200);
        await using var host = await ForwardHost.StartAsync(
            azurite.NewStorage(),
            [.. ForwardHost.Destination(0, "crm", crm.Address, "OncePerConversation=true"), .. ForwardHost.Destination(1, "all", all.Address)]);

        await host.PostAsync(ForwardHost.Answer("leg-1", "a", "conversation-1"));
        await host.PostAsync(ForwardHost.Answer("leg-2", "b", "conversation-1"));
        await host.SettledAsync();
        await host.PostAsync(ForwardHost.Answer("leg-3", "b", "conversation-1"));
        await host.PostAsync(ForwardHost.Answer("leg-4", "b", "conversation-2"));
        await host.SettledAsync();

        crm.Calls.Select(call => call.WebhookId).ShouldBe([ForwardHost.IdOf("leg-2"), ForwardHost.IdOf("leg-4")]);
        all.Calls.Count.ShouldBe(4);
    }

    [Fact]
    public async Task OncePerConversation_LetsTheSameEventPassAgain_WhenItsProcessingIsRepeated()
    {
        var storage = azurite.NewStorage();
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var host = await ForwardHost.StartAsync(storage, ForwardHost.Destination(0, "crm", crm.Address, "OncePerConversation=true"));
        await host.PostAsync(ForwardHost.Answer("leg-1"));
        await Eventually.HoldsAsync(() => Task.FromResult(crm.Calls.Count == 1));
        await host.SettledAsync();

        // As a crash leaves it that came after the guard's row and before the queue had the message.
        var row = (await host.RowsAsync("CallEvents")).Single();
        row["Handler_Forward_crm"] = "pending";
        await new Azure.Data.Tables.TableClient(storage, "CallEvents").UpdateEntityAsync(row, row.ETag, Azure.Data.Tables.TableUpdateMode.Replace);
        await host.PostAsync(ForwardHost.Answer("leg-1"));

        await Eventually.HoldsAsync(() => Task.FromResult(crm.Calls.Count == 2));
        crm.Calls[1].WebhookId.ShouldBe(crm.Calls[0].WebhookId);
    }

    private static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"call-{number}");
}
