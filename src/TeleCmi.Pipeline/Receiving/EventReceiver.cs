using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TeleCmi.Events;
using TeleCmi.Pipeline.DeadLetters;
using TeleCmi.Pipeline.Observing;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Receiving;

/// <summary>
/// Answers the webhook: reads the notice, makes an accepted event durable, and only then says so. One request to
/// storage per accepted event, none for an ignored one.
/// </summary>
/// <remarks>
/// A sender that hangs up does not undo an enqueue that has begun, so nothing here takes the request's own cancellation.
/// </remarks>
public sealed partial class EventReceiver
{
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BodyDeadline = TimeSpan.FromSeconds(10);

    private readonly IEventQueue _queue;
    private readonly DeadLetterStore _deadLetters;
    private readonly TeleCmiMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger<EventReceiver> _logger;
    private readonly EventAcceptance _acceptance;
    private readonly int _maxBytes;
    private readonly TimeSpan _enqueueDeadline;
    private readonly IPipelineObserver? _observer;

    /// <summary>Takes its parts and the settings.</summary>
    public EventReceiver(
        IEventQueue queue,
        DeadLetterStore deadLetters,
        IOptions<TeleCmiOptions> options,
        TeleCmiMetrics metrics,
        TimeProvider clock,
        ILogger<EventReceiver> logger,
        IPipelineObserver? observer = null)
    {
        _queue = queue;
        _deadLetters = deadLetters;
        _metrics = metrics;
        _clock = clock;
        _logger = logger;
        _acceptance = new EventAcceptance(options);
        _maxBytes = options.Value.MaxEventBytes;
        _enqueueDeadline = options.Value.EnqueueDeadline;
        _observer = observer;
    }

    /// <summary>Receives one request.</summary>
    /// <returns>The answer; it never throws for what a sender or storage does.</returns>
    public async Task<WebhookAnswer> ReceiveAsync(WebhookRequest request)
    {
        var started = _clock.GetTimestamp();
        using var activity = TeleCmiActivity.StartReceiving();
        var (answer, outcome, notice) = await AnswerAsync(request);
        activity?.SetTag(TelemetryNames.OutcomeTag, outcome);
        activity?.SetTag(TelemetryNames.EventIdTag, notice?.Id);
        activity?.SetTag(TelemetryNames.EventKindTag, notice?.Kind.Name());
        _metrics.Received(notice?.Kind, outcome, _clock.GetElapsedTime(started));
        _observer?.Answered(request, outcome, answer);
        return answer;
    }

    private async Task<Received> AnswerAsync(WebhookRequest request)
    {
        using var body = new PooledBuffer(_maxBytes + 1);
        if (request.IsPost && await ReadBodyAsync(request, body) is { } refusal)
        {
            return refusal;
        }

        if (body.Length == 0)
        {
            return await ReceiveFieldsAsync(request);
        }

        return IsForm(request, body.Written.Span)
            ? await ReceiveFieldsAsync(request, body.Written)
            : await ReceiveJsonAsync(request, body.Written, body.Written);
    }

    private async Task<Received?> ReadBodyAsync(WebhookRequest request, PooledBuffer body)
    {
        if (request.ContentLength > _maxBytes)
        {
            return TooLarge();
        }

        try
        {
            await Deadline.RunAsync(deadline => FillAsync(request, body, deadline), BodyDeadline, _clock, CancellationToken.None);
            return body.Length <= _maxBytes ? null : TooLarge();
        }
        catch (TimeoutException)
        {
            Log.BodyTooSlow(_logger);
            return new(WebhookAnswer.Problem(408, "too-slow", "The body came too slowly", "Send the event again."), "too_slow");
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            Log.BodyBroken(_logger, e);
            return new(WebhookAnswer.Problem(400, "broken-body", "The body broke off", "Send the event again."), "broken");
        }
    }

    // One byte more than may be, where there is one, tells that the body is too large.
    private async Task FillAsync(WebhookRequest request, PooledBuffer body, CancellationToken cancellation)
    {
        while (body.Length <= _maxBytes && body.Length != request.ContentLength
            && await request.Body.ReadAsync(body.GetMemory()[..(_maxBytes + 1 - body.Length)], cancellation) is > 0 and var read)
        {
            body.Advance(read);
        }
    }

    private async Task<Received> ReceiveFieldsAsync(WebhookRequest request)
    {
        using var query = new PooledBuffer(request.Query.Length + 1);
        QueryFields.CopyWithoutSecrets(request.Query, query);
        if (query.Length == 0)
        {
            return Empty(request);
        }

        return query.Length > _maxBytes ? TooLarge() : await ReceiveFieldsAsync(request, query.Written);
    }

    private async Task<Received> ReceiveFieldsAsync(WebhookRequest request, ReadOnlyMemory<byte> fields)
    {
        using var json = new PooledBuffer(fields.Length * 2);
        if (NoticeForm.WriteJson(fields.Span, json) < 0)
        {
            return await RejectAsync(request, "A field is not valid UTF-8 text.", fields);
        }

        return json.Length > _maxBytes ? TooLarge() : await ReceiveJsonAsync(request, json.Written, fields);
    }

    private Task<Received> ReceiveJsonAsync(WebhookRequest request, ReadOnlyMemory<byte> json, ReadOnlyMemory<byte> asItCame)
    {
        if (!Notice.TryRead(json, out var notice, out var fault))
        {
            return RejectAsync(request, fault, asItCame);
        }

        _observer?.Read(request, asItCame, notice);
        if (!_acceptance.IsServed(notice))
        {
            Log.Forbidden(_logger, notice.Id);
            return Task.FromResult<Received>(new(
                WebhookAnswer.Problem(403, "unknown-app", "This app id is not served here", "Add the event's app_id to TeleCmi__AppIds, or correct the webhook's address in TeleCMI's portal."),
                "forbidden",
                notice));
        }

        if (!_acceptance.IsWanted(notice.Kind))
        {
            Log.Ignored(_logger, notice.Id, notice.Kind.Name());
            return Task.FromResult<Received>(new(WebhookAnswer.Ignored(notice.Kind), "ignored", notice));
        }

        return EnqueueAsync(request, notice);
    }

    private async Task<Received> EnqueueAsync(WebhookRequest request, Notice notice)
    {
        using var envelope = new PooledBuffer(notice.Json.Length + 1024);
        // As the envelope says it, so that whoever watches knows the event again.
        var now = _clock.GetUtcNow();
        var receivedAt = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMillisecond));
        var traceParent = Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : null;
        EventEnvelope.Write(envelope, notice, receivedAt, traceParent);
        _observer?.Queueing(request, new CallEvent
        {
            Id = notice.Id,
            Kind = notice.Kind,
            ReceivedAt = receivedAt,
            TraceParent = traceParent,
            Notice = notice,
            Envelope = envelope.Written,
        });
        var stored = await TryStoreAsync(deadline => _queue.EnqueueAsync(envelope.Written, deadline), notice.Id);
        if (!stored)
        {
            return Unavailable(notice);
        }

        Log.Accepted(_logger, notice.Id, notice.Kind.Name());
        return new(WebhookAnswer.Accepted(notice.Id, notice.Kind), "accepted", notice);
    }

    private async Task<Received> RejectAsync(WebhookRequest request, string fault, ReadOnlyMemory<byte> asItCame)
    {
        _observer?.Unreadable(request, asItCame, fault);
        var letter = new DeadLetter
        {
            Reason = DeadLetterReason.Rejected,
            ReceivedAt = _clock.GetUtcNow(),
            Error = fault,
            Body = asItCame,
            Discriminator = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
        };
        if (!await TryStoreAsync(deadline => _deadLetters.KeepAsync(letter, deadline), "(unreadable)"))
        {
            return Unavailable(notice: null);
        }

        Log.Rejected(_logger, fault);
        return new(
            WebhookAnswer.Problem(400, "unreadable", "Not a TeleCMI notice", $"{fault} The body is kept in DeadLetters; send the event as TeleCMI documents it."),
            "rejected");
    }

    private async Task<bool> TryStoreAsync(Func<CancellationToken, Task> store, string eventId)
    {
        var started = _clock.GetTimestamp();
        var stored = false;
        try
        {
            await Deadline.RunAsync(store, _enqueueDeadline, _clock, CancellationToken.None);
            stored = true;
        }
        catch (Exception e)
        {
            // Whatever went wrong, the sender must hear that nothing was acknowledged.
            Log.NotStored(_logger, e, eventId);
        }

        _metrics.Enqueued(stored, _clock.GetElapsedTime(started));
        return stored;
    }

    private Received Empty(WebhookRequest request)
    {
        Log.Empty(_logger);
        var answer = request switch
        {
            { IsPost: false } => WebhookAnswer.Problem(400, "empty", "No event", "Send the event's fields in the query, or its JSON by POST."),
            { HasTransferEncoding: true } => WebhookAnswer.Problem(411, "length-required", "The body did not arrive", "A chunked body does not reach this app: send the event with a Content-Length."),
            _ => WebhookAnswer.Problem(400, "empty", "No event", "Send the event's JSON as the body, with a Content-Length."),
        };
        return new(answer, "empty");
    }

    private Received TooLarge()
    {
        Log.TooLarge(_logger, _maxBytes);
        return new(
            WebhookAnswer.Problem(413, "too-large", "The event is too large", $"At most {_maxBytes} bytes are taken (TeleCmi__MaxEventBytes)."),
            "too_large");
    }

    private static Received Unavailable(Notice? notice) => new(
        WebhookAnswer.Problem(503, "storage-unavailable", "The event could not be stored", "Nothing was acknowledged: send the event again.", TryAgainAfter),
        "unavailable",
        notice);

    // Some senders label JSON as a form, curl among them, so the body's first character decides.
    private static bool IsForm(WebhookRequest request, ReadOnlySpan<byte> body) =>
        request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) == true
        && !body.TrimStart(" \t\r\n\uFEFF"u8).StartsWith("{"u8);

    private sealed record Received(WebhookAnswer Answer, string Outcome, Notice? Notice = null);

    private static partial class Log
    {
        // Processing says what became of it, and a line for each costs more than all the rest of receiving.
        [LoggerMessage(EventId = 10, Level = LogLevel.Debug, Message = "Event {EventId} ({Kind}) accepted: the queue has it.")]
        public static partial void Accepted(ILogger logger, string eventId, string kind);

        [LoggerMessage(EventId = 11, Level = LogLevel.Debug, Message = "Notice {EventId} ({Kind}) ignored: its kind is not in TeleCmi__AcceptedEvents.")]
        public static partial void Ignored(ILogger logger, string eventId, string kind);

        [LoggerMessage(EventId = 12, Level = LogLevel.Warning, Message = "A request was rejected and its body kept in DeadLetters: {Fault}")]
        public static partial void Rejected(ILogger logger, string fault);

        [LoggerMessage(EventId = 13, Level = LogLevel.Error, Message = "Event {EventId} was not stored and not acknowledged.")]
        public static partial void NotStored(ILogger logger, Exception exception, string eventId);

        [LoggerMessage(EventId = 14, Level = LogLevel.Warning, Message = "Event {EventId} refused: its app id is not in TeleCmi__AppIds.")]
        public static partial void Forbidden(ILogger logger, string eventId);

        [LoggerMessage(EventId = 15, Level = LogLevel.Warning, Message = "A request carried no event: no body, and no fields in the query.")]
        public static partial void Empty(ILogger logger);

        [LoggerMessage(EventId = 16, Level = LogLevel.Warning, Message = "A request was larger than {MaxEventBytes} bytes and was refused.")]
        public static partial void TooLarge(ILogger logger, int maxEventBytes);

        [LoggerMessage(EventId = 17, Level = LogLevel.Warning, Message = "A request's body came too slowly.")]
        public static partial void BodyTooSlow(ILogger logger);

        [LoggerMessage(EventId = 18, Level = LogLevel.Warning, Message = "A request's body broke off.")]
        public static partial void BodyBroken(ILogger logger, Exception exception);
    }
}
