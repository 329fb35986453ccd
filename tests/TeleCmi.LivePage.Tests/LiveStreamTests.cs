using System.Globalization;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using TeleCmi.TestSupport;

namespace TeleCmi.LivePage.Tests;

public sealed class LiveStreamTests
{
    private const int Kept = 500;

    [Fact]
    public async Task MoreChangesThanAreKept_ComeInTheOrderOfArrival()
    {
        // The clock stands still, so that all of them are one batch.
        var clock = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddDays(20_000).AddMicroseconds(1500));
        await using var receiver = await ReceiverOnTrial.StartAsync(services => services.AddSingleton<TimeProvider>(clock));
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(receiver.Address, "/live/events"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", receiver.Key);
        using var response = await receiver.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var items = SseParser.Create(await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync()).EnumerateAsync().GetAsyncEnumerator();
        (await items.MoveNextAsync()).ShouldBeTrue();
        items.Current.EventType.ShouldBe("hello");

        const int Sent = Kept + 200;
        foreach (var number in Enumerable.Range(0, Sent))
        {
            // The last one is accepted: its time is cut to milliseconds, so that it looks earlier than the others.
            var name = string.Create(CultureInfo.InvariantCulture, $"n{number}");
            using var posted = await receiver.PostEventAsync(
                number == Sent - 1 ? ReceiverOnTrial.Sample(name) : ReceiverOnTrial.Sample(name, ("\"answered\"", "\"hangup\"")));
            posted.EnsureSuccessStatusCode();
        }

        var next = NextJourneysAsync(items);
        await Eventually.HoldsAsync(() =>
        {
            clock.Advance(TimeSpan.FromMilliseconds(50));
            return Task.FromResult(next.IsCompleted);
        });
        (await next).ShouldBe(Enumerable.Range(Sent - Kept, Kept));
    }

    private static async Task<IReadOnlyList<int>> NextJourneysAsync(IAsyncEnumerator<SseItem<string>> items)
    {
        do
        {
            (await items.MoveNextAsync()).ShouldBeTrue();
        }
        while (items.Current.EventType != "journeys");

        using var json = JsonDocument.Parse(items.Current.Data);
        return
        [
            .. json.RootElement.GetProperty("journeys").EnumerateArray()
                .Select(journey => int.Parse(journey.GetProperty("eventId").GetString()!.Split(':')[2].TrimStart('n'), CultureInfo.InvariantCulture)),
        ];
    }
}
