using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Receiver;
using TeleCmi.TestSupport;

namespace TeleCmi.Forwarding.Tests;

/// <summary>The receivers that docs/forwarding.md shows, as the product sends to them.</summary>
public sealed class VerificationTests
{
    [Theory]
    [InlineData(Forwards.Secret)]
    [InlineData(Forwards.OldSecret)]
    public async Task NpmPackageStandardWebhooks_VerifiesBothSecretsOfARotation(string secret)
    {
        await using var receiver = await ScriptReceiver.StartAsync("node", "receiver.mjs", secret);
        await using var host = await StartAsync(receiver.Address);

        await host.AcceptsAsync(Forwards.Answered("call-1"));

        (await receiver.NextLineAsync()).ShouldBe($"verified {Forwards.IdOf("call-1")} com.telecmi.outgoing.answered");
    }

    [Fact]
    public async Task NpmPackageStandardWebhooks_RefusesAnotherSecret()
    {
        await using var receiver = await ScriptReceiver.StartAsync("node", "receiver.mjs", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        await using var host = await StartAsync(receiver.Address);

        await host.AcceptsAsync(Forwards.Answered("call-1"));

        (await receiver.NextLineAsync()).ShouldBe("refused: No matching signature found");
        (await host.Storage.DeadLettersAsync(1)).ShouldHaveSingleItem().Number("Status").ShouldBe(401);
    }

    [Fact]
    public async Task PythonReceiver_Verifies()
    {
        ScriptReceiver receiver;
        try
        {
            receiver = await ScriptReceiver.StartAsync("python3", "receiver.py", Forwards.Secret);
        }
        catch (Win32Exception)
        {
            Assert.Skip("There is no python3 on this machine.");
            return;
        }

        await using (receiver)
        {
            await using var host = await StartAsync(receiver.Address);

            await host.AcceptsAsync(Forwards.Answered("call-1"));

            (await receiver.NextLineAsync()).ShouldBe($"verified {Forwards.IdOf("call-1")} com.telecmi.outgoing.answered");
        }
    }

    [Fact]
    public async Task CSharpReceiver_Verifies_AndRefusesWhatWasChangedOrIsOld()
    {
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var host = await StartAsync(crm.Address);

        await host.AcceptsAsync(Forwards.Answered("call-1"));
        await crm.HasAsync(1);

        var request = crm.Requests[0];
        var now = TimeProvider.System.GetUtcNow();
        IsGenuine(request, request.Body, Forwards.Secret, now).ShouldBeTrue();
        IsGenuine(request, request.Body, Forwards.OldSecret, now).ShouldBeTrue();
        IsGenuine(request, [.. request.Body, (byte)' '], Forwards.Secret, now).ShouldBeFalse();
        IsGenuine(request, request.Body, Forwards.Secret, now.AddMinutes(10)).ShouldBeFalse();
        IsGenuine(request with { Headers = new Dictionary<string, string>(request.Headers, StringComparer.OrdinalIgnoreCase) { ["webhook-id"] = "other" } }, request.Body, Forwards.Secret, now).ShouldBeFalse();
    }

    [Theory]
    [InlineData("WebhookVerification.cs")]
    [InlineData("receiver.mjs")]
    [InlineData("receiver.py")]
    public async Task Documentation_ShowsJustWhatIsRunHere(string file)
    {
        var repository = Repository.Find();
        var documentation = await File.ReadAllTextAsync(Path.Combine(repository, "docs", "forwarding.md"));
        var receiver = await File.ReadAllTextAsync(Path.Combine(repository, "tests", "TeleCmi.Forwarding.Tests", "Receivers", file));

        documentation.ReplaceLineEndings("\n").ShouldContain(receiver.ReplaceLineEndings("\n"));
    }

    private static bool IsGenuine(CrmRequest request, byte[] body, string secret, DateTimeOffset now) => WebhookVerification.IsGenuine(
        request.WebhookId, request.Headers["webhook-timestamp"], request.Headers["webhook-signature"], body, secret, now);

    private static Task<ReceiverHost> StartAsync(Uri url) => Forwards.StartAsync(Forwards.Destination(0, "crm", url, $"Secrets={Forwards.Secret},{Forwards.OldSecret}"));

    private sealed class ScriptReceiver : IAsyncDisposable
    {
        private readonly Process _process;

        private ScriptReceiver(Process process) => _process = process;

        public Uri Address { get; private set; } = null!;

        public static async Task<ScriptReceiver> StartAsync(string program, string script, string secret)
        {
            var start = new ProcessStartInfo(program, [Path.Combine(AppContext.BaseDirectory, "Receivers", script)])
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            };
            start.Environment["TELECMI_SECRET"] = secret;
            var receiver = new ScriptReceiver(Process.Start(start)!);
            var port = (await receiver.NextLineAsync()).Split(' ')[1];
            receiver.Address = new Uri($"http://127.0.0.1:{int.Parse(port, CultureInfo.InvariantCulture)}/");
            return receiver;
        }

        public async Task<string> NextLineAsync()
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            return await _process.StandardOutput.ReadLineAsync(deadline.Token) ?? throw new InvalidOperationException("The receiver ended.");
        }

        public async ValueTask DisposeAsync()
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
    }
}
