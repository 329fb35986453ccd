using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TeleCmi.Events;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Receiving;

/// <summary>
/// Responds to the webhook: reads the notice, makes an accepted event durable, and only then acknowledges it. One request
/// to storage per accepted event, none for an ignored one.
/// </summary>
/// <remarks>
/// A sender that hangs up does not undo an enqueue that has begun, so nothing here takes the request's own cancellation.
/// </remarks>
public sealed partial class EventReceiver(
    PipelineQueues queues,
    DeadLetterStore deadLetters,
    EventFilter filter,
    IOptions<TeleCmiOptions> options,
    PipelineEvents events,
    TeleCmiMetrics metrics,
    TimeProvider clock,
    ILogger<EventReceiver> logger)
{
    private const int MostRecords = 100;

    private readonly int _maxBytes = options.Value.MaxEventBytes;
    private readonly Deadline _bodyDeadline = new(TimeSpan.FromSeconds(10), clock);
    private readonly Deadline _enqueueDeadline = new(options.Value.EnqueueDeadline, clock);

    /// <summary>Receives one request.</summary>
    /// <returns>The response; it never throws for what a sender or storage does.</returns>
    public async Task<WebhookResponse> ReceiveAsync(WebhookRequest request)
    {
        var started = clock.GetTimestamp();
        using var activity = TeleCmiActivity.StartReceiving();
        using var content = new RequestContent(_maxBytes);
        var response = await ReadAsync(request, content) ?? await ReceiveAsync(request, content);
        activity?.SetTag(TelemetryNames.OutcomeTag, response.Case.Outcome);
        activity?.SetTag(TelemetryNames.EventIdTag, content.Notice?.Id);
        activity?.SetTag(TelemetryNames.EventKindTag, content.Notice?.Kind.Name());
        metrics.Received(content.Notice?.Kind, response.Case.Outcome, clock.GetElapsedTime(started));
        if (events.IsHeard)
        {
            events.Publish(new RequestEnded(request.Id, response));
        }

        return response;
    }

    private async ValueTask<WebhookResponse?> ReadAsync(WebhookRequest request, RequestContent content)
    {
        if (!request.IsPost)
        {
            return null;
        }

        if (request.ContentLength > _maxBytes)
        {
            return TooLarge();
        }

        try
        {
            await _bodyDeadline.RunAsync(token => content.FillAsync(request, token), CancellationToken.None);
            return content.AsItCame.Length <= _maxBytes ? null : TooLarge();
        }
        catch (TimeoutException)
        {
            return Refuse(WebhookCase.TooSlow);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            return Refuse(WebhookCase.BrokenBody, e);
        }
    }

    private Task<WebhookResponse> ReceiveAsync(WebhookRequest request, RequestContent content)
    {
        var isJson = content.TryMakeJson(request, out var fault);
        if (content.AsItCame.Length == 0)
        {
            return Task.FromResult(Refuse(!request.IsPost ? WebhookCase.EmptyQuery : request.HasTransferEncoding ? WebhookCase.ChunkedBody : WebhookCase.EmptyBody));
        }

        if (content.AsItCame.Length > _maxBytes || content.Json.Length > _maxBytes)
        {
            return Task.FromResult(TooLarge());
        }

        if (events.IsHeard)
        {
            events.Publish(new RequestRead(request.Id, content.AsItCame, content.Json));
        }

        if (isJson && content.TryReadNotice(out fault))
        {
            return ReceiveAsync(request, content.Notice);
        }

        return isJson && ReportEnvelope.TryRead(content.Json, out var records) ? ReceiveReportAsync(request, content, records) : RejectAsync(content, fault!);
    }

    // Acknowledged only when every record is durable: sent again as a whole, the journal recognises what is there already.
    private async Task<WebhookResponse> ReceiveReportAsync(WebhookRequest request, RequestContent content, IReadOnlyList<ReadOnlyMemory<byte>> records)
    {
        if (records.Count > MostRecords)
        {
            return Refuse(WebhookCase.TooLarge, detail: $"A report may have at most {MostRecords} records.");
        }

        var accepted = new List<Notice>();
        foreach (var record in records)
        {
            if (!Notice.TryRead(record, out var notice, out var fault))
            {
                return await RejectAsync(content, $"A record of the report is not a notice. {fault}");
            }

            switch (filter.RefusalOf(notice))
            {
                case null:
                    accepted.Add(notice);
                    break;
                case { Problem: not null } refusal:
                    return Refuse(refusal);
            }
        }

        var stored = await Task.WhenAll(accepted.Select(notice => EnqueueAsync(request, notice)));
        return stored.All(isStored => isStored) ? WebhookResponse.AcceptedReport(accepted.Count) : WebhookCase.Unavailable.Respond();
    }

    private async Task<WebhookResponse> ReceiveAsync(WebhookRequest request, Notice notice)
    {
        if (filter.RefusalOf(notice) is { } refusal)
        {
            Log.NotAccepted(logger, refusal == WebhookCase.Ignored ? LogLevel.Debug : LogLevel.Warning, notice.Id, notice.Kind.Name(), refusal.Outcome);
            return refusal == WebhookCase.Ignored ? WebhookResponse.Ignored(notice.Kind) : refusal.Respond();
        }

        if (!await EnqueueAsync(request, notice))
        {
            return WebhookCase.Unavailable.Respond();
        }

        Log.Accepted(logger, notice.Id, notice.Kind.Name());
        return WebhookResponse.Accepted(notice.Id, notice.Kind);
    }

    private async Task<bool> EnqueueAsync(WebhookRequest request, Notice notice)
    {
        using var envelope = new PooledBuffer(notice.Json.Length + EventEnvelope.MaxOverhead);

        // As the envelope has it, so that a listener recognises the event.
        var now = clock.GetUtcNow();
        var receivedAt = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMillisecond));
        var traceParent = Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : null;
        EventEnvelope.Write(envelope, notice, receivedAt, traceParent);
        if (events.IsHeard)
        {
            events.Publish(new EventQueueing(request.Id, new CallEvent
            {
                Id = notice.Id,
                Kind = notice.Kind,
                ReceivedAt = receivedAt,
                TraceParent = traceParent,
                Notice = notice,
                Envelope = envelope.Written,
            }));
        }

        return await TryStoreAsync(token => queues.Events.SendAsync(envelope.Written, TimeSpan.Zero, token), notice.Id);
    }

    private async Task<WebhookResponse> RejectAsync(RequestContent content, string fault)
    {
        var letter = new DeadLetter
        {
            Reason = DeadLetterReason.Rejected,
            ReceivedAt = clock.GetUtcNow(),
            Error = fault,
            Body = content.AsItCame,
            Discriminator = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
        };
        if (!await TryStoreAsync(token => deadLetters.KeepAsync(letter, token), "(unreadable)"))
        {
            return WebhookCase.Unavailable.Respond();
        }

        Log.Rejected(logger, fault);
        return WebhookCase.Rejected.Respond($"{fault} {WebhookCase.Rejected.Detail}");
    }

    private async Task<bool> TryStoreAsync(Func<CancellationToken, Task> store, string eventId)
    {
        var started = clock.GetTimestamp();
        var isStored = false;
        try
        {
            await _enqueueDeadline.RunAsync(store, CancellationToken.None);
            isStored = true;
        }
        catch (Exception e)
        {
            // Whatever went wrong, the sender must not take it for acknowledged.
            Log.NotStored(logger, e, eventId);
        }

        metrics.Enqueued(isStored, clock.GetElapsedTime(started));
        return isStored;
    }

    private WebhookResponse TooLarge() => Refuse(WebhookCase.TooLarge, detail: $"At most {_maxBytes} bytes are accepted. {WebhookCase.TooLarge.Detail}");

    private WebhookResponse Refuse(WebhookCase refusal, Exception? cause = null, string? detail = null)
    {
        Log.Refused(logger, cause, refusal.Title, refusal.Status);
        return refusal.Respond(detail);
    }

    private static partial class Log
    {
        // Processing logs what became of it, and a log line here costs more than all the rest of receiving.
        [LoggerMessage(EventId = 10, Level = LogLevel.Debug, Message = "Event {EventId} ({Kind}) accepted: the queue has it.")]
        public static partial void Accepted(ILogger logger, string eventId, string kind);

        [LoggerMessage(EventId = 11, Message = "Notice {EventId} ({Kind}) not accepted: {Outcome} (TeleCmi__AcceptedEvents, TeleCmi__AppIds).")]
        public static partial void NotAccepted(ILogger logger, LogLevel level, string eventId, string kind, string outcome);

        [LoggerMessage(EventId = 12, Level = LogLevel.Warning, Message = "A request was rejected and its body kept in DeadLetters: {Fault}")]
        public static partial void Rejected(ILogger logger, string fault);

        [LoggerMessage(EventId = 13, Level = LogLevel.Error, Message = "Event {EventId} was not stored and not acknowledged.")]
        public static partial void NotStored(ILogger logger, Exception exception, string eventId);

        [LoggerMessage(EventId = 14, Level = LogLevel.Warning, Message = "A request was refused: {Title} ({Status}).")]
        public static partial void Refused(ILogger logger, Exception? cause, string title, int status);
    }
}
