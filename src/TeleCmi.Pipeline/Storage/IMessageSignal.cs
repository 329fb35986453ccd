namespace TeleCmi.Pipeline.Storage;

/// <summary>A queue that can tell its own process when it has a message to receive, so that nobody has to poll in short intervals.</summary>
public interface IMessageSignal
{
    /// <summary>
    /// Waits until a message is visible, because it was sent, its delay or visibility timeout is over, or it was put back.
    /// Another consumer may receive it first, and what another process sends meanwhile may go unnoticed: receive again after every wait.
    /// </summary>
    /// <param name="timeout">How long to wait at most.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>False when the time was over first.</returns>
    /// <exception cref="StorageException">The queue could not be read.</exception>
    Task<bool> WaitForMessageAsync(TimeSpan timeout, CancellationToken cancellation);
}
