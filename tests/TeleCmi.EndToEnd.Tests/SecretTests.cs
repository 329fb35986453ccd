using System.Net;
using System.Text;
using TeleCmi.TestSupport;

namespace TeleCmi.EndToEnd.Tests;

public sealed class SecretTests(AzuriteFixture azurite)
{
    private const string Old = "old-token-kX72bqLw9zR4";
    private const string New = "new-token-Vt58mcHy1sD6";
    private const string Wrong = "wrong-token-Jp33xgTf0aQ8";
    private const string FunctionKey = "function-key-Zn91uwEk5oC2";
    private const string AccountKey = "c3RvcmFnZS1rZXktUmI3N3ZkTmgzaVM=";
    private const string Agent = "442000000001";

    [Fact]
    public async Task ATokenIsReplaced_WithoutAMomentInWhichTheSenderIsRefused()
    {
        foreach (var (tokens, oldIs, newIs) in new[] { (Old, 200, 404), ($"{Old},{New}", 200, 200), (New, 404, 200) })
        {
            await using var host = await ReceiverHost.StartAsync([$"--TeleCmi:AccessTokens={tokens}"]);

            ((int)(await host.GetAsync(PathOf(Old))).StatusCode).ShouldBe(oldIs, tokens);
            ((int)(await host.GetAsync(PathOf(New))).StatusCode).ShouldBe(newIs, tokens);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(",")]
    [InlineData(" , ,, ")]
    public async Task BlankTokens_OpenNothing(string tokens)
    {
        await using var host = await ReceiverHost.StartAsync([$"--TeleCmi:AccessTokens={tokens}"]);

        foreach (var guess in (string[])["%20", ",", "%2C", "%20,%20", "null"])
        {
            (await host.GetAsync(PathOf(guess))).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        }
    }

    [Fact]
    public async Task NothingThatAHostPrints_HoldsASecretOrAWholePhoneNumber()
    {
        var printed = new StringBuilder();
        using var folder = new TemporaryFolder();
        string[] storages = [folder.Store, azurite.NewStorage(), Azurite.ConnectionStringFor(new AzuritePorts(1, 1, 1), "account", AccountKey)];
        foreach (var storage in storages)
        {
            await using var host = HostProcess.LocalHost(
                null, "--urls", "http://127.0.0.1:0", "--storage", storage, $"--TeleCmi:AccessTokens={Old},{New}", "--Logging:LogLevel:Default=Trace");
            var address = await host.Address;
            using var client = new HttpClient { BaseAddress = new Uri(address, "/") };
            foreach (var path in (string[])[PathOf(Old), PathOf(New), PathOf(Wrong), $"/api/telecmi/events?code={FunctionKey}&{Query}", $"/api/telecmi/events?clientId={FunctionKey}", $"/api/telecmi/{Old}", $"/{New}"])
            {
                printed.Append(await (await client.GetAsync(new Uri(path, UriKind.Relative))).Content.ReadAsStringAsync());
            }

            foreach (var path in (string[])[$"/api/telecmi/{Old}/events", $"/api/telecmi/events?code={FunctionKey}"])
            {
                using var unreadable = new StringContent($"hello {Agent}");
                printed.Append(await (await client.PostAsync(new Uri(path, UriKind.Relative), unreadable)).Content.ReadAsStringAsync());
                printed.Append(await (await client.DeleteAsync(new Uri(path, UriKind.Relative))).Content.ReadAsStringAsync());
            }

            await Eventually.HoldsAsync(() => Task.FromResult(host.Output.Contains("was rejected", StringComparison.Ordinal) || host.Output.Contains("not stored", StringComparison.Ordinal)));
            await host.KillAsync();
            printed.Append(host.Output).Append(host.Errors);
        }

        var text = printed.ToString();
        text.ShouldContain(SampleNotices.AnsweredId, Case.Sensitive, "what is printed is captured");
        foreach (var secret in (string[])[Old, New, Wrong, FunctionKey, AccountKey, Agent])
        {
            text.ShouldNotContain(secret);
        }
    }

    private static string Query => SampleNotices.QueryOf(SampleNotices.Answered);

    private static string PathOf(string token) => $"/api/telecmi/{token}/events?{Query}";
}
