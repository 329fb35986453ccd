using System.Diagnostics.CodeAnalysis;
using Polly;
using Polly.Timeout;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.LocalHost.LivePage;

/// <summary>Calls as the page shows them. Phone numbers are covered unless somebody asks for them.</summary>
internal sealed class LiveCalls(CallReader calls, TimeProvider clock)
{
    private const int MostShown = 200;

    // Each step of storage has a deadline of its own; a day has many. It ends before the page stops waiting.
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(25);

    private readonly ResiliencePipeline _deadline = clock.Deadline(Deadline);

    /// <summary>Reads a day: its figures, and those of its calls that match.</summary>
    public Task<CallsView> ListAsync(CallFilter filter, bool isRevealed, CancellationToken cancellation) => InTimeAsync(
        async deadline =>
        {
            var day = filter.To ?? clock.Today();

            // The figures are the whole day's, so the filter comes after the read.
            var all = await calls.QueryAsync(new CallFilter { From = day, To = day }, deadline).ToListAsync(deadline);
            var matching = all.Where(filter.Matches).Take(MostShown + 1).ToList();
            return new CallsView(
                UtcDay.Of(day), CallFigures.Of(all), [.. matching.Take(MostShown).Select(call => ToView(call, isRevealed))], HasMore: matching.Count > MostShown);
        },
        cancellation);

    /// <summary>Reads one call.</summary>
    /// <returns>Null when it is not there any more.</returns>
    public Task<CallDetailView?> FindAsync(string id, bool isRevealed, CancellationToken cancellation) => InTimeAsync(
        async deadline => (await calls.FindAsync(id, deadline)).FirstOrDefault(call => call.Id == id) is { } found ? ToDetail(found, isRevealed) : null,
        cancellation);

    /// <summary>Reads a filter as the page writes it; what is empty does not matter.</summary>
    public static bool TryReadFilter(
        string? day, string? agent, string? number, string? outcome, [NotNullWhen(true)] out CallFilter? filter, [NotNullWhen(false)] out string? fault)
    {
        DateOnly parsedDay = default;
        CallOutcome[] outcomes = [.. CallNames.Outcomes.Where(known => known.Name() == outcome)];
        fault = !string.IsNullOrEmpty(day) && !UtcDay.TryParse(day, out parsedDay) ? "That is no day: write it as yyyy-MM-dd."
            : !string.IsNullOrEmpty(outcome) && outcomes.Length == 0 ? "There is no such outcome."
            : !string.IsNullOrWhiteSpace(number) && PhoneNumber.Digits(number).Length < CallFilter.FewestDigits ? $"Write at least the last {CallFilter.FewestDigits} digits of the number."
            : null;
        filter = fault is not null ? null : new CallFilter
        {
            To = string.IsNullOrEmpty(day) ? null : parsedDay,
            Agent = string.IsNullOrWhiteSpace(agent) ? null : agent.Trim(),
            Number = string.IsNullOrWhiteSpace(number) ? null : number,
            Outcome = string.IsNullOrEmpty(outcome) ? null : outcomes[0],
        };
        return filter is not null;
    }

    private static CallView ToView(CallRecord call, bool isRevealed) => new(
        call.Id,
        call.StartedAt,
        call.Direction?.Name(),
        call.Agent is { } agent ? LogText.Of(agent) : null,
        NumberOf(call.CustomerNumber, isRevealed),
        call.Outcome.Name(),
        call.TalkSeconds,
        HasRecording: call.Recording is not null);

    private static CallDetailView ToDetail(CallRecord call, bool isRevealed) => new(
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
        [.. call.Events.Select(notice => new CallEventView(notice.Kind.Name(), notice.Leg, notice.ReceivedAt, notice.Id))]);

    private static string? NumberOf(string? number, bool isRevealed) => number is null ? null : isRevealed ? LogText.Of(number) : LogText.OfPhoneNumber(number);

    private async Task<T> InTimeAsync<T>(Func<CancellationToken, Task<T>> read, CancellationToken cancellation)
    {
        try
        {
            return await _deadline.ExecuteAsync(async token => await read(token).WaitAsync(token), cancellation);
        }
        catch (TimeoutRejectedException e)
        {
            throw new StorageException($"Storage did not give the calls within {Deadline.TotalSeconds:0} s.", e);
        }
    }
}
