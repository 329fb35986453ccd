using System.Buffers;
using System.Buffers.Text;
using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using TeleCmi.Pipeline.Storage;
using PeekedMessage = TeleCmi.Pipeline.Storage.PeekedMessage;

namespace TeleCmi.Storage.Azure;

/// <summary>An Azure Storage queue: one request per message, Base64 on the wire as the queue trigger expects; created when storage says that it is missing.</summary>
internal sealed class AzureQueue(string name, Lazy<QueueClient> client) : IMessageQueue
{
    private static readonly TimeSpan NeverExpires = TimeSpan.FromSeconds(-1);

    public string Name => name;

    public Task SendAsync(ReadOnlyMemory<byte> body, TimeSpan delay, CancellationToken cancellation)
    {
        var text = Encode(body.Span);
        var visibilityTimeout = delay > TimeSpan.Zero ? delay : (TimeSpan?)null;
        return AzureFaults.MapAsync(
            async deadline =>
            {
                SendReceipt? receipt;
                try
                {
                    receipt = (await SendAsync(deadline)).Value;
                }
                catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound)
                {
                    await client.Value.CreateIfNotExistsAsync(cancellationToken: deadline);
                    receipt = (await SendAsync(deadline)).Value;
                }

                // What shows that the message is there: the SDK takes any 201 for a success.
                return receipt?.PopReceipt ?? throw new FormatException("It has no receipt of the message.");
            },
            cancellation);

        Task<Response<SendReceipt>> SendAsync(CancellationToken deadline) => client.Value.SendMessageAsync(text, visibilityTimeout, NeverExpires, deadline);
    }

    public Task<IReadOnlyList<ReceivedMessage>> ReceiveAsync(int count, TimeSpan visibilityTimeout, CancellationToken cancellation) => ReadAsync<IReadOnlyList<ReceivedMessage>>(
        async deadline =>
        {
            QueueMessage[] messages = await client.Value.ReceiveMessagesAsync(count, visibilityTimeout, deadline);
            return [.. messages.Select(message => new ReceivedMessage(
                message.MessageId, message.PopReceipt, Decode(message.Body), message.InsertedOn ?? default, message.DequeueCount))];
        },
        whenMissing: [],
        cancellation);

    public Task<ReceivedMessage?> ExtendAsync(ReceivedMessage message, TimeSpan visibilityTimeout, CancellationToken cancellation) => ReadAsync(
        async deadline =>
        {
            UpdateReceipt renewed = await client.Value.UpdateMessageAsync(message.Id, message.Receipt, visibilityTimeout: visibilityTimeout, cancellationToken: deadline);
            return message with { Receipt = renewed.PopReceipt };
        },
        whenMissing: null,
        cancellation);

    public Task<bool> DeleteAsync(ReceivedMessage message, CancellationToken cancellation) => ReadAsync(
        async deadline =>
        {
            await client.Value.DeleteMessageAsync(message.Id, message.Receipt, deadline);
            return true;
        },
        whenMissing: false,
        cancellation);

    public Task<IReadOnlyList<PeekedMessage>> PeekAsync(int count, CancellationToken cancellation) => ReadAsync<IReadOnlyList<PeekedMessage>>(
        async deadline =>
        {
            global::Azure.Storage.Queues.Models.PeekedMessage[] messages = await client.Value.PeekMessagesAsync(count, deadline);
            return [.. messages.Select(message => new PeekedMessage(Decode(message.Body), message.InsertedOn ?? default, message.DequeueCount))];
        },
        whenMissing: [],
        cancellation);

    public Task<int> CountAsync(CancellationToken cancellation) => ReadAsync(
        async deadline => (await client.Value.GetPropertiesAsync(deadline)).Value.ApproximateMessagesCount, whenMissing: 0, cancellation);

    private static Task<T> ReadAsync<T>(Func<CancellationToken, Task<T>> operation, T whenMissing, CancellationToken cancellation) => AzureFaults.MapAsync(
        async deadline =>
        {
            try
            {
                return await operation(deadline);
            }
            catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound
                || e.ErrorCode == QueueErrorCode.MessageNotFound || e.ErrorCode == QueueErrorCode.PopReceiptMismatch)
            {
                return whenMissing;
            }
        },
        cancellation);

    private static BinaryData Encode(ReadOnlySpan<byte> body)
    {
        var text = new byte[Base64.GetMaxEncodedToUtf8Length(body.Length)];
        Base64.EncodeToUtf8(body, text, out _, out _);
        return BinaryData.FromBytes(text);
    }

    // A message that is not Base64 is not ours: it is treated as any that cannot be processed.
    private static ReadOnlyMemory<byte> Decode(BinaryData body)
    {
        var text = body.ToMemory();
        var decoded = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        return Base64.DecodeFromUtf8(text.Span, decoded, out _, out var length) is OperationStatus.Done ? decoded.AsMemory(0, length) : text;
    }
}
