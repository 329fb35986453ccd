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
/// Decides when a destination that wants calls gets one. Each processed notice has its call checked once
/// <see cref="ForwardOptions.SettleTime"/> has passed; the call is sent when it is decided and differs from what was sent last.
/// So no order, repeat or delay of notices matters: the last one's check sees them all.
/// </summary>
/// <remarks>A check is a message of the forwards queue whose event is a notice; what is sent is one whose event is the call.</remarks>
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
    /// <summary>The column of a claim that says which revision of the call was sent.</summary>
    internal const string Revision = "Revision";

    // Beside the claims of conversations: which record of a call a destination has been given.
    private const string Hash = "CallHash";
    private const string ClaimedBy = "ClaimedBy";
    private const string ClaimedAt = "ClaimedAt";

    // However the clocks lie that say how old the newest notice is, a call waits no longer than for these checks.
    private const int MostPostponed = 10;

    private readonly ForwardDestination[] _destinations = [.. destinations.All.Where(destination => destination.SendsCalls)];
    private readonly ITable _claims = store.Table(ConversationClaim.TableName);
    private readonly TimeSpan _settleTime = options.Value.SettleTime;

    /// <summary>Has an event's call checked later; the journal must have the event. Without such a destination it costs nothing.</summary>
    /// <exception cref="StorageException">The queue did not take it; the event has to be processed again.</exception>
    public async Task CheckLaterAsync(CallEvent callEvent, CancellationToken cancellation)
    {
        if (_destinations.Length == 0)
        {
            return;
        }

        await index.NoteAsync(callEvent, cancellation);
        foreach (var destination in _destinations)
        {
            var check = new ForwardMessage { Destination = destination.Name, QueuedAt = clock.GetUtcNow(), Event = EnvelopedEvent.Of(callEvent), Check = $"{Guid.NewGuid():N}" };
            await queue.SendCheckAsync(check, _settleTime, cancellation);
        }
    }

    /// <summary>Checks a call.</summary>
    /// <param name="destination">Who wants it.</param>
    /// <param name="check">The message that is due.</param>
    /// <param name="cancellation">Ends the try; the message is then delivered again.</param>
    /// <returns>What has to be sent now; null when nothing has.</returns>
    /// <exception cref="InvalidDataException">The message has no notice.</exception>
    /// <exception cref="StorageException">Storage failed.</exception>
    internal async Task<ForwardMessage?> CheckAsync(ForwardDestination destination, ForwardMessage check, CancellationToken cancellation)
    {
        if (!EventEnvelope.TryRead(check.Event.Envelope, out var callEvent, out var fault))
        {
            throw new InvalidDataException(fault);
        }

        // The same for every delivery of this check, and no other check's; a replay is of one letter at a time.
        var me = check.Check ?? check.Event.Id;
        while (await calls.FindCallOfAsync(callEvent, cancellation) is { IsDecided: true } call)
        {
            var (id, claim) = await FindClaimAsync(_claims, destination.Name, call, cancellation);
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

            var isProvisional = call.ConversationId is null;
            var found = call.Id;
            call = call with { Id = id };
            var document = CompletedCall.DocumentOf(call);
            var hash = HashOf(document);
            if (claim?.Text(Hash) == hash)
            {
                // Whoever claimed it sends it; should that be this check, its try before broke off.
                return claim.Text(ClaimedBy) == me ? MessageOf(call, document, (int)claim.Number(Revision)!.Value) : null;
            }

            if (claim is null && !destination.Accepts(call))
            {
                return null;
            }

            if (await TryPostponeAsync(call, check, cancellation))
            {
                return null;
            }

            var revision = (int)(claim?.Number(Revision) ?? 0) + 1;
            var row = new TableRow(ConversationClaim.KeyOf(destination.Name, id)) { [Hash] = hash, [Revision] = revision, [ClaimedBy] = me, [ClaimedAt] = clock.GetUtcNow() };
            if (claim is null
                ? await TryClaimAsync(row, isProvisional ? found : null)
                : await _claims.ReplaceAsync(row, claim.Version, cancellation) is WriteOutcome.Written)
            {
                Log.Decided(logger, LogText.Of(call.Id), call.Outcome.Name(), destination.Name, revision);
                return MessageOf(call, document, revision);
            }
        }

        return null;

        // Another check may have found the conversation since, and no claim: then this call goes under that one's name.
        async Task<bool> TryClaimAsync(TableRow row, string? provisionalId)
        {
            if (await _claims.TryInsertAsync(row, cancellation) is not { } version)
            {
                return false;
            }

            if (provisionalId is null || (await calls.FindCallOfAsync(callEvent, cancellation))?.Id == provisionalId)
            {
                return true;
            }

            await _claims.DeleteAsync(row.Key, version, cancellation);
            return false;
        }

        ForwardMessage MessageOf(CallRecord call, CallDocument document, int revision) => new()
        {
            Destination = destination.Name,
            QueuedAt = clock.GetUtcNow(),
            IsBackfill = check.IsBackfill,
            Event = CompletedCall.Of(call, document with { Revision = revision }, check.Event.TraceParent),
        };
    }

    /// <summary>Finds what a destination was given of a call, which keeps the id under which it was sent first, also when a later notice tells its conversation.</summary>
    /// <returns>That id, and the claim; the call's own id and null when it was given nothing.</returns>
    internal static async Task<(string Id, TableRow? Claim)> FindClaimAsync(ITable claims, string destination, CallRecord call, CancellationToken cancellation)
    {
        foreach (var id in call.Ids)
        {
            if (await claims.FindAsync(ConversationClaim.KeyOf(destination, id), columns: null, cancellation) is { } claim)
            {
                return (id, claim);
            }
        }

        return (call.Id, null);
    }

    // Notices that come close together are sent as one record.
    private async Task<bool> TryPostponeAsync(CallRecord call, ForwardMessage check, CancellationToken cancellation)
    {
        var settled = call.Events.Max(notice => notice.ReceivedAt) + _settleTime;
        var wait = settled - clock.GetUtcNow();
        if (wait <= TimeSpan.Zero || check.Deferrals >= MostPostponed)
        {
            return false;
        }

        await queue.SendCheckAsync(check with { Deferrals = check.Deferrals + 1 }, wait < _settleTime ? wait : _settleTime, cancellation);
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
