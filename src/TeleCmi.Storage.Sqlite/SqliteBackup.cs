namespace TeleCmi.Storage.Sqlite;

/// <summary>A copy of a store that is in use.</summary>
internal static class SqliteBackup
{
    /// <summary>Writes a compact copy of what is durable now into a new file, down to the disk.</summary>
    public static async Task WriteAsync(SqliteReaders readers, string file, CancellationToken cancellation)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var copy = new FileStream(file, options);
        await readers.ReadAsync(
            session =>
            {
                // VACUUM is a write to SQLite, though not to the store's own file.
                session.RunScript("PRAGMA query_only = OFF");
                using (var vacuum = session.Once("VACUUM INTO ?1"))
                {
                    vacuum.Bind(1, file).Step();
                }

                session.RunScript("PRAGMA query_only = ON");
                return true;
            },
            cancellation);
        copy.Flush(flushToDisk: true);
    }
}
