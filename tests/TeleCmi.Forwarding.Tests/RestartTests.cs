using System.Diagnostics;
using System.Runtime.InteropServices;
using TeleCmi.TestSupport;

namespace TeleCmi.Forwarding.Tests;

public sealed class RestartTests(AzuriteFixture azurite)
{
    private const string AddressMark = "Webhook: ";

    private static readonly string Dotnet = Path.GetFullPath(Path.Combine(
        RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));

    [Fact]
    public async Task HostKilledInMidForward_IsFollowedByTheSameCallAgain_AndLosesNothing()
    {
        await using var crm = await CrmUnderTest.StartAsync((context, call) => call == 0 ? CrmUnderTest.HoldAsync(context) : Task.CompletedTask);
        var storage = azurite.NewStorage();
        using (var first = Start(storage, crm.Address))
        {
            using var client = new HttpClient();
            using var body = new ByteArrayContent(ForwardHost.Answer("call-1"));
            using var answer = await client.PostAsync(await AddressAsync(first), body);
            answer.EnsureSuccessStatusCode();
            await Eventually.HoldsAsync(() => Task.FromResult(crm.Calls.Count == 1));
            first.Kill();
            await first.WaitForExitAsync();
        }

        using var second = Start(storage, crm.Address);
        try
        {
            await Eventually.HoldsAsync(() => Task.FromResult(crm.Calls.Count == 2), TimeSpan.FromSeconds(60));
        }
        finally
        {
            second.Kill();
            await second.WaitForExitAsync();
        }

        crm.Calls[0].WebhookId.ShouldBe(ForwardHost.IdOf("call-1"));
        crm.Calls[1].WebhookId.ShouldBe(crm.Calls[0].WebhookId);
        crm.Calls[1].Body.ShouldBe(crm.Calls[0].Body);
    }

    // The product as a process of its own, which gives up its messages after two seconds.
    private static Process Start(string storage, Uri crm) => Process.Start(new ProcessStartInfo(
        Dotnet,
        [
            "exec", Path.Combine(AppContext.BaseDirectory, "TeleCmi.LocalHost.dll"),
            "--urls", "http://127.0.0.1:0", "--storage", storage, "--LocalHost:Lease=00:00:02",
            .. ForwardHost.Destination(0, "crm", crm),
        ])
    {
        RedirectStandardOutput = true,
        UseShellExecute = false,
    })!;

    private static async Task<Uri> AddressAsync(Process host)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await host.StandardOutput.ReadLineAsync(deadline.Token) is { } line)
        {
            if (line.StartsWith(AddressMark, StringComparison.Ordinal))
            {
                return new Uri(line[AddressMark.Length..].Split(' ')[0]);
            }
        }

        throw new InvalidOperationException("The host ended before it listened.");
    }
}
