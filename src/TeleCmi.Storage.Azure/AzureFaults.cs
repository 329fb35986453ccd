using Azure;
using Azure.Identity;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Storage.Azure;

/// <summary>The one place that knows how the SDK says that storage failed.</summary>
internal static class AzureFaults
{
    private static readonly TimeSpan LongestOperation = TimeSpan.FromSeconds(20);

    /// <summary>Runs one operation within the store's deadline.</summary>
    /// <exception cref="StorageException">It failed, or did not end in time.</exception>
    public static async Task<T> MapAsync<T>(Func<CancellationToken, Task<T>> operation, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(LongestOperation);
        try
        {
            return await operation(deadline.Token);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new StorageException("Storage did not respond in time.", e);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new StorageException(Explain(e), e);
        }
    }

    private static string Explain(Exception e) => e switch
    {
        // After its retries the SDK throws what each try threw.
        AggregateException { InnerExceptions: [.., var last] } => Explain(last),
        RequestFailedException { Status: 0 } => $"Storage does not respond: {FirstLine(e.Message)}",
        RequestFailedException { Status: var status, ErrorCode: var code } => $"Storage refused the request: {status} {code}.",
        AuthenticationFailedException => $"Storage cannot be reached with this identity: {FirstLine(e.Message)}",
        TaskCanceledException => "Storage did not respond in time.",

        // A reply that breaks off, or is somebody else's, ends in the SDK's parsers, which throw whatever comes.
        _ => $"Storage's response could not be read: {FirstLine(e.Message)}",
    };

    private static string FirstLine(string text) => text.AsSpan().Trim() is var trimmed && trimmed.IndexOfAny('\r', '\n') is var end and >= 0
        ? trimmed[..end].ToString()
        : text;
}
