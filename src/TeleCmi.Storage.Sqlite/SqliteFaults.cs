using Microsoft.Data.Sqlite;
using SQLitePCL;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Storage.Sqlite;

/// <summary>What can go wrong with an embedded store, each in a sentence that says how to fix it.</summary>
internal static class SqliteFaults
{
    private const int OutOfSharedMemory = 4874; // SQLITE_IOERR_SHMSIZE: the -shm file could not grow.

    /// <summary>The one place where a failure becomes a <see cref="StorageException"/>.</summary>
    public static StorageException Of(Exception fault, string file) => fault switch
    {
        StorageException known => new StorageException(known.Message, known),
        TimeoutException => new StorageException($"The store '{file}' did not finish in time: its disk is slow or another program holds it. Try again; end the other program if this goes on.", fault),
        UnauthorizedAccessException => NotWritable(file, fault),
        SqliteException { SqliteExtendedErrorCode: OutOfSharedMemory } => Full(file, fault),
        SqliteException { SqliteErrorCode: raw.SQLITE_FULL } => Full(file, fault),
        SqliteException { SqliteErrorCode: raw.SQLITE_BUSY or raw.SQLITE_LOCKED } =>
            new StorageException($"The store '{file}' was locked for too long: end the other program that holds it, such as a SQLite shell with an open transaction.", fault),
        SqliteException { SqliteErrorCode: raw.SQLITE_READONLY or raw.SQLITE_CANTOPEN or raw.SQLITE_PERM or raw.SQLITE_AUTH } => NotWritable(file, fault),
        SqliteException { SqliteErrorCode: raw.SQLITE_NOTADB } => NotOurs(file, fault),
        SqliteException { SqliteErrorCode: raw.SQLITE_CORRUPT } =>
            new StorageException($"The store '{file}' is damaged: put a backup in its place, or move it away to begin with an empty one.", fault),
        SqliteException { SqliteErrorCode: raw.SQLITE_TOOBIG } => new StorageException($"A row is too large for the store '{file}'.", fault),
        _ => new StorageException($"The store '{file}' could not be read or written: {fault.Message} Check its disk.", fault),
    };

    public static StorageException NotOurs(string file, Exception? fault = null) =>
        new($"The file '{file}' is not a TeleCmi store and stays untouched: name another file, or move it away.", fault);

    public static StorageException NewerVersion(string file, long version, long known) =>
        new($"The store '{file}' has version {version}, and this program knows versions up to {known}: use a newer TeleCmi, or name another file.");

    public static StorageException LostItsFile(string file) =>
        new($"The store '{file}' is missing although '{file}-wal', which belongs to it, is there: put the file or a backup in its place, or move '{file}-wal' away to begin with an empty store.");

    public static StorageException FileGone(string file) =>
        new($"The store '{file}' was moved or deleted while it is in use: stop the program, put the file back with its -wal file, and start again.");

    public static StorageException NoWriteAheadLog(string file, string mode) =>
        new($"The store '{file}' cannot use a write-ahead log (its journal mode is {mode}): keep it on a local disk, not on a network share.");

    public static StorageException NotWritable(string file, Exception? fault = null) =>
        new($"The store '{file}' cannot be written: let the user that runs this program write the file and its folder, and check that the path names a file on a disk that is not read-only.", fault);

    public static StorageException Closed(string file) => new($"The store '{file}' is closed.");

    private static StorageException Full(string file, Exception fault) =>
        new($"The store '{file}' cannot grow because the disk is full: free some space. Everything acknowledged is still there.", fault);
}
