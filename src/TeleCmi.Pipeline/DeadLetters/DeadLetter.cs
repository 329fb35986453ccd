using System.Security.Cryptography;
using System.Text;
using TeleCmi.Events;

namespace TeleCmi.Pipeline.DeadLetters;

/// <summary>Why something became a dead letter.</summary>
public static class DeadLetterReason
{
    /// <summary>An accepted event that failed too often.</summary>
    public const string Poison = "poison";

    /// <summary>A request body that could not be read as a notice.</summary>
    public const string Rejected = "rejected";

    /// <summary>An event that a destination did not accept; the journal has it.</summary>
    public const string Forward = "forward";

    /// <summary>Every reason.</summary>
    public static IReadOnlyList<string> All { get; } = [Poison, Rejected, Forward];
}

/// <summary>Something that could not be processed, kept until a person decides.</summary>
public sealed record DeadLetter
{
    /// <summary>One of <see cref="DeadLetterReason"/>.</summary>
    public required string Reason { get; init; }

    /// <summary>The kind's name, when it is known.</summary>
    public string? Kind { get; init; }

    /// <summary>The event's id, when it is known.</summary>
    public string? EventId { get; init; }

    /// <summary>When it reached the receiver.</summary>
    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>What went wrong.</summary>
    public required string Error { get; init; }

    /// <summary>The bytes as they came: an envelope (poison, forward), or a request's body or query (rejected).</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The destination that did not accept it (forward).</summary>
    public string? Destination { get; init; }

    /// <summary>The status of the destination's response, if there was one (forward).</summary>
    public int? Status { get; init; }

    /// <summary>The first KiB of that response's body (forward).</summary>
    public string? ResponseBody { get; init; }

    /// <summary>What tells it from others of the same millisecond; the same when the same thing is kept twice.</summary>
    public required string Discriminator { get; init; }

    /// <summary>The discriminator of what can be told by these bytes alone.</summary>
    public static string DiscriminatorOf(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16));

    /// <summary>The discriminator of an event that failed too often: the same for every delivery of it.</summary>
    public static string DiscriminatorOf(CallEvent callEvent) => DiscriminatorOf(Encoding.UTF8.GetBytes($"{callEvent.Id} {callEvent.Notice.ContentHash}"));
}
