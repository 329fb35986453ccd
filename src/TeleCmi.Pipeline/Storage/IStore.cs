namespace TeleCmi.Pipeline.Storage;

/// <summary>
/// Where queues and tables are kept: an Azure Storage account or one embedded file. Both ports have Azure Storage's
/// semantics, because that is what the product runs on when it grows.
/// </summary>
/// <remarks>
/// Every operation of a port ends by itself within the store's own deadline (20 s at most), creates the queue or table
/// that it writes to when that is missing, and reads a missing one as empty. What goes wrong is a
/// <see cref="StorageException"/>, whatever the store.
/// </remarks>
public interface IStore
{
    /// <summary>The setting that says where it is.</summary>
    const string Setting = "TeleCmiStorage";

    /// <summary>A queue; nothing is created or asked yet.</summary>
    IMessageQueue Queue(string name);

    /// <summary>A table; nothing is created or asked yet.</summary>
    ITable Table(string name);

    /// <summary>Finds out whether queues and tables could do their work now, a write included where the store can refuse one alone (a full disk).</summary>
    /// <exception cref="StorageException">They could not.</exception>
    Task CheckAsync(CancellationToken cancellation);
}

/// <summary>Storage did not do what it was asked to: it was not reached, refused, or took too long.</summary>
/// <param name="message">One sentence without secrets that says what is wrong and, where it is known, how to fix it.</param>
/// <param name="inner">What the store itself said.</param>
public sealed class StorageException(string message, Exception? inner = null) : Exception(message, inner);
