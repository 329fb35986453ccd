using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TeleCmi.Events;
using TeleCmi.Pipeline.Calls;
using TeleCmi.Pipeline.Storage;
using TeleCmi.Pipeline.Telemetry;

namespace TeleCmi.Pipeline.Forwarding;

/// <summary>
/// Decides when a destination that wants calls gets one. Each processed notice has its call looked at once
/// <see cref="ForwardOptions.SettleTime"/> has passed; the call is sent when it is decided and differs from what was sent last.
/// So no order, repeat or delay of notices matters: the last one's look sees them all.
/// </summary>
/// <remarks>A look is a message of the forwards queue whose event is a notice; what is sent is one whose event is the call.</remarks>
public sealed partial class CompletedCalls(
    ForwardDestinations destinations,
    ForwardQueue queue,
    CallReader calls,
    CallIndex index,
    IStore store,
    IOptions<ForwardOptions> options,
    TimeProvider clock,
    ILogger<CompletedCalls> logger)
{
    // Beside the claims of conversations: which record of a call a destination has been given.
    private const string Hash = "CallHash";
    private const string Revision = "Revision";
    private const string ClaimedBy = "ClaimedBy";
    private const string ClaimedAt = "ClaimedAt";

    // However the clocks lie that say how old the newest notice is, a call waits no longer than for these looks.
    private const int MostPostponed = 10;

    private readonly ForwardDestination[] _destinations = [.. destinations.All.Where(destination => destination.SendsCalls)];
    private readonly ITable _claims = store.Table(ConversationClaim.TableName);
    private readonly TimeSpan _settleTime = options.Value.SettleTime;

    /// <summary>Has an event's call looked at later; the journal must have the event. Without such a destination it costs nothing.</summary>
    /// <exception cref="StorageException">The queue did not take it; the event has to be processed again.</exception>
    public async Task LookLaterAsync(CallEvent callEvent, CancellationToken cancellation)
    {
        if (_destinations.Length == 0)
        {
            return;
        }

        await index.NoteAsync(callEvent, cancellation);
        foreach (var destination in _destinations)
        {
            var look = new ForwardMessage { Destination = destination.Name, QueuedAt = clock.GetUtcNow(), Event = EnvelopedEvent.Of(callEvent), Look = $"{Guid.NewGuid():N}" };
            await queue.SendLookAsync(look, _settleTime, cancellation);
        }
    }

    /// <summary>Looks at a call.</summary>
    /// <param name="destination">Who wants it.</param>
    /// <param name="look">The message that is due.</param>
    /// <param name="cancellation">Ends the try; the message is then delivered again.</param>
    /// <returns>What has to be sent now; null when nothing has.</returns>
    /// <exception cref="InvalidDataException">The message has no notice.</exception>
    /// <exception cref="StorageException">Storage failed.</exception>
    internal async Task<ForwardMessage?> LookAsync(ForwardDestination destination, ForwardMessage look, CancellationToken cancellation)
    {
        if (!EventEnvelope.TryRead(look.Event.Envelope, out var callEvent, out var fault))
        {
            throw new InvalidDataException(fault);
        }

        // The same for every delivery of this look, and no other look's; a replay is of one letter at a time.
        var me = look.Look ?? look.Event.Id;
        while (await calls.FindCallOfAsync(callEvent, cancellation) is { IsDecided: true } call)
        {
            var key = new RowKey(TableKey.Part(destination.Name), TableKey.Part(call.Id));
            var claim = await _claims.FindAsync(key, columns: null, cancellation);
            if (claim is not null)
            {
                // Read after the claim, so that what is claimed next is never older than what was claimed last.
                var again = await calls.FindCallOfAsync(callEvent, cancellation);
                if (again is not { IsDecided: true } || again.Id != call.Id)
                {
                    continue;
                }

                call = again;
            }

            var document = CompletedCall.DocumentOf(call);
            var hash = HashOf(document);
            if (claim?.Text(Hash) == hash)
            {
                // Whoever claimed it sends it; should that be this look, its try before broke off.
                return claim.Text(ClaimedBy) == me ? MessageOf(call, document, (int)claim.Number(Revision)!.Value) : null;
            }

            if (claim is null && !destination.Accepts(call))
            {
                return null;
            }

            if (await TryPostponeAsync(call, look, cancellation))
            {
                return null;
            }

            var revision = (int)(claim?.Number(Revision) ?? 0) + 1;
            var row = new TableRow(key) { [Hash] = hash, [Revision] = revision, [ClaimedBy] = me, [ClaimedAt] = clock.GetUtcNow() };
            if (claim is null
                ? await _claims.TryInsertAsync(row, cancellation) is not null
                : await _claims.ReplaceAsync(row, claim.Version, cancellation) is WriteOutcome.Written)
            {
                Log.Decided(logger, LogText.Of(call.Id), call.Outcome.Name(), destination.Name, revision);
                return MessageOf(call, document, revision);
            }
        }

        return null;

        ForwardMessage MessageOf(CallRecord call, CallDocument document, int revision) => new()
        {
            Destination = destination.Name,
            QueuedAt = clock.GetUtcNow(),
            Event = CompletedCall.Of(call, document with { Revision = revision }, look.Event.TraceParent),
        };
    }

    // Notices that come close together are sent as one record.
    private async Task<bool> TryPostponeAsync(CallRecord call, ForwardMessage look, CancellationToken cancellation)
    {
        var settled = call.Events.Max(notice => notice.ReceivedAt) + _settleTime;
        var wait = settled - clock.GetUtcNow();
        if (wait <= TimeSpan.Zero || look.Deferrals >= MostPostponed)
        {
            return false;
        }

        await queue.SendLookAsync(look with { Deferrals = look.Deferrals + 1 }, wait < _settleTime ? wait : _settleTime, cancellation);
        return true;
    }

    private static string HashOf(CallDocument document) =>
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(document, CallJson.Default.CallDocument)));

    private static partial class Log
    {
        [LoggerMessage(EventId = 73, Level = LogLevel.Information, Message = "Call {CallId} ended: {Outcome}. Destination {Destination} gets revision {Revision}.")]
        public static partial void Decided(ILogger logger, string callId, string outcome, string destination, int revision);
    }
}
