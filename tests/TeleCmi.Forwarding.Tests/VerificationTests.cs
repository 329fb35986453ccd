using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using TeleCmi.Pipeline.Forwarding;
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
        await using var receiver = await StartAsync("node", "receiver.mjs", secret);
        await using var host = await StartAsync(receiver.Address);

        await host.AcceptsAsync(Forwards.Answered("call-1"));

        (await receiver.NextLineAsync()).ShouldBe($"verified {Forwards.IdOf("call-1")} com.telecmi.outgoing.answered");
    }

    [Fact]
    public async Task NpmPackageStandardWebhooks_RefusesAnotherSecret()
    {
        await using var receiver = await StartAsync("node", "receiver.mjs", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
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
            receiver = await StartAsync("python3", "receiver.py", Forwards.Secret);
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
        await using var receiver = await ScriptReceiver.StartAsync("dotnet", ["run", PathOf("samples/receiver.cs"), "--", "--urls", "http://127.0.0.1:0"], Forwards.Secret);
        await using var crm = await CrmUnderTest.StartAsync(200);
        await using var host = await Forwards.StartAsync([.. Forwards.Destination(0, "crm", crm.Address), .. Forwards.Destination(1, "receiver", receiver.Address)]);

        await host.AcceptsAsync(Forwards.Answered("call-1"));
        await crm.HasAsync(1);
        (await receiver.NextLineAsync()).ShouldBe($"verified {Forwards.IdOf("call-1")} com.telecmi.outgoing.answered");

        // The same again, as the other destination got it; and what somebody else could make of it.
        var (id, body, sent) = (crm.Requests[0].WebhookId, crm.Requests[0].Body, TimeProvider.System.GetUtcNow());
        WebhookSecret.TryParse(Forwards.Secret, out var secret).ShouldBeTrue();
        var signature = StandardWebhookSignature.Sign(id, sent, body, [secret]);
        (await receiver.StatusOfAsync(id, sent, signature, body)).ShouldBe(204);
        (await receiver.StatusOfAsync(id, sent, $"v1,other {signature}", body)).ShouldBe(204);
        (await receiver.StatusOfAsync(id, sent, signature, [.. body, (byte)' '])).ShouldBe(401);
        (await receiver.StatusOfAsync("other", sent, signature, body)).ShouldBe(401);
        (await receiver.StatusOfAsync(id, sent, "v1,other", body)).ShouldBe(401);
        var longAgo = sent.AddMinutes(-6);
        (await receiver.StatusOfAsync(id, longAgo, StandardWebhookSignature.Sign(id, longAgo, body, [secret]), body)).ShouldBe(401);
    }

    [Theory]
    [InlineData("samples/receiver.cs")]
    [InlineData("tests/TeleCmi.Forwarding.Tests/Receivers/receiver.mjs")]
    [InlineData("tests/TeleCmi.Forwarding.Tests/Receivers/receiver.py")]
    public async Task Documentation_ShowsJustWhatIsRunHere(string file)
    {
        var documentation = await File.ReadAllTextAsync(PathOf("docs/forwarding.md"));
        var receiver = await File.ReadAllTextAsync(PathOf(file));

        documentation.ReplaceLineEndings("\n").ShouldContain($"\n{receiver.ReplaceLineEndings("\n")}```\n");
    }

    private static string PathOf(string file) => Path.Combine(Repository.Find(), file);

    private static Task<ReceiverHost> StartAsync(Uri url) => Forwards.StartAsync(Forwards.Destination(0, "crm", url, $"Secrets={Forwards.Secret},{Forwards.OldSecret}"));

    private static Task<ScriptReceiver> StartAsync(string program, string script, string secret) =>
        ScriptReceiver.StartAsync(program, [Path.Combine(AppContext.BaseDirectory, "Receivers", script)], secret);

    private sealed class ScriptReceiver : IAsyncDisposable
    {
        // The C# one is built first, perhaps beside much else.
        private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

        private readonly Process _process;
        private readonly HttpClient _client = new();

        private ScriptReceiver(Process process) => _process = process;

        public Uri Address { get; private set; } = null!;

        public static async Task<ScriptReceiver> StartAsync(string program, IReadOnlyCollection<string> arguments, string secret)
        {
            var start = new ProcessStartInfo(program, arguments)
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
            using var deadline = new CancellationTokenSource(Deadline);
            return await _process.StandardOutput.ReadLineAsync(deadline.Token) ?? throw new InvalidOperationException("The receiver ended.");
        }

        public async Task<int> StatusOfAsync(string id, DateTimeOffset timestamp, string signature, byte[] body)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Address) { Content = new ByteArrayContent(body) };
            request.Headers.Add(StandardWebhookSignature.IdHeader, id);
            request.Headers.Add(StandardWebhookSignature.TimestampHeader, timestamp.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
            request.Headers.Add(StandardWebhookSignature.SignatureHeader, signature);
            using var response = await _client.SendAsync(request);
            return (int)response.StatusCode;
        }

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
    }
}
