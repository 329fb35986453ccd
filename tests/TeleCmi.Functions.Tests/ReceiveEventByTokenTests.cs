using Microsoft.Azure.Functions.Worker.Http;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Functions.Tests;

public sealed class ReceiveEventByTokenTests
{
    private readonly MemoryQueue _queue = new();

    [Theory]
    [InlineData(RunningApp.Token)]
    [InlineData(RunningApp.OtherToken)]
    public async Task Event_with_any_valid_token_is_accepted(string token)
    {
        var answer = await ReceiveAsync(token, RunningApp.Settings());

        ((int)answer.StatusCode).ShouldBe(200);
        answer.Json().GetProperty("status").GetString().ShouldBe("accepted");
        _queue.Messages.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("another-token-of-22-ch")]
    [InlineData($"{RunningApp.Token},{RunningApp.OtherToken}")]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(null)]
    public async Task Event_without_a_valid_token_finds_nothing_here(string? token)
    {
        (await ReceiveAsync(token, RunningApp.Settings())).ShouldBeProblem(404, "not-found");
        _queue.Messages.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData(RunningApp.Token)]
    public async Task Address_is_closed_when_no_token_is_set(string token)
    {
        var settings = RunningApp.Settings();
        settings["TeleCmi__AccessTokens"] = "";

        (await ReceiveAsync(token, settings)).ShouldBeProblem(404, "not-found");
        _queue.Messages.ShouldBeEmpty();
    }

    private async Task<HttpResponseData> ReceiveAsync(string? token, IReadOnlyDictionary<string, string> settings)
    {
        await using var app = await RunningApp.StartAsync(settings, services => services.AddSingleton<IEventQueue>(_queue));
        var call = WebhookCall.Post(Samples.Answered, address: $"https://app.example/api/telecmi/{token}/events");
        return await app.Trigger<ReceiveEventByToken>().RunAsync(call, token!);
    }
}
