using Microsoft.Azure.Functions.Worker.Http;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Functions.Tests;

public sealed class ReceiveEventByTokenTests : IDisposable
{
    private readonly TestStore _store = new(TimeProvider.System);

    [Theory]
    [InlineData(RunningApp.Token)]
    [InlineData(RunningApp.OtherToken)]
    public async Task EventWithAnyValidToken_IsAccepted(string token)
    {
        var response = await ReceiveAsync(token, RunningApp.Settings());

        ((int)response.StatusCode).ShouldBe(200);
        response.Json().GetProperty("status").GetString().ShouldBe("accepted");
        (await _store.QueuedAsync()).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("another-token-of-22-ch")]
    [InlineData($"{RunningApp.Token},{RunningApp.OtherToken}")]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(null)]
    public async Task EventWithoutAValidToken_FindsNothingHere(string? token)
    {
        (await ReceiveAsync(token, RunningApp.Settings())).ShouldBeProblem(404, "not-found");
        (await _store.QueuedAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData(RunningApp.Token)]
    public async Task Address_IsClosed_WhenNoTokenIsSet(string token)
    {
        var settings = RunningApp.Settings();
        settings["TeleCmi__AccessTokens"] = "";

        (await ReceiveAsync(token, settings)).ShouldBeProblem(404, "not-found");
        (await _store.QueuedAsync()).ShouldBeEmpty();
    }

    public void Dispose() => _store.Dispose();

    private async Task<HttpResponseData> ReceiveAsync(string? token, IReadOnlyDictionary<string, string> settings)
    {
        await using var app = await RunningApp.StartAsync(settings, services => services.AddSingleton<IStore>(_store));
        var call = WebhookCall.Post(SampleNotices.Answered, address: $"https://app.example/api/telecmi/{token}/events");
        return await app.Trigger<ReceiveEventByToken>().RunAsync(call, token!);
    }
}
