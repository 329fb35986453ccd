using System.CommandLine;
using System.Globalization;
using TeleCmi.Cli.Output;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Forwarding;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Cli.Commands;

/// <summary><c>telecmi status</c>: is all well, and if not, what needs a person.</summary>
internal static class StatusCommand
{
    public static Command Create(CommandRunner runner)
    {
        var json = CommonOptions.Json();
        var maxQueueAge = CommonOptions.Duration(
            "--max-queue-age", $"How old (hours:minutes:seconds) a message in the events queue may be before a person is needed; without it, {PipelineQueues.LongWaiting.TotalMinutes:0} minutes.");
        var maxSilence = CommonOptions.Duration(
            "--max-silence", "How long ago (hours:minutes:seconds) the last event may be; without it, silence is fine.");
        var maxFailing = CommonOptions.Duration(
            "--max-failing", $"How long (hours:minutes:seconds) a destination may fail before a person is needed; without it, {DestinationStates.LongFailing.TotalMinutes:0} minutes.");
        var command = new Command("status", "Queue depths and oldest ages, destinations, dead letters, last event received; exit code 3 when something needs a person.")
        {
            json, maxQueueAge, maxFailing, maxSilence,
        };
        runner.OnStorage(command, async (parsed, terminal, connection, cancellation) =>
        {
            var status = new Status(
                runner.Host.Clock.GetUtcNow(),
                await connection.Queues.GetStatesAsync(cancellation),
                await connection.DeadLetters.CountAsync(cancellation),
                await connection.Journal.LastReceivedAsync(cancellation),
                await connection.Destinations.ReadAsync(cancellation),
                await WaitingAsync(connection, cancellation));
            var needs = status.Needs(parsed.GetValue(maxQueueAge) ?? PipelineQueues.LongWaiting, parsed.GetValue(maxFailing) ?? DestinationStates.LongFailing, parsed.GetValue(maxSilence)).ToList();
            if (parsed.GetValue(json))
            {
                terminal.Json(DocumentOf(status, needs), CliJson.Default.StatusDocument);
            }
            else
            {
                Write(terminal, status, needs);
            }

            return needs.Count == 0 ? ExitCodes.Fine : ExitCodes.NeedsPerson;
        });
        return command;
    }

    private static void Write(Terminal terminal, Status status, List<string> needs)
    {
        foreach (var queue in status.Queues)
        {
            Line(terminal, $"queue {queue.Name}", queue switch
            {
                { Messages: 0 } => "empty",
                { OldestVisible: { } oldest } => $"{queue.Messages} waiting, the oldest since {Ago(status.At - oldest)}",
                _ => $"{queue.Messages} being worked on or waiting for another try",
            });
        }

        foreach (var destination in status.Destinations)
        {
            Line(terminal, $"destination {destination.Destination}", destination switch
            {
                { DisabledAt: { } disabled } => $"disabled since {Times.Of(disabled)}: it responded with 410",
                _ => $"failing for {Ago(status.At - destination.FailingSince!.Value)}{(destination.Fault is { } fault ? $": {fault}" : "")}",
            });
        }

        if (status.Waiting.Total > 0)
        {
            Line(terminal, "deliveries waiting", $"{status.Waiting.Total} ({Counts(status.Waiting.ByDestination)}), the oldest received {Times.Of(status.Waiting.Oldest)}");
        }

        Line(terminal, "dead letters", status.DeadLetters.Total == 0
            ? "none"
            : $"{status.DeadLetters.Total} ({Counts(status.DeadLetters.ByReason)}), the oldest received {Times.Of(status.DeadLetters.Oldest)}");
        Line(terminal, "last event received", status.LastReceived is { } last ? $"{Times.Of(last)}, {Ago(status.At - last)} ago" : "none yet");
        Line(terminal, "a person", needs.Count == 0 ? "is not needed" : $"is needed: {string.Join("; ", needs)}");
    }

    private static void Line(Terminal terminal, string name, string value) => terminal.Line($"{name,-30} {value}");

    private static StatusDocument DocumentOf(Status status, List<string> needs) => new(
        needs.Count > 0,
        needs,
        [.. status.Queues.Select(queue => new QueueDocument(queue.Name, queue.Messages, Times.Of(queue.OldestVisible)))],
        new DeadLettersDocument(status.DeadLetters.Total, status.DeadLetters.ByReason, Times.Of(status.DeadLetters.Oldest)),
        Times.Of(status.LastReceived),
        [.. status.Destinations.Select(destination => new DestinationDocument(destination.Destination, Times.Of(destination.FailingSince), Times.Of(destination.DisabledAt), destination.Fault))],
        new WaitingDocument(status.Waiting.Total, status.Waiting.ByDestination, Times.Of(status.Waiting.Oldest)));

    private static string Counts(IReadOnlyDictionary<string, int> counts) => string.Join(", ", counts.Select(part => $"{part.Key} {part.Value}"));

    private static async Task<Waiting> WaitingAsync(Connection connection, CancellationToken cancellation)
    {
        var byDestination = new SortedDictionary<string, int>(StringComparer.Ordinal);
        DateTimeOffset? oldest = null;
        DateTimeOffset? earliestDue = null;
        await foreach (var delivery in connection.Deliveries.WaitingAsync(new DeliveryFilter(), cancellation))
        {
            byDestination[delivery.Destination] = byDestination.GetValueOrDefault(delivery.Destination) + 1;
            oldest = oldest < delivery.ReceivedAt ? oldest : delivery.ReceivedAt;
            earliestDue = delivery.NextAttemptAt is not { } due || earliestDue < due ? earliestDue : due;
        }

        return new Waiting(byDestination, oldest, earliestDue);
    }

    private static string Ago(TimeSpan age) => age switch
    {
        { TotalSeconds: < 1 } => "0 s",
        { TotalMinutes: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{age.TotalSeconds:F0} s"),
        { TotalHours: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{age.TotalMinutes:F0} min"),
        { TotalDays: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{age.TotalHours:F0} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{age.TotalDays:F0} days"),
    };

    private sealed record Status(
        DateTimeOffset At, IReadOnlyList<QueueState> Queues, DeadLetterCount DeadLetters, DateTimeOffset? LastReceived, IReadOnlyList<DestinationState> Destinations, Waiting Waiting)
    {
        public IEnumerable<string> Needs(TimeSpan maxQueueAge, TimeSpan maxFailing, TimeSpan? maxSilence)
        {
            foreach (var queue in Queues)
            {
                if (queue is { IsPoison: true, Messages: > 0 })
                {
                    yield return $"{queue.Name} holds what failed too often";
                }
                else if (queue.OldestVisible is { } oldest && At - oldest > maxQueueAge)
                {
                    yield return $"{queue.Name} is not being worked on";
                }
            }

            if (At - Waiting.EarliestDue > maxQueueAge)
            {
                yield return "deliveries that are due are not being made";
            }

            foreach (var destination in Destinations)
            {
                if (destination.DisabledAt is not null)
                {
                    yield return $"{destination.Destination} is disabled (then: telecmi forward resume --name {destination.Destination})";
                }
                else if (At - destination.FailingSince is { } failing && failing > maxFailing)
                {
                    yield return $"{destination.Destination} has failed for {Ago(failing)}";
                }
            }

            if (DeadLetters.Total > 0)
            {
                yield return "there are dead letters";
            }

            if (maxSilence is { } silence && (LastReceived is not { } last || At - last > silence))
            {
                yield return $"no event within {silence}";
            }
        }
    }

    private sealed record Waiting(IReadOnlyDictionary<string, int> ByDestination, DateTimeOffset? Oldest, DateTimeOffset? EarliestDue)
    {
        public int Total => ByDestination.Values.Sum();
    }
}
