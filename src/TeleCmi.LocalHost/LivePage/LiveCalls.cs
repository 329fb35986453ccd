using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>Calls as the page shows them. Phone numbers are covered unless somebody asks for them.</summary>
internal sealed class LiveCalls(CallReader calls, DeliveryReader deliveries, TimeProvider clock)
{
    private const int MostShown = 200;

    // Each step of storage has a deadline of its own; a day has many. It ends before the page stops waiting.
    private readonly Deadline _deadline = new(TimeSpan.FromSeconds(25), clock);

    /// <summary>Today, in UTC.</summary>
    public DateOnly Today => clock.Today();

    /// <summary>Reads the days: their figures, and those of their calls that match. A conversation is looked for on every day.</summary>
    public Task<CallsView> ListAsync(CallFilter filter, bool isRevealed, CancellationToken cancellation) => InTimeAsync(
        async deadline =>
        {
            // The figures are of all calls of the days, so the filter comes after the read.
            var found = filter.Conversation is { } conversation ? await calls.FindAsync(conversation, deadline) : null;
            var matching = found?.Where(filter.Matches).Take(MostShown + 1).ToList() ?? [];
            var all = new List<CallRecord>();
            await foreach (var call in calls.QueryAsync(new CallFilter { From = filter.From, To = filter.To }, deadline))
            {
                if (found is null && matching.Count <= MostShown && filter.Matches(call))
                {
                    matching.Add(call);
                }

                all.Add(call.WithoutEvents());
            }

            return new CallsView(
                UtcDay.Of(filter.From ?? Today),
                UtcDay.Of(filter.To ?? Today),
                CallFigures.Of(all),
                [.. matching.Take(MostShown).Select(call => ToView(call, isRevealed))],
                HasMore: matching.Count > MostShown);
        },
        cancellation);

    /// <summary>Reads one call, and what became of its events at the destinations.</summary>
    /// <returns>Null when it is not there any more.</returns>
    public Task<CallDetailView?> FindAsync(string id, bool isRevealed, CancellationToken cancellation) => InTimeAsync(
        async deadline => (await calls.FindAsync(id, deadline)).FirstOrDefault(call => call.Id == id) is { } found
            ? ToDetail(found, await deliveries.OfAsync(found, deadline), isRevealed)
            : null,
        cancellation);

    private static CallView ToView(CallRecord call, bool isRevealed) => new(
        call.Id,
        call.StartedAt,
        call.Direction?.Name(),
        call.Agent is { } agent ? LogText.Of(agent) : null,
        NumberOf(call.CustomerNumber, isRevealed),
        call.Outcome.Name(),
        call.TalkSeconds,
        HasRecording: call.Recording is not null);

    private static CallDetailView ToDetail(CallRecord call, IEnumerable<Delivery> deliveries, bool isRevealed) => new(
        ToView(call, isRevealed),
        NumberOf(call.BusinessNumber, isRevealed),
        call.Team,
        call.RequestId,
        call.AgentAnsweredAt,
        call.CustomerAnsweredAt,
        call.EndedAt,
        call.WaitSeconds,
        call.HangupReason,
        call.Recording,
        call.Voicemail,
        call.Missing,
        [.. call.Events.Select(notice => new CallEventView(notice.Kind.Name(), notice.Leg, notice.ReceivedAt, notice.Id))],
        [.. deliveries.Select(delivery => new CallDeliveryView(
            delivery.Destination, delivery.Kind, delivery.EventId, delivery.State, delivery.Attempts, delivery.NextAttemptAt, delivery.Fault))]);

    private static string? NumberOf(string? number, bool isRevealed) => number is null ? null : isRevealed ? LogText.Of(number) : LogText.OfPhoneNumber(number);

    private async Task<T> InTimeAsync<T>(Func<CancellationToken, Task<T>> read, CancellationToken cancellation)
    {
        try
        {
            return await _deadline.RunAsync(token => read(token).WaitAsync(token), cancellation);
        }
        catch (TimeoutException e)
        {
            throw new StorageException($"Reading the calls: {e.Message}", e);
        }
    }
}
