using System.Collections.Concurrent;
using Azure;
using TeleCmi.Events;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Functions.Tests;

/// <summary>A queue that keeps what it is given, waits when told to, or refuses.</summary>
internal sealed class MemoryQueue : IEventQueue
{
    private readonly ConcurrentQueue<byte[]> _messages = new();

    public bool IsBroken { get; set; }

    public Task MayAnswer { get; set; } = Task.CompletedTask;

    public IReadOnlyList<byte[]> Messages => [.. _messages];

    public IReadOnlyList<CallEvent> Events =>
        [.. _messages.Select(message => EventEnvelope.TryRead(message, out var callEvent, out var fault) ? callEvent : throw new InvalidDataException(fault))];

    public async Task EnqueueAsync(ReadOnlyMemory<byte> envelope, CancellationToken cancellation)
    {
        await MayAnswer.WaitAsync(cancellation);
        if (IsBroken)
        {
            throw new RequestFailedException(503, "The server is busy.");
        }

        _messages.Enqueue(envelope.ToArray());
    }
}
