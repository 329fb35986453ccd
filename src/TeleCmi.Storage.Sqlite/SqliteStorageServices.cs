using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Storage.Sqlite;

/// <summary>Puts the pipeline on one embedded file.</summary>
public static class SqliteStorageServices
{
    /// <summary>Adds the file that a storage setting names.</summary>
    /// <returns>False when it is no <c>sqlite:</c> setting.</returns>
    /// <exception cref="StorageException">It is one, but names no file.</exception>
    public static bool TryAddSqliteStorage(this IServiceCollection services, string? setting)
    {
        if (!SqliteStore.TryParse(setting, out var file, out var fault))
        {
            return fault is null ? false : throw new StorageException(fault);
        }

        services.AddSingleton(provider => new SqliteStore(file, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IStore>(provider => provider.GetRequiredService<SqliteStore>());
        return true;
    }
}
